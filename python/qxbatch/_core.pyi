"""The Rust core: header scan, one-pass ingest of packets, packing and hashing.

Paths go in and out as `str` (surrogate-escaped where a name is no UTF-8). Sizes are bytes, hashes are
lower-case hexadecimal SHA-256. Long calls release the interpreter lock and stop soon after `Monitor.cancel()`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import final

from qxbatch._acquired import Acquired as Acquired
from qxbatch._acquired import Stack as Stack
from qxbatch._images import Statistics as Statistics
from qxbatch._images import colour_slice as colour_slice
from qxbatch._images import grey_slice as grey_slice

__all__ = [
    "FIELDS",
    "CancelledError",
    "Comparison",
    "Group",
    "Header",
    "ImageCheck",
    "Monitor",
    "Reading",
    "Row",
    "Scan",
    "SeriesFrames",
    "Statistics",
    "Streams",
    "colour_slice",
    "grey_slice",
    "gzip_file",
    "gzip_size",
    "hash_file",
    "hash_gzip",
    "hash_tar_gz",
    "ingest",
    "is_archive",
    "pack_folder",
    "read_header",
    "scan",
    "sniff",
]

_Value = str | int | float | list[str] | list[int] | list[float] | None

VERSION: str
"""The version of qxbatch."""
FIELDS: tuple[str, ...]
"""Names of the header fields that the core reads, in the order of the table in rust/core.

DICOM keywords (PS3.6); a private element has its vendor's name before its own. An enhanced multi-frame object has its times,
geometry and image component from the shared functional groups, else from those of the first frame (PS3.3 C.7.6.16).
"""

class CancelledError(Exception):
    """`Monitor.cancel()` was called while the core worked."""

@final
class Monitor:
    """Shared by one run: stops the core's work, and counts it for the progress display."""

    def __new__(cls) -> Monitor: ...
    def cancel(self) -> None: ...
    @property
    def cancelled(self) -> bool: ...
    @property
    def files(self) -> int: ...
    @property
    def bytes(self) -> int: ...

@final
class Header:
    """The wanted fields of one DICOM object; an absent or empty field is None."""

    def get(self, field: str) -> _Value:
        """Return one field's value: text decoded and trimmed, IS as int, DS as float, a multi-valued field as a list.

        A number that cannot be read (IS of `1A`) is None, with all the numbers of its field.

        Raises KeyError when the core does not read that field (see FIELDS).
        """
    def items(self) -> list[tuple[str, _Value]]:
        """Return the fields that have a value, in the order of FIELDS."""
    @staticmethod
    def from_values(values: dict[str, str]) -> Header:
        """Make a header from text in DICOM's own notation (values parted by a backslash), as pydicom would give it."""

@final
class Group:
    """The files of one patient that share (StudyInstanceUID, SeriesInstanceUID, SeriesNumber)."""

    study: str
    series_uid: str
    number: int | None
    """SeriesNumber; None when absent, empty, unreadable, zero or negative.

    A file without one joins the only number of its SeriesInstanceUID.
    """
    patient: str
    """PatientID trimmed and case-folded; empty when there is none."""
    files: int
    """Files without the duplicates."""
    size: int
    header: Header
    """Of the file with the lowest (InstanceNumber, path)."""
    started: str
    """Earliest date and time of the series, YYYYMMDDHHMMSS.ffffff as far as given; empty when unknown."""

def read_header(data: bytes) -> Header:
    """Parse the header of one DICOM object held in memory. Raises ValueError with the reason and the offset."""

@final
class Scan:
    """Headers of many files; the fields stay in the core until they are asked for."""

    def __len__(self) -> int: ...
    def path(self, index: int) -> str: ...
    def header(self, index: int) -> Header | None: ...
    def problem(self, index: int) -> str | None:
        """Why the file has no header: no DICOM, or unreadable."""
    def groups(self) -> list[Group]: ...
    def group_files(self, group: int) -> list[int]: ...

