"""Frames as read, and stacks as written."""

from dataclasses import dataclass
from pathlib import Path

Vector = tuple[float, float, float]
"""x, y and z."""
FrameSource = tuple[str, int]
"""Path below the folder of the series, and index of the frame in that file, counted from 0."""


@dataclass(frozen=True)
class PixelEncoding:
    """How pixel values are stored (PS3.3 C.7.6.3.1, PS3.5 8.1.1)."""

    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool


@dataclass(frozen=True)
class Gradient:
    """Diffusion weighting of a frame (PS3.3 C.8.13.5.9)."""

    b_value: float
    """In s/mm2."""
    directionality: str
    """DiffusionDirectionality; empty when absent."""
    orientation: tuple[float, ...]
    """Unit vector in patient axes; empty without a direction."""
    in_vendor_axes: bool = False
    """Whether the direction is known only in axes that the vendor defines (GE)."""


@dataclass(frozen=True)
class Weighting:
    """Diffusion weighting of a volume of a stack."""

    b_value: float
    """In s/mm2."""
    direction: Vector
    """Unit vector in patient axes, as if the volume had the orientation of its stack; zero without a direction."""


@dataclass(frozen=True)
class VolumeAttributes:
    """Elements that can show to which volume a frame belongs: they distinguish frames at the same position."""

    temporal_position_index: int | None
    frame_acquisition_number: int | None
    acquisition_number: int | None
    temporal_position_identifier: int | None
    trigger_time: float | None
    """NominalCardiacTriggerDelayTime, or TriggerTime, in ms."""
    gradient: Gradient | None
    acquisition_time: str
    """FrameAcquisitionDateTime, AcquisitionDate and AcquisitionTime, or AcquisitionDateTime; empty without a time."""
    reference_time: str
    """FrameReferenceDateTime."""
    content_time: str
    """ContentDate and ContentTime."""
    dimension_index_values: tuple[int, ...]
    instance_number: tuple[int, int, int] | None
    """InstanceNumber, place of the object in its concatenation (PS3.3 C.7.6.16.2.2.4; 0 without one), and index of the frame."""
    numbers_frames: bool
    """Whether the object is enhanced, so that `instance_number` numbers its frames."""
    time_offset: float | None
    """TemporalPositionTimeOffset, or the time at which the dynamic scan of Philips begins, in s."""
    frame_reference_time: float | None
    """FrameReferenceTime of PET, in ms."""
    vendor_numbers: tuple[int | None, int | None]
    """Elements that number the volumes in some scans: of Philips (2005,xx63) and (2001,xx08), of GE (0019,xxA2)."""


@dataclass(frozen=True)
class Frame:
    """One two-dimensional image of the input."""

    source: FrameSource
    sop_instance: str
    """SOPInstanceUID."""
    position: Vector
    """ImagePositionPatient in mm."""
    orientation: tuple[float, ...]
    """ImageOrientationPatient: direction cosines of rows and columns."""
    spacing: tuple[float, float]
    """PixelSpacing: distance between rows, distance between columns, in mm."""
    rows: int
    columns: int
    samples_per_pixel: int
    photometric_interpretation: str
    stack_id: str
    echo_time: float | None
    """In ms, as all times of a frame; None for 0, or when absent."""
    kind: tuple[str, ...]
    """ImageType or FrameType, and ComplexImageComponent."""
    encoding: PixelEncoding
    slope: float
    """RescaleSlope; 1 when absent."""
    intercept: float
    """RescaleIntercept; 0 when absent."""
    is_philips: bool
    """Whether a Philips scanner made the image: its private scale slope refers to RescaleSlope, which must not change."""
    repetition_time: float | None
    flip_angle: float | None
    """In degrees."""
    inversion_time: float | None
    echo_number: int | None
    series_uid: str
    """SeriesInstanceUID."""
    volume_attributes: VolumeAttributes


@dataclass(frozen=True)
class CopiedStack:
    """Copies that form one image."""

    folder: Path
    series_uid: str
    shape: tuple[int, int, int, int]
    """Columns, rows, slices, volumes."""
    suffix: str
    """Suggested suffix of the image: the echo (`_e2`) if stacks differ by echo, then the kind (`_ph`) if they differ by kind."""
    is_incomplete: bool
    """Whether it contains slices of an incomplete volume."""
    sources: tuple[FrameSource, ...]
    """The frames in the order of the copies: all slices of the first volume, then those of the next one."""
    tilt: float = 0.0
    """Largest angle (rad) between the orientations of the frames and a common one (`Grid.tilt`)."""
    shift: float = 0.0
    """Largest distance (mm) between the position of a frame and that of its copy (`Grid.shift`)."""
    weightings: tuple[Weighting, ...] = ()
    """Weighting of each volume; empty if no table is to be written from the headers."""
