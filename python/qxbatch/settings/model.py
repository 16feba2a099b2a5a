"""The typed settings of a run, parsed from text by qxbatch.settings.parse."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qxbatch.protocol.model import Protocol
    from qxbatch.settings.scheduler import SchedulerSpec


class Archive(StrEnum):
    """What to do with a packet whose session is written and verified."""

    MOVE = "move"
    COPY = "copy"
    LEAVE = "leave"
    DELETE = "delete"


class Check(StrEnum):
    """What to do before the import: ask (yes), continue (no), require at least one ready packet (any)."""

    YES = "yes"
    NO = "no"
    ANY = "any"


class Gzip(StrEnum):
    """How the DICOM of a series is stored: one tar.gz for the series, a .gz for each file, or unchanged."""

    FOLDER = "folder"
    FILE = "file"
    NO = "no"


class Tool(StrEnum):
    """The converter; `auto` chooses one for each series."""

    AUTO = "auto"
    DCM2NIIX = "dcm2niix"
    DCM2NII = "dcm2nii"
    DICM2NII = "dicm2nii"


class OnMixed(StrEnum):
    """How to handle a packet of more than one patient: refuse it, make one session, or one for each patient."""

    REJECT = "reject"
    MERGE = "merge"
    SPLIT = "split"


class OnSameSession(StrEnum):
    """What to do with several packets of one session: refuse them all, or make one session of them."""

    REJECT = "reject"
    MERGE = "merge"


class JoinSeries(StrEnum):
    """Whether the parts of one scan that have different UIDs or numbers become one series."""

    AUTO = "auto"
    NEVER = "never"


class Stages(StrEnum):
    """Which stages of the import a run does; the value is the verb of messages: `to sort it again`."""

    ALL = "import"
    SORT = "sort"
    """DICOM is sorted, nothing is converted."""
    CONVERT = "convert"
    """The sorted DICOM of a session is read again and converted; its inbox is not changed."""

    @property
    def participle(self) -> str:
        """Return the participle of the verb: `imported`, `sorted` or `converted`."""
        return f"{self}ed"

    @property
    def third_person(self) -> str:
        """Return the verb with an `s`: `imports`, `sorts` or `converts`."""
        return f"{self}s"


class OnDamaged(StrEnum):
    """How to handle a damaged packet: refuse it, or import the readable files."""

    REFUSE = "refuse"
    KEEP = "keep"


@dataclass(frozen=True)
class LogfileSpec:
    """A table that turns packet names into sessions. A column is a 1-based number or a header name."""

    path: Path
    packet_name: int | str
    subject_id: int | str
    session_name: int | str | None = None
    """None: the table names no sessions."""


@dataclass(frozen=True)
class Passwords:
    """Passwords for encrypted packets. Only the path is ever printed or written."""

    path: Path
    words: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """Everything a run depends on. Folders are absolute."""

    sessionsfolder: Path
    """The folder of session folders."""
    masterinbox: Path | None
    """The folder of packets; None is folder mode: the data are in `<session>/inbox`."""
    archive_folder: Path
    """The folder of archived packets: `<sessionsfolder>/archive/MR`."""
    sessions: tuple[str, ...]
    """Inbox mode: regular expressions for session ids or packet names, all if empty. Folder mode: globs for folder names."""
    check: Check
    pattern: re.Pattern[str]
    """Finds the packet name in a file name: its group `packet_name`, or `session_id`, the older name of this group."""
    nameformat: re.Pattern[str]
    """Finds `subject_id` and, if it has this group, `session_name` in a packet name."""
    logfile: LogfileSpec | None
    """The table that names the session of each packet (not the log, `log_file`); None: `nameformat` gives it."""
    tool: Tool
    fallback: Tool | None
    """The converter to use if `tool` is missing; None: then the run stops."""
    dicm2nii_dir: Path | None
    """The folder of an installed dicm2nii; None: its usual places are searched."""
    parelements: int
    """Maximum number of converter processes at once."""
    n_procs: int
    """Maximum number of threads and child processes at once, all together."""
    mem: int | None
    """Bytes the run should stay below, converters included; None: no bound."""
    archive: Archive
    """What to do with a packet whose session is verified; the folder is `archive_folder`."""
    add_image_type: int
    """How many of the last ImageType labels are added to a name."""
    add_json_info: tuple[str, ...]
    """Those of TR, PEDirection, EchoSpacing, DwellTime and ReadoutDirection that are wanted, in this order."""
    unzip: bool
    """Whether DICOM files that are gzipped one by one are unpacked."""
    gzip: Gzip
    gzip_level: int
    """1 (fast) to 9 (small); 0: the core chooses one for DICOM and one for images."""
    verbose: bool
    """Whether packets that are not ready are listed and not only counted."""
    overwrite: bool
    """Whether a session that has results is imported again."""
    test: bool
    """Whether the run ends after its plan is printed."""
    on_mixed: OnMixed
    on_same_session: OnSameSession
    on_damaged: OnDamaged
    join_series: JoinSeries
    max_expansion: int
    """Largest allowed ratio of unpacked to packed bytes of one archive."""
    max_total: int
    """Bytes that the packets of one session may unpack to."""
    max_members: int
    """Members that the packets of one session may have, including those of archives inside them."""
    max_nesting: int
    """Depth down to which archives inside archives are opened."""
    passwords: Passwords | None
    """None without --password-file."""
    timeout: float | None
    """Seconds that one conversion may take; None: the limit depends on the size of the series."""
    settle: float
    """A packet that changed less than this many seconds ago waits."""
    participant_labels: tuple[str, ...]
    """Only these subjects (without `sub-`); empty: all."""
    session_labels: tuple[str, ...]
    """Only these session names (without `ses-`); empty: all."""
    work_dir: Path | None
    """The folder of unpacked files and of converters' output; None: `.qxbatch` of the sessions folder."""
    path_map: tuple[tuple[Path, Path], ...]
    """Pairs (folder here, folder outside of the container) for the paths that session.txt names."""
    deidentify_logs: bool
    """See `deidentified`."""
    quiet: bool
    """Whether only warnings and errors are printed."""
    list_all: bool
    """Whether lists are complete and not shortened to counts."""
    log_file: Path | None
    """The log of the run (not the table, `logfile`); None: there is no log."""
    json_file: Path | None
    """The file of the run's summary; None: it is not written."""
    bids_app: bool = False
    """Whether the BIDS-App form was used, in which `archive` defaults to leave."""
    reads_bids_names: bool = False
    """Whether names such as `sub-105_ses-1` are read as BIDS names: in the BIDS-App form, unless the user gives another rule."""

    @property
    def deidentified(self) -> bool:
        """Return whether the session id replaces patients' ids and names in outputs (docs/guarantees.md says in which)."""
        return self.logfile is not None or self.deidentify_logs

    command_line: tuple[tuple[str, str], ...] = ()
    """Parameters of the command line with their values as written, which `settings/command.py` repeats."""
    stages: Stages = Stages.ALL
    """Set by commands that run only some stages."""
    protocol: "Protocol | None" = None
    """The protocol that each imported session is compared with."""
    scheduler: "SchedulerSpec | None" = None
    """The cluster to which the import is submitted; None: it runs in this process."""
    container: Path | None = None
    """The image in which the jobs of a cluster run."""
    wait: bool = False
    """Whether the run follows the submitted jobs until they end."""
    print_script: bool = False
    """Whether the script that submits the jobs is printed, and nothing is submitted."""
    gzip_as_found: bool = False
    """Whether a session's DICOM stays packed as it is, regardless of `gzip`."""
