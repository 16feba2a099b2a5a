"""The types that pass from stage to stage: immutable values, and enums for choices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from qxbatch.problems import Problem

if TYPE_CHECKING:  # only annotations name these types
    from qxbatch.acquisition import Acquisition, SeriesVerdict

_COMMAND_PREFIXES = ("dcm2niix ", "dcm2nii ", "dicm2nii ", "nibabel ", "exit status: ", "stopped: ")
"""Beginnings of the lines that `Conversion.commands` returns."""
Value = str | int | float | list[str] | list[int] | list[float] | None
"""A header field: see `Header.get` in qxbatch/_core.pyi."""


class HeaderLike(Protocol):
    """A header of the core, or a mapping of DICOM keywords."""

    def get(self, field: str, /) -> Value:
        """Return one field's value; None when absent. A header of the core raises KeyError for a field that it does not read."""


@dataclass(frozen=True)
class SessionId:
    """A session as the study names it."""

    subject: str
    session: str | None = None
    folder: str = ""
    """The session folder's name if it does not follow from subject and session, such as a BIDS name; else empty."""

    @property
    def id(self) -> str:
        """The name of the session folder: `folder` if it is set, else subject or subject_session."""
        if self.folder:
            return self.folder
        return self.subject if self.session is None else f"{self.subject}_{self.session}"


@dataclass(frozen=True)
class Fingerprint:
    """Values that change when a packet changes. `size` is in bytes, `mtime_ns` the newest modification time."""

    files: int
    size: int
    mtime_ns: int
    marks: int = 0
    """For a folder, the sum of checksums (CRC-32) of the path, size and modification time of each entry below it."""
    inodes: int = field(default=0, compare=False)
    """Inode of a file, or the sum of the inodes below a folder. Some file systems change inodes, and a restored copy has other
    ones. So different inodes do not show a change: the bytes are compared."""
    ctimes: int = field(default=0, compare=False)
    """The change time of the inode in ns, or the sum of these times below a folder. It is used like `inodes`."""


@dataclass(frozen=True)
class Packet:
    """A folder, archive or file that waits to be imported."""

    path: Path
    packet_name: str
    """What `--pattern` finds in the file name. In folder mode (`--masterinbox=none`), the name of the session folder; for an
    archive in a session's inbox, the file name."""
    fingerprint: Fingerprint


class Verdict(StrEnum):
    """What is done with an entry of the inbox, or why it is not imported."""

    READY = "ready"
    NO_MATCH_IN_LOGFILE = "no match in the log"
    NO_NAME = "no packet name found"
    NOT_PARSED = "name not parsed"
    ALREADY_THERE = "already there"
    FILTERED = "filtered out"
    """No option selects it, or it changed less than `--settle` seconds ago."""
    STRAY = "stray"
    """It is no packet."""
    REFUSED = "refused"


@dataclass(frozen=True)
class Candidate:
    """An entry of the inbox and its verdict; in folder mode and in `qxbatch convert`, a session folder."""

    path: Path
    verdict: Verdict
    packet: Packet | None = None
    """Set if it is or was READY: a recovery that finishes or refuses the import changes the verdict and keeps the packet.

    None for other candidates, and if the import of the packet ran on a cluster.
    """
    session: SessionId | None = None
    """None if its name gives no session. Also None for an entry of an inbox that is no packet."""
    note: str = ""
    """Remarks, and the reason if the verdict alone does not say it."""
    problem: Problem | None = None
    """Set for REFUSED, unless the reason is an interrupted import that cannot be finished: its SessionReport has the problem."""


class SeriesKind(StrEnum):
    """The format of a series' files."""

    DICOM = "dicom"
    PARREC = "parrec"


@dataclass(frozen=True)
class SeriesPart:
    """A part of a joined series: files with the same UIDs and SeriesNumber."""

    study_uid: str
    series_uid: str
    number: int | None
    groups: tuple[int, ...]
    """Indexes into the groups of the Rust core (`Group` in qxbatch/_core.pyi) with the files."""