def scan(paths: Sequence[str], *, threads: int = 0, monitor: Monitor | None = None) -> Scan:
    """Scan files, and folders with all below them, in parallel (threads = 0: one per usable CPU); in sorted path order.

    Gzipped files are read too. Links to files are followed; links to folders are not, as they may lead back. A path that lies
    below another one of the list is not read twice.

    Raises OSError when a path of the list itself cannot be read; a file below is a problem of its own.
    """

@final
class Row:
    """One member of a packet: a row of the ledger (docs/ledger.md)."""

    index: int
    path: str
    """As in the ledger: escaped; a nested member is `outer.zip!inner/name`."""
    size: int
    sha256: str
    content_sha256: str
    kind: str
    """dicom, dicomdir, par, rec, archive, other, directory, link, device"""
    fate: str
    """sorted, duplicate, kept, opened, nodata, refused"""
    at: str
    """Below the session folder; empty as long as the file is not placed and for a member that has no place.

    A duplicate's is that of the first.
    """
    series: int
    """n of the series; 0 when none."""
    group: int
    """Index of the group; -1 when none."""
    reason: str
    surrounded: bool  # bytes around its content are in no session

@final
class Reading:
    """What was read from the packets of one session. The files lie in staging until they are placed."""

    def __len__(self) -> int:
        """Number of rows."""
    def row(self, index: int) -> Row: ...
    def groups(self) -> list[Group]: ...
    def group_rows(self, group: int) -> list[int]:
        """Rows of a group's files, sorted by path, without the duplicates."""
    def streams(self, groups: list[int]) -> Streams:
        """Tell where the files of these groups, once placed, lie deflated in their zips."""
    def header(self, row: int) -> Header | None: ...
    def staged(self, row: int) -> str:
        """Where the member's bytes lie now; empty when it has none. Gzipped DICOM is inflated (unless gunzip=False)."""
    def suspects(self) -> list[int]:
        """Rows that look like DICOM and whose header the core could not parse; kept unless `supply` gives a header."""
    def supply(self, row: int, header: Header) -> None:
        """Give a suspect the header another reader found; it joins its group."""
    def left_out(self) -> list[tuple[int, str]]:
        """Rows that may contain images and are none, with the cause (`left_out.Cause`)."""
    def gaps(self) -> list[tuple[int, int, int, list[str]]]:
        """DICOMDIRs that list missing files: row, files listed, files missing, and their paths where these are known."""
    def damage(self) -> list[str]:
        """What could not be had: `path: reason`, refused members first, then the archive's own damage."""
    def notes(self) -> list[str]:
        """What is odd but loses nothing, `path: note` (bytes before or behind an archive)."""
    def place_series(self, root: str, n: int, label: str, groups: list[int]) -> None:
        """Rename the files of these groups to `<root>/dicom/<n>/<label>-<n>-<SOPInstanceUID>.dcm` (gzipped ones to `.dcm.gz`)."""
    def place_row(self, row: int, root: str, at: str, n: int) -> None:
        """Rename one staged file to `<root>/<at>`; n > 0 makes its fate sorted, n = 0 kept."""
    def leave_row(self, row: int, at: str) -> None:
        """Say that a kept member stays where it is, which is `at` of its session; its staged copy is removed."""
    def place_kept(self, root: str, rows: list[int]) -> None:
        """Rename staged files to `<root>/inbox/<cleaned own path>`; two paths that clean to one name both stay."""

@final
class Streams:
    """Where files of one series lie deflated in zip packets (RFC 1951), for `pack_folder`."""

