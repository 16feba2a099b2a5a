"""The Rust core: reads headers, ingests packets in one pass, compares images, packs and hashes.

Paths are `str` in arguments, and in results except those of SeriesFrames (surrogate-escaped if a name is not UTF-8). Sizes are
bytes, hashes are lower-case hexadecimal SHA-256. Long calls release the interpreter lock. Calls with a `monitor` stop soon after
`Monitor.cancel()`, with CancelledError. Functions that read or write files raise OSError if that fails.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import final

from qxbatch._images import Comparison as Comparison
from qxbatch._images import ImageCheck as ImageCheck
from qxbatch._images import Statistics as Statistics
from qxbatch._images import colour_slice as colour_slice
from qxbatch._images import decode_lossless_jpeg as decode_lossless_jpeg
from qxbatch._images import grey_slice as grey_slice
from qxbatch._stacks import AcquiredStacks as AcquiredStacks
from qxbatch._stacks import Stack as Stack

__all__ = [
    "FIELDS",
    "VERSION",
    "AcquiredStacks",
    "CancelledError",
    "Comparison",
    "DeflateStreams",
    "Group",
    "Header",
    "ImageCheck",
    "Monitor",
    "Reading",
    "Row",
    "ScannedFiles",
    "SeriesFrames",
    "Stack",
    "Statistics",
    "colour_slice",
    "decode_lossless_jpeg",
    "grey_slice",
    "gzip_content_size_and_head",
    "gzip_file",
    "hash_file",
    "hash_gzip_content",
    "hash_tar_gz_members",
    "ingest",
    "is_archive",
    "pack_folder",
    "read_header",
    "scan_files",
    "sniff",
]

_Value = str | int | float | list[str] | list[int] | list[float] | None

VERSION: str
"""The version of qxbatch."""
FIELDS: tuple[str, ...]
"""Names of the header fields that the core reads, in the order of the table in rust/core.

DICOM keywords (PS3.6); the name of a private element starts with its vendor. In an enhanced multi-frame object, fields with
`within` (rust/core/src/header/field.rs) come from the main data set, else from the shared functional groups, else from those of the
first frame.
"""

class CancelledError(Exception):
    """`Monitor.cancel()` was called while the core worked."""

@final
class Monitor:
    """Cancels the work of the core, and counts files and bytes for the progress display. A run shares one."""

    def __new__(cls) -> Monitor: ...
    def cancel(self) -> None: ...
    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
    @property
    def files(self) -> int:
        """Number of finished files."""
    @property
    def bytes(self) -> int:
        """Total size of the finished files."""

@final
class Header:
    """The fields of one DICOM object (see FIELDS); an absent or empty field is None."""

    def get(self, field: str) -> _Value:
        """Return one field's value: text decoded and trimmed, IS as int, DS as float, a multi-valued field as a list.

        If one number of a field is unreadable (such as `1A` of an IS), the value of the whole field is None. Raises KeyError when
        `field` is not in FIELDS.
        """
    def items(self) -> list[tuple[str, _Value]]:
        """Return the fields that have a value, in the order of FIELDS."""
    @staticmethod
    def from_values(values: dict[str, str]) -> Header:
        """Make a header from the text of each field, in DICOM notation: several values are joined by backslashes.

        Raises KeyError when a name is not in FIELDS.
        """

@final
class Group:
    """The files of one patient that share (StudyInstanceUID, SeriesInstanceUID, SeriesNumber)."""

    study_uid: str
    """StudyInstanceUID; empty without one."""
    series_uid: str
    """SeriesInstanceUID, or a generated one if it is missing."""
    number: int | None
    """SeriesNumber; None if absent or invalid. A file without one joins the only number of its patient in the series."""
    folded_patient_id: str
    """PatientID trimmed and in lower case; empty without one. A file without one joins the only patient of its series."""
    files: int
    """Number of files. In a Reading, duplicates do not count."""
    size: int
    """Sum of the sizes of these files."""
    header: Header
    """Header of the file with the lowest InstanceNumber. If several files have it, or none has one, the lowest path decides."""
    start_time: str
    """Earliest date and time of the series, YYYYMMDDHHMMSS.ffffff as far as known; empty if unknown."""

def read_header(data: bytes) -> Header:
    """Parse the header of one DICOM object in memory, which may be gzipped.

    Raises ValueError with the reason, and with the offset if the object is damaged.
    """

@final
class ScannedFiles:
    """Headers of many files. They stay in the core, and are converted when they are requested.

    Methods raise IndexError when there is no such file or group.
    """

    def __len__(self) -> int: ...
    def path(self, index: int) -> str: ...
    def header(self, index: int) -> Header | None:
        """Return the header of a file; None if it has a `problem`."""
    def problem(self, index: int) -> str | None:
        """Return why the file has no header; None if it has one."""
    def outcome(self, index: int) -> str:
        """Return `dicom`, `damaged` (DICOM or gzip whose bytes are damaged), `unreadable` (an error of the system) or `other`."""
    def groups(self) -> list[Group]:
        """Return the files grouped by series: by number (groups without one last), start, SeriesInstanceUID, study, patient.

        A file that belongs to no series, such as a DICOMDIR, is in no group.
        """
    def group_files(self, group: int) -> list[int]:
        """Return the indices of a group's files, sorted by path."""