@dataclass(frozen=True)
class Series:
    """A series with its number. `header` contains DICOM keywords, for a PAR/REC with the values of the PAR."""

    n: int
    """Ten times the SeriesNumber, or another unused number (docs/numbers.md)."""
    kind: SeriesKind
    header: Mapping[str, Value]
    files: int
    """Number of its files."""
    size: int
    """Bytes of its files."""
    folder: Path
    """The folder (in staging) with its files, which have their final names."""
    groups: tuple[int, ...] = ()
    """As in SeriesPart."""
    parts: tuple[SeriesPart, ...] = ()
    """The parts of a joined series in order; empty for other series."""


class State(StrEnum):
    """The result of a conversion, judged by its outputs and not by the exit status alone."""

    CONVERTED = "converted"
    PARTIAL = "partial"
    NOTHING = "nothing to convert"
    FAILED = "failed"
    NOT_REQUESTED = "not converted"
    """The run only sorts."""


@dataclass(frozen=True)
class Output:
    """One NIfTI image as the converter wrote it, before it is renamed and compressed."""

    nifti: Path
    """Uncompressed .nii"""
    suffix: str
    """What tells the images of a series apart, mostly a suffix that the converter added to the number (`_e1`, `_ph`); may be empty.
    It does not contain a clash letter: the letter that dcm2niix adds if the name is already used (qxbatch.convert.naming)."""
    sidecars: Mapping[str, Path]
    """Extension (`json`, `bval`, `bvec`) to file."""
    label: str = ""
    """The converter's file name without clash letters, if the suffix alone does not order the images."""


@dataclass(frozen=True)
class Conversion:
    """The result of converting one series, or of sorting it only."""

    series: Series
    state: State
    tool: str
    """Name and version of the converter, for example `dcm2niix 1.0.20260724`; empty if none was run."""
    outputs: tuple[Output, ...] = ()
    """In the order of their numbers (qxbatch.convert.order)."""
    log: str = ""
    """Command, output and exit status of the converter, or why it was stopped or not run; empty if the series was only sorted."""
    problems: tuple[Problem, ...] = ()
    truncated_files: tuple[str, ...] = ()
    """Names of files of the series that are cut short or have a damaged header (`SeriesFrames.truncated_files`)."""
    verdict: "SeriesVerdict | None" = None
    """None, like `acquisition`, if no header was read."""
    acquisition: "Acquisition | None" = None

    @property
    def commands(self) -> tuple[str, ...]:
        """Return the lines of the log with commands, and with exit statuses or why the converter was stopped."""
        return tuple(line for line in self.log.splitlines() if line.startswith(_COMMAND_PREFIXES))


@dataclass(frozen=True)
class Image:
    """A NIfTI image with its final number."""

    number: int
    n: int
    """Number of its series."""
    k: int
    of: int
    """It is image `k` of `of` images of its series."""
    name: str
    """As in session.txt."""
    info: tuple[tuple[str, str], ...]
    """The configured JSON fields as in session.txt, for example ("TR", "2")."""
    shape: tuple[int, ...]
    files: tuple[str, ...]
    """Relative to the session folder, the .nii.gz first."""


class SeriesLabel(NamedTuple):
    """SeriesNumber, description and images of a series, for messages."""

    n: int
    """Its number in the session (`Series.n`)."""
    number: int | None
    """SeriesNumber: the scanner's."""
    description: str
    images: tuple[int, ...] = ()
    """The numbers of its images."""


@dataclass(frozen=True)
class SessionReport:
    """The result of one session, for the summary, the report and the exit status."""

    packet: str
    """File names of the packets, comma-separated; the session id in folder mode, or if they are not known."""
    session: SessionId | None
    """None if it is not known, for example for a packet that a killed run left under a hidden name."""
    folder: Path | None
    """The session folder; None if it was not published."""
    problems: tuple[Problem, ...] = ()
    series: int = 0
    """Number of its series."""
    images: int = 0
    """Number of its images."""
    seconds: float = 0.0
    """How long its import took."""
    archived: Path | None = None
    """Where the first archived packet, or the copy of it, is now; with `--archive=leave`, where the packet is.

    None if all packets were deleted or not archived."""
    unit: str = ""
    """The name of its unit (`Unit.name`), also if an interrupted import of the unit could not be finished.

    Empty if this run finished such an import, or if the unit is not known."""
    labels: tuple[SeriesLabel, ...] = ()
    """Labels of its series."""


@dataclass(frozen=True)
class Report:
    """The result of a run."""

    candidates: tuple[Candidate, ...] = ()
    sessions: tuple[SessionReport, ...] = ()