def ingest(
    packets: Sequence[tuple[str, str]],
    staging: str,
    *,
    threads: int = 0,
    gunzip: bool = True,
    link: bool = False,
    headers_only: bool = False,
    skip: Sequence[str] = ...,
    max_ratio: int = 1000,
    max_bytes: int = 1 << 40,
    max_members: int = 5_000_000,
    max_nesting: int = 5,
    passwords: Sequence[bytes] = ...,
    monitor: Monitor | None = None,
) -> Reading:
    """Read packets (path, prefix of ledger paths) once: sniff, check, hash, parse, write below `staging`.

    A packet is a folder, an archive, or a file. An archive with a prefix `name!` that contains no DICOM or PAR/REC is one kept
    member `name`. Paths in `skip` are left out of folders. With `link`, files of a folder are hard-linked into staging where
    possible, else copied. With `headers_only` staged DICOM ends in a hole behind its header, a PAR is whole, and other files are
    holes. `passwords` are tried in order on what is encrypted; a reason about that begins with `encrypted`.

    Raises OSError (staging or a packet cannot be opened) and CancelledError. What is wrong with one is in its row and `damage`.
    """

def is_archive(path: str) -> bool:
    """Whether `ingest` reads a file as several members: a zip, a 7z, a tar, a compressed tar. Raises OSError."""

def sniff(path: str) -> str:
    """Say what a file is: dicom, par, rec (by its extension), zip, 7z, tar, a compression, a kind not opened, other, empty."""

def pack_folder(
    folder: str,
    out: str,
    prefix: str,
    *,
    level: int = 0,
    streams: Streams | None = None,
    monitor: Monitor | None = None,
) -> int:
    """Write the files of a folder as one tar.gz, members `<prefix>/<name>` in name order, with fixed times and owners.

    Returns its size; bringing it to disk (fsync) is left to the caller. level: 0 the default, else 1 (fast) to 9 (small). With the
    default, files that `streams` tells of are taken over as they are packed in their zip, if a sample of them is about as
    small as it would be here.
    """

@final
class SeriesFrames:
    """Every frame of the DICOM files of one series: headers up to the pixel data, functional groups, tiles of mosaics.

    A frame is a two-dimensional image: a classic object, one frame of an enhanced object (PS3.3 C.7.6.16), or one tile of a
    mosaic (Siemens, United Imaging). A file that cannot be read to its pixel data counts as an object that tells no size.
    """

    def __new__(cls, files: Sequence[str], *, pixels: bool = True) -> SeriesFrames:
        """Read the headers of files; without `pixels` gzipped ones too, and `compare` compares no values. Raises OSError."""
    @property
    def files(self) -> list[Path]: ...
    @property
    def images(self) -> int:
        """Objects with pixel data."""
    @property
    def without_pixels(self) -> int:
        """Objects that end as they should and have no pixel data."""
    @property
    def classes(self) -> dict[str, int]:
        """Objects of each SOP class."""
    @property
    def slices(self) -> int:
        """Frames of all objects."""
    @property
    def voxels(self) -> int:
        """Pixels of all frames."""
    @property
    def sizes(self) -> list[tuple[int, int]]:
        """The different (rows, columns) of frames."""
    @property
    def countable(self) -> bool:
        """Whether every object tells its size and, a mosaic, its number of tiles."""
    @property
    def truncated(self) -> list[Path]:
        """Files that end before their pixel data do, or in their header; also images without any, where others have some."""
    @property
    def mosaic(self) -> bool: ...
    @property
    def parts(self) -> int:
        """Series that the exporter made of the files: different UIDs or numbers."""
    @property
    def series_number(self) -> int | None: ...
    def acquired(self) -> Acquired:
        """Return what was scanned: stacks of slices with their volumes, and details of the first image's header.

        Raises OSError when that file cannot be read again.
        """
    def compare(self, images: Sequence[str], maps: Sequence[bool]) -> Comparison:
        """Compare uncompressed NIfTI images with the frames: place, count, order, and the values of four rows of each.

        `maps` says for each image whether it repeats frames of the others. Raises OSError when a file cannot be read.
        """