def scan_files(paths: Sequence[str], *, threads: int = 0, monitor: Monitor | None = None) -> ScannedFiles:
    """Read the headers of files, and of all files below folders, in parallel (threads = 0: one per usable CPU), sorted by path.

    Gzipped files are read too. Links to files are followed. Links to folders are followed only if they are in the list: others
    may form loops. Each path is read once.

    Raises OSError when a path of the list cannot be read (an unreadable file or folder below it has a `problem` instead) or when
    the threads cannot be started, and CancelledError.
    """

@final
class Row:
    """One member of a packet: a row of the ledger (docs/ledger.md)."""

    index: int
    path: str
    """The escaped path in the ledger; that of a nested member is `outer.zip!inner/name`."""
    archive_ends: list[int]
    """Positions in `path` of each `!` between an archive and its members; other `!` are characters of names."""
    size: int
    """Bytes of the member in its packet."""
    sha256: str
    """Hash of the member in its packet; empty if it was not read, or has no data (`nodata`)."""
    content_sha256: str
    """Hash of the decompressed bytes; `sha256` if it is kept compressed or was not unpacked. Empty as `sha256`, or if it failed."""
    kind: str
    """dicom, dicomdir, par, rec, archive, other, directory, link, device"""
    fate: str
    """sorted, duplicate, kept, opened, nodata, refused"""
    at: str
    """Path below the session folder; empty until the file is placed, and for a member without a place.

    A duplicate has the path of the first copy.
    """
    series: int
    """n of the series; 0 without one."""
    group: int
    """Index of the group; -1 without one."""
    reason: str
    has_extra_bytes: bool
    """Whether it has bytes outside of its content: in no member of an archive, or in or after the data of a compressed file or a
    zip member. The session contains them only if the archive or compressed file is stored as it is.
    """

