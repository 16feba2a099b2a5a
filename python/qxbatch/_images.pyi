"""NIfTI images: pictures, statistics, comparison with DICOM frames. These are names of `qxbatch._core`."""

from collections.abc import Sequence
from typing import final

from qxbatch._core import Monitor

def grey_slice(
    path: str, offset: int, datatype: int, rows: Sequence[int], columns: Sequence[int], *, big_endian: bool
) -> bytes:
    """Return pixels of an uncompressed NIfTI, 8-bit grey from their 1st to their 99th percentile, row by row.

    A pixel is the voxel with the index `row + column`; voxel 0 is at byte `offset`. `datatype` is the code of the type of voxels
    (nifti1.h). Colours are shown by their mean, complex numbers by their magnitude. Raises ValueError for an unknown type, and
    OSError when the file cannot be read or ends before a voxel.
    """

def colour_slice(path: str, offset: int, datatype: int, rows: Sequence[int], columns: Sequence[int]) -> bytes | None:
    """Return red, green and blue of the pixels that `grey_slice` returns as grey, row by row; None if the voxels are not colours.

    Raises the same errors as `grey_slice`.
    """

def decode_lossless_jpeg(stream: bytes, rows: int, columns: int, cell_bytes: int) -> bytes | None:
    """Return the little-endian cells of a grey frame in lossless JPEG (ISO/IEC 10918-1 annex H), row by row.

    `cell_bytes` is 1 or 2. None if the stream is damaged or has another size, or if it has restart intervals or a point transform.
    """

@final
class Comparison:
    """The result of comparing a series with its images."""

    files: int
    """Number of files of the series."""
    frames: int
    """Number of frames of all files."""
    joined_files: int
    """Files in which another DICOM file begins after the pixel data."""
    mosaics_without_slice_count: int
    """Mosaics whose header lacks the number of their slices."""
    suspected_mosaics: int
    """Square Siemens images that may be mosaics: they have at least three times as many rows as AcquisitionMatrix."""
    mosaics_without_direction: int
    """Mosaics whose header has the number of slices, but not the direction in which they follow each other."""
    frames_without_geometry: int
    """Frames without valid position, orientation or pixel spacing."""
    misplaced_frames: list[tuple[int, int, float]]
    """Frames whose position matches no slice within 0.1 mm: index of the file, frame number from 0, distance in mm.

    The distance is the largest one of a corner. It is infinite if no image has the frame's size and directions.
    """
    frames_without_slice: int
    """Frames that were assigned to no slice, although there are slices at their position."""
    moved_volume_count: int
    """Number of volumes that moved as a whole relative to their image: prospective motion correction."""
    largest_movement: float
    """The largest movement of these volumes, mm."""
    largest_tilt: float
    """The largest angle between a frame and its image that moves a corner by more than 0.1 mm, rad; else 0."""
    frames_of_irregular_order: int
    """Frames whose values cannot be compared, and whose order is not one that converters follow.

    The order of frames is that in their object; in a series of classic objects, that of their InstanceNumbers.
    """
    repeated_frames: list[tuple[int, int, int, int]]
    """Frames that repeat another frame: index of the file and number of the frame, then those of the other one, from 0.

    They have the same values, which are not all equal, and the same attributes except for the InstanceNumber. Frames of copied
    volumes are not among them.
    """
    scaling_count: int
    """Number of different pairs of RescaleSlope and RescaleIntercept."""
    zero_slopes: int
    """Frames whose RescaleSlope is 0."""
    frames_not_compared: dict[str, int]
    """Frames with pixel data whose values were not compared, by reason."""
    encodings: list[tuple[bool, int, int, int]]
    """Pixel encodings: signed, bits stored, bits allocated, number of frames."""
    checks: list[ImageCheck]
    """One for each image, in the given order."""