@final
class Comparison:
    """A series against its images."""

    files: int
    frames: int
    without_tiles: int
    """Mosaics that do not say how many slices they show."""
    suspected: int
    """Images of Siemens that may be mosaics: they have three times as many rows as AcquisitionMatrix."""
    undirected: int
    """Mosaics that do not say in which direction their slices follow each other."""
    placeless: int
    """Frames without position, orientation or pixel spacing."""
    astray: list[tuple[int, int, float]]
    """Frames that are more than 0.1 mm from any slice: index of the file, frame number from 0, distance in mm.

    The distance is infinite where no image has the frame's size and directions.
    """
    lost: int
    """Frames for which their place has no slice left in any image."""
    moved: int
    """Volumes that are elsewhere than their image as a whole: prospective motion correction."""
    moved_by: float
    """The largest such distance, mm."""
    tilt: float
    """The largest angle between a frame and its image that moves a corner by more than 0.1 mm, rad; else 0."""
    shuffled: int
    """Frames that cannot be compared, of objects that do not store them volume by volume."""
    scalings: int
    """Different pairs of RescaleSlope and RescaleIntercept."""
    not_compared: dict[str, int]
    """Frames whose values were not compared, by the reason."""
    encodings: list[tuple[bool, int, int, int]]
    """Pixel encodings: signed, bits stored, bits allocated, number of frames."""
    checks: list[ImageCheck]
    """One for each image, in the order given."""

@final
class ImageCheck:
    """One image against the headers."""

    slices: int
    """Slices of all volumes."""
    surplus: int
    """Slices that no frame is for."""
    different: int
    """Slices with other values than the frame of their place."""
    difference: tuple[int, int, int, int, float, float] | None
    """The first of them: file, frame, slice, volume (from 0), value by the DICOM, value in the image."""
    order: str
    """Volumes are in the order of some time or number of the headers (`right`), in none of them (`wrong`), or no header element
    tells them apart (`untold`); empty for one volume and for diffusion scans.
    """
    b_values: list[tuple[float | None, float | None]]
    """b value of each volume in s/mm2, by the header and nominal."""
    contradiction: tuple[int, float, float] | None
    """The first volume (from 0) whose elements give several b values, with the lowest and the highest of them."""
    directions: list[tuple[float, float, float] | None]
    """Gradient direction of each volume in the patient's axes (LPS+), where the headers have it."""
    diffusion: bool
    """A header says that the image is diffusion weighted."""
    isotropic: bool
    """All weighted volumes are without direction."""
    derived: bool
    """All frames are derived."""
    first: tuple[int, int]
    """The lowest InstanceNumber (frame number in an enhanced object), and the index of its file."""
    part_of: int | None
    """Index of another image of the same kind that makes one volume together with this one."""
    twin: int | None
    """Index of another image of the same kind at the same place: both are volumes of one scan."""

def gzip_file(source: str, out: str, *, level: int = 0, monitor: Monitor | None = None) -> tuple[int, str]:
    """Write a file as one gzip member without name or time; return (size, SHA-256) of the member. It is not synced.

    The hash is of what was given to the disk: a file that reads otherwise was written wrongly.
    """

def hash_file(path: str, *, monitor: Monitor | None = None) -> tuple[int, str]:
    """Return (size, SHA-256) of a file."""

def hash_gzip(path: str, *, monitor: Monitor | None = None) -> tuple[int, str]:
    """Return (size, SHA-256) of a gzip file's content. Raises ValueError when it does not end as it should."""

def gzip_size(path: str, head: int, *, monitor: Monitor | None = None) -> tuple[int, bytes]:
    """Return the size of a gzip file's content and its first `head` bytes. It is read to its end, with its checksum.

    Raises ValueError when it does not end as it should.
    """

def hash_tar_gz(path: str, *, monitor: Monitor | None = None) -> list[tuple[str, int, str]]:
    """Return (name, size, SHA-256) of each file of a tar.gz. Raises ValueError when it is damaged or cut short."""