@final
class Reading:
    """The result of reading the packets of one session. Files are in staging until a `place_...` method moves them.

    Methods raise IndexError when the reading has no such row or group, and OSError when a file cannot be moved or removed.
    """

    def __len__(self) -> int:
        """Return the number of rows."""
    def row(self, index: int) -> Row: ...
    def groups(self) -> list[Group]: ...
    def group_rows(self, group: int) -> list[int]:
        """Return the rows of a group's files, sorted by path, without duplicates."""
    def deflate_streams(self, groups: list[int]) -> DeflateStreams:
        """Return the deflate streams of these groups' files in their zips, by the names of the placed files."""
    def header(self, row: int) -> Header | None: ...
    def staged_path(self, row: int) -> str:
        """Return the current path of the member's bytes; empty without any. Gzipped DICOM is inflated (unless gunzip=False)."""
    def unparsed_dicom(self) -> list[int]:
        """Return the rows that look like DICOM, but whose header the core cannot parse: kept unless `set_header` sets one."""
    def set_header(self, row: int, header: Header) -> None:
        """Set the header of a row of `unparsed_dicom`, as another reader parsed it; the row then belongs to a group.

        All files are grouped again: earlier indices of groups are not valid any more. Raises ValueError for any other row.
        """
    def left_out(self) -> list[tuple[int, str]]:
        """Return the rows that may contain images but were not sorted, with the cause (`ingest.left_out.Cause`)."""
    def incomplete_dicomdirs(self) -> list[tuple[int, int, int, list[str]]]:
        """Return DICOMDIRs that list missing files: row, number of listed and of missing files, their paths if known."""
    def damage(self) -> list[str]:
        """Return the unreadable data as `path: reason`: refused members first, then the damage of the archives themselves."""
    def skipped_bytes_notes(self) -> list[str]:
        """Return bytes that belong to no member as `path: note`, such as bytes before or after an archive."""
    def skipped_bytes_may_contain_images(self) -> bool:
        """Return whether some of the skipped bytes begin like an archive, a compressed file or a DICOM file."""
    def place_series(self, root: str, n: int, label: str, groups: list[int]) -> None:
        """Rename the files of these groups to `<root>/dicom/<n>/<label>-<n>-<SOPInstanceUID>.dcm` (gzipped ones to `.dcm.gz`).

        Different files with the same UID get `_2`, `_3` and so on before the last dot, in the order of their paths.
        """
    def place_row(self, row: int, root: str, at: str, n: int) -> None:
        """Rename one staged file to `<root>/<at>`; the fate is sorted if n > 0, else kept. Raises OSError if `at` exists."""
    def leave_row(self, row: int, at: str) -> None:
        """Record that a kept member remains as it was read at the path `at` of its session, and remove its staged copy."""
    def omit_row(self, row: int, at: str) -> None:
        """Record that the file at `at` of the session has the staged bytes of a kept member, and remove the staged copy."""
    def place_in_inbox(self, root: str, rows: list[int]) -> None:
        """Rename staged files to `<root>/inbox/<cleaned path>`. A file whose cleaned path is in use gets a number."""

@final
class DeflateStreams:
    """The deflate streams (RFC 1951) of one series' files in zip packets, for `pack_folder`."""

def ingest(
    packets: Sequence[tuple[str, str]],
    staging: str,
    *,
    threads: int = 0,
    gunzip: bool = True,
    hard_link: bool = False,
    headers_only: bool = False,
    skip: Sequence[str] = ...,
    max_ratio: int = 1000,
    max_bytes: int = 1 << 40,
    max_members: int = 5_000_000,
    max_nesting: int = 5,
    passwords: Sequence[bytes] = ...,
    monitor: Monitor | None = None,
) -> Reading:
    """Read packets (path, prefix of ledger paths) once: recognise, check, hash and parse each member, and write it below `staging`.

    A packet is a folder, an archive, or a file. An archive with a prefix `name!` that is readable to its end and contains no DICOM
    or PAR becomes one kept member `name`. Paths in `skip` on the top level of a folder are skipped. With `hard_link`, files of a
    folder are hard-linked into staging if possible, else copied. With `headers_only`, a DICOM file in staging is a hole after its
    header, unless the header cannot be read or the pixel data are not found. A REC, a kept archive, or a file of no known kind, is
    one hole; a PAR or DICOMDIR is complete. `passwords` are tried on encrypted members in order, the last correct one first.
    Reasons about encryption start with `encrypted`.

    Raises OSError (staging or a packet cannot be opened) and CancelledError. Faults of members are in their rows and in `damage`.
    """

def is_archive(path: str) -> bool:
    """Return whether `ingest` reads a file as several members: a zip, 7z, tar or compressed tar. Raises OSError."""

def sniff(path: str) -> str:
    """Return the kind of a file: dicom, par, rec (by its name), other, empty, an archive or compression. Raises OSError."""

def pack_folder(
    folder: str,
    out: str,
    prefix: str,
    *,
    level: int = 0,
    streams: DeflateStreams | None = None,
    monitor: Monitor | None = None,
) -> int:
    """Write the files of a folder as one tar.gz, members `<prefix>/<name>` in name order, with fixed times and owners.

    Returns its size; the caller syncs it (fsync). `level` is 0 (default) or 1 (fast) to 9 (small). With 0, files in `streams` are
    copied as their zip stores them, if a sample shows that compressing them again would save little.
    """

