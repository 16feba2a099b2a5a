"""The types that pass from stage to stage. All are frozen; paths are Path, choices are enums."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from qxbatch.problems import Problem

if TYPE_CHECKING:  # facts are for runs that import: --help passes through this module
    from qxbatch.acquisition import Acquisition, SeriesVerdict

_COMMAND_LINES = ("dcm2niix ", "dcm2nii ", "dicm2nii ", "nibabel ", "exit status: ", "stopped: ")
Value = str | int | float | list[str] | list[int] | list[float] | None
"""A header field: see `Header.get` in qxbatch/_core.pyi."""


@dataclass(frozen=True)
class SessionId:
    """A session as the study names it."""

    subject: str
    session: str | None = None
    folder: str = ""
    """The session folder's name where it is not made of subject and session: in folder mode, of a packet named as in
    BIDS, and of a packet that is split."""

    @property
    def id(self) -> str:
        """The folder's name: subject, or subject_session."""
        if self.folder:
            return self.folder
        return self.subject if self.session is None else f"{self.subject}_{self.session}"


@dataclass(frozen=True)
class Fingerprint:
    """What tells that a packet changed while it was read: files, bytes, and the newest modification time in ns."""

    files: int
    size: int
    mtime_ns: int
    marks: int = 0
    """Sum of the checksums of each file's name, size and time, in a folder."""
    inodes: int = field(default=0, compare=False)
    """Inode of a file, or a sum over the inodes of what a folder contains. Some file systems change inodes, and so does
    a restored copy: a difference means no change, but that the bytes have to be compared."""
    ctimes: int = field(default=0, compare=False)
    """The same for the times at which the file system itself last changed the inodes."""


@dataclass(frozen=True)
class Packet:
    """A folder, archive or file that waits to be imported."""

    path: Path
    name: str
    """What the pattern's group `packet_name` found."""
    fingerprint: Fingerprint


class Verdict(StrEnum):
    """What is to be done with a thing found in the inbox."""

    READY = "ready"
    NO_MATCH_IN_LOG = "no match in the log"
    NO_NAME = "no packet name found"
    NOT_PARSED = "name not parsed"
    ALREADY_THERE = "already there"
    FILTERED = "filtered out"
    STRAY = "stray"
    REFUSED = "refused"


@dataclass(frozen=True)
class Candidate:
    """A thing found in the inbox (or, in folder mode, a session folder), and what is to be done with it."""

    path: Path
    verdict: Verdict
    packet: Packet | None = None
    session: SessionId | None = None
    note: str = ""
    """Why, where the verdict alone does not say it."""
    problem: Problem | None = None
    """Set for REFUSED."""


class SeriesKind(StrEnum):
    """Where a series comes from."""

    DICOM = "dicom"
    PARREC = "parrec"


@dataclass(frozen=True)
class SeriesPart:
    """A part of a joined series: a series by its own UIDs and SeriesNumber."""

    study_uid: str
    series_uid: str
    number: int | None
    groups: tuple[int, ...]
    """Indexes of the core's groups."""


@dataclass(frozen=True)
class Series:
    """A series under its number. `header` holds DICOM keywords; for a PAR/REC the same keywords filled from the PAR."""

    n: int
    """Ten times the series number, or the free number it was given (docs/numbers.md)."""
    kind: SeriesKind
    header: Mapping[str, Value]
    files: int
    size: int
    folder: Path
    """Where its files lie now (staging), under their final names."""
    groups: tuple[int, ...] = ()
    """Indexes of the core's groups."""
    parts: tuple[SeriesPart, ...] = ()
    """Of a joined series, the first part first."""


class State(StrEnum):
    """The result of a conversion, judged by its outputs and not by the exit status alone."""

    CONVERTED = "converted"
    PARTIAL = "partial"
    NOTHING = "nothing to convert"
    FAILED = "failed"
    NOT_ASKED = "not converted"
    """The run was to sort only."""


@dataclass(frozen=True)
class Output:
    """One NIfTI image as the converter left it, not yet named or compressed."""

    nifti: Path
    """Uncompressed .nii"""
    suffix: str
    """What the converter put behind the number (`_e1`, `_ph`, ...), without a clash letter; may be empty."""
    sidecars: Mapping[str, Path]
    """Extension (`json`, `bval`, `bvec`) to file."""
    label: str = ""
    """The converter's name without clash letters, where the suffix alone does not order images."""


@dataclass(frozen=True)
class Conversion:
    """What became of one series."""

    series: Series
    state: State
    tool: str
    """Name and version of what converted it, for example `dcm2niix 1.0.20260724`."""
    outputs: tuple[Output, ...] = ()
    """In byte order of the names the converter gave."""
    log: str = ""
    """Command, exit status, and all it printed."""
    problems: tuple[Problem, ...] = ()
    truncated: tuple[str, ...] = ()
    """Names of its files that end before their pixel data do."""
    verdict: "SeriesVerdict | None" = None
    acquisition: "Acquisition | None" = None
    """None where nothing was read of its images."""

    @property
    def commands(self) -> tuple[str, ...]:
        """Return the lines of the log that say what was run and how it ended."""
        return tuple(line for line in self.log.splitlines() if line.startswith(_COMMAND_LINES))


@dataclass(frozen=True)
class Image:
    """A NIfTI image under its final number."""

    number: int
    n: int
    """The series'."""
    k: int
    of: int
    """It is image k of so many."""
    name: str
    """As in session.txt."""
    info: tuple[tuple[str, str], ...]
    """The chosen JSON fields as they stand in session.txt, for example ("TR", "2")."""
    shape: tuple[int, ...]
    files: tuple[str, ...]
    """Relative to the session folder, the .nii.gz first."""


class SeriesLabel(NamedTuple):
    """What a person calls a series, and its images."""

    n: int
    number: int | None
    """SeriesNumber: the scanner's."""
    description: str
    images: tuple[int, ...] = ()


@dataclass(frozen=True)
class SessionReport:
    """What became of one session, for the summary, the report and the exit status."""

    packet: str
    """Names of the packets, comma-separated."""
    session: SessionId | None
    folder: Path | None
    """The session folder when it was published."""
    problems: tuple[Problem, ...] = ()
    series: int = 0
    images: int = 0
    seconds: float = 0.0
    archived: Path | None = None
    unit: str = ""
    """The session id under which its packets were imported together."""
    labels: tuple[SeriesLabel, ...] = ()
    """Of its series."""


@dataclass(frozen=True)
class Report:
    """What became of a run."""

    candidates: tuple[Candidate, ...] = ()
    sessions: tuple[SessionReport, ...] = field(default=())