@final
class ImageCheck:
    """The result of comparing one image with the headers."""

    slices: int
    """Number of slices of all volumes."""
    slices_without_frame: int
    """Slices (of all volumes) without a frame, except those of `different_slices`."""
    different_slices: int
    """Slices (of all volumes) whose values differ from every frame at their position that was not assigned yet."""
    first_difference: tuple[int, int, int, int, float, float] | None
    """The first of these slices: file, frame, slice, volume (indices from 0), value in the DICOM, value in the image."""
    volume_order: str
    """Whether the volumes are in the order of a time or number in the headers.

    - `right`: in the order of at least one.
    - `wrong`: in the order of none, against the order in which the volumes were acquired, or with a repeated slice in the place
      of one of another volume.
    - `undetermined`: no time or number distinguishes the volumes, or they are only in the order of InstanceNumbers that count
      neither volume by volume nor place by place.
    - Empty: not checked. There is one volume, or a slice without a frame, or a b-value above 0 (unless the gradient directions
      are known by frequency, phase and slice encoding only).
    """
    time_step: float | None
    """Time between volumes in s, if RepetitionTime and the acquisition times agree; None for diffusion scans."""
    echo_times: tuple[float, float] | None
    """The shortest and the longest echo time of its frames in ms; None if the headers have none."""
    flip_angles: tuple[float, float] | None
    """The lowest and the highest flip angle of its frames in degrees; None if the headers have none."""
    inversion_times: tuple[float, float] | None
    """The shortest and the longest inversion time of its frames in ms; None if the headers have none."""
    repetition_times: tuple[float, float] | None
    """The shortest and the longest repetition time of its frames in ms; None if the headers have none."""
    components: list[str]
    """The components of complex values that the headers of its frames name: `magnitude`, `phase`, `real part`, `imaginary part`."""
    b_values: list[tuple[float | None, float | None]]
    """b-value and second b-value of each volume in s/mm2, from the headers; None if they have none.

    The second one is the nominal b-value; for GE, the b-value of the scan multiplied by the squared length of the direction.
    """
    contradicting_b_values: tuple[int, float, float] | None
    """The first volume (from 0) with a frame whose header elements contain b-values that contradict each other.

    With the lowest and the highest of these b-values in s/mm2.
    """
    mixed_volume: int | None
    """The first volume (from 0) whose slices have different b-values or gradient directions."""
    exchanged_slices: tuple[int, str] | None
    """The first volume (from 0) with a slice that belongs to another volume by an element of the headers, such as
    DimensionIndexValues, and the name of this element.

    docs/converters.md says when an element counts.
    """
    directions: list[tuple[float, float, float] | None]
    """Gradient direction of each volume in patient axes (LPS+), if the headers have it."""
    encoding_directions: list[tuple[float, float, float] | None]
    """Gradient direction of each volume in patient axes (LPS+), from classic GE headers, which have it by frequency, phase and
    slice encoding instead. Its signs are certain only if `has_known_signs`.
    """
    has_known_signs: bool
    """Whether the signs of `encoding_directions` are certain; True without a frame."""
    is_diffusion: bool
    """Whether a header says that the image is part of a diffusion scan, or has a b-value above 0."""
    is_isotropic: bool
    """Whether the headers of all volumes with a b-value above 0 say that the weighting is isotropic (trace images).

    False without such a volume.
    """
    is_derived: bool
    """Whether ImageType or FrameType says that all frames are derived; True without a frame."""
    has_derived_frames: bool
    """Whether ImageType or FrameType says that some frames are derived."""
    dixon_signals: list[str]
    """The signals of a Dixon scan that ImageType or FrameType names: `water`, `fat`, `in phase`, `out of phase`."""
    lowest_instance_number_and_file: tuple[int, int]
    """The lowest InstanceNumber (frame number in an enhanced object), and the index of its file.

    A frame without InstanceNumber has the largest integer; without a frame, both are the largest integers.
    """
    same_volume_as: int | None
    """Index of another image of the same kind that forms one volume together with this one."""
    same_scan_as: int | None
    """Index of another image of the same kind at the same position: both are volumes of one scan."""

@final
class Statistics:
    """Temporal SNR and global signal of a time series in an uncompressed NIfTI (docs/statistics.md)."""

    @staticmethod
    def read(path: str, *, monitor: Monitor | None = None) -> Statistics | None:
        """Return the statistics; None if they cannot be computed.

        This is the case if fewer than 10 volumes are in the steady state, if voxels are colours or of an unknown type, if no
        voxel is positive, if a volume has more than 2**23 voxels, or if the signal is not finite. Raises OSError when the file
        cannot be read, is not NIfTI or is cut short, and CancelledError.
        """
    @property
    def tsnr(self) -> float | None:
        """Median temporal SNR of the voxels in the mask that vary; None if no voxel varies."""
    @property
    def tsnr_limit(self) -> float | None:
        """A round number above 98 % of the temporal SNR values: the end of the colour scale. None if no voxel varies."""
    @property
    def dropped_volumes(self) -> int:
        """Volumes at the start that are not in the steady state."""
    @property
    def global_signal(self) -> list[float]:
        """Mean of each volume in the mask, including the dropped volumes."""
    def mean_slice(self, rows: Sequence[int], columns: Sequence[int]) -> bytes:
        """Return pixels of the mean image as `grey_slice` does. Raises OSError for a pixel outside of the volume."""
    def tsnr_slice(self, rows: Sequence[int], columns: Sequence[int]) -> bytes:
        """Return pixels of the map of temporal SNR: 0 outside of the mask, 255 at `tsnr_limit` and above."""