@final
class SeriesFrames:
    """Every frame of the DICOM files of one series: headers up to the pixel data, functional groups, tiles of mosaics.

    A frame is a two-dimensional image: a classic object, one frame of an enhanced object (PS3.3 C.7.6.16), or one tile of a mosaic
    (Siemens, United Imaging). A file that is not DICOM, or whose header is damaged, counts as an object without a size.
    """

    def __new__(cls, files: Sequence[str], *, pixels: bool = True) -> SeriesFrames:
        """Read the headers. Without `pixels`, gzipped files are read too, and `compare` compares no values. Raises OSError."""
    @property
    def files(self) -> list[Path]: ...
    @property
    def objects_with_pixels(self) -> int:
        """Number of objects with pixel data. An enhanced object or a mosaic counts once."""
    @property
    def objects_without_pixels(self) -> int:
        """Number of complete objects without pixel data."""
    @property
    def classes(self) -> dict[str, int]:
        """Number of objects of each SOP class."""
    @property
    def slices(self) -> int:
        """Number of frames of all objects."""
    @property
    def voxels(self) -> int:
        """Number of pixels of all frames."""
    @property
    def frame_sizes(self) -> list[tuple[int, int]]:
        """The different (rows, columns) of frames."""
    @property
    def is_countable(self) -> bool:
        """Whether `slices` and `voxels` count all objects.

        This is so if every image has the size and the number of its frames, and every object without pixel data is complete.
        """
    @property
    def has_too_many_frames(self) -> bool:
        """Whether the headers state more frames than a series may have; then no frame is known.

        The limit is half a million (2^19), and one more for each 4096 bytes of the files.
        """
    @property
    def truncated_files(self) -> list[Path]:
        """Files with a damaged header, and files that end before their pixel data do.

        Also images without pixel data, if other objects of their SOP class have pixel data.
        """
    @property
    def has_mosaic(self) -> bool:
        """Whether some object is a mosaic."""
    @property
    def series_number(self) -> int | None:
        """SeriesNumber of the first object that has one."""
    def acquired_stacks(self) -> AcquiredStacks:
        """Return what was scanned: stacks of slices with their volumes, and details of the first image's header.

        Without images, the details are those of the first file. Raises OSError when that file cannot be read again.
        """
    def compare(self, images: Sequence[str], repeats_frames: Sequence[bool]) -> Comparison:
        """Compare uncompressed NIfTI images with the frames: position, count, order, and the values of four rows of each frame.

        All rows are compared if the pixel encoding differs within the series. `repeats_frames` says for each image whether it
        repeats frames of the others. Raises OSError when a file cannot be read or is not NIfTI.
        """

def gzip_file(source: str, out: str, *, level: int = 0, monitor: Monitor | None = None) -> tuple[int, str]:
    """Write a file as one gzip member without name and time; return (size, SHA-256) of the written file, which is not synced.

    `level` is 0 (default) or 1 (fast) to 9 (small). The hash is that of the bytes passed to the file system, so that a later read
    can detect write errors.
    """

def hash_file(path: str, *, monitor: Monitor | None = None) -> tuple[int, str]:
    """Return (size, SHA-256) of a file."""

def hash_gzip_content(
    path: str, *, refuse_foreign_bytes: bool = False, monitor: Monitor | None = None
) -> tuple[int, str]:
    """Return (size, SHA-256) of the decompressed content of a gzip file.

    Raises ValueError when the file is damaged, or with `refuse_foreign_bytes` when it has bytes that `gzip_file` does not write:
    another header, or more members.
    """

def gzip_content_size_and_head(path: str, head: int, *, monitor: Monitor | None = None) -> tuple[int, bytes]:
    """Return the size of a gzip file's content and its first `head` bytes, at most 1 MiB. Reads to the end, checks the checksum.

    Raises ValueError when it is damaged.
    """

def hash_tar_gz_members(
    path: str, *, refuse_foreign_bytes: bool = False, monitor: Monitor | None = None
) -> list[tuple[str, int, str]]:
    """Return (name, size, SHA-256) of each file in a tar.gz. The names are escaped as paths in the ledger are.

    Raises ValueError when the tar.gz is damaged, or with `refuse_foreign_bytes` when `pack_folder` does not write such bytes or
    this order of members.
    """
