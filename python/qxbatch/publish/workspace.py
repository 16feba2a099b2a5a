"""The hidden folder `.qxbatch` in the sessions folder: staging, journals and locks of running imports.

It is on the file system of the sessions, so that publishing is a rename. Between runs it contains at most the state of cluster
jobs, the record of BIDS exports (`study/exports.py`), and what unfinished imports left. Everybody who may write to the sessions
folder may write here too. So names in it are checked, and folders that are links are refused.
"""

import contextlib
import errno
import os
import re
import time
from pathlib import Path

from qxbatch.discover.own_names import WORKSPACE
from qxbatch.publish.below import opened_below, remove_below, remove_empty_below
from qxbatch.publish.durable import make_folder
from qxbatch.publish.folder_identity import FolderIdentity
from qxbatch.publish.plain_files import (
    InTheWayError,
    LinkError,
    clear_path,
    entry_exists,
    is_plain_name,
    refuse_link,
    refuse_non_folder,
)
from qxbatch.publish.scratch import SCRATCH_RECORD, make_scratch, recorded_scratch, remove_scratch, scratch_name
from qxbatch.session.layout import ARCHIVED_PACKETS, MASTER_INBOX, SESSION_FOLDERS, SESSION_TXT
from qxbatch.session.paths import SessionPaths
from qxbatch.textfile import create_text

_RUN = "[0-9a-f]{16}"
JOBS = "jobs"
"""In the hidden folder: the state of submissions to a cluster (qxbatch.cluster.submission)."""
EXPORTS = "bids.json"
"""In the hidden folder: the record of exports to BIDS (qxbatch.study.exports)."""


class Workspace:
    """Paths below `<sessionsfolder>/.qxbatch`, for one run.

    A unit is the packets that are imported together. Its name, the parameter `unit`, is the session id that their names give,
    also if they are split into several sessions. Each run has a separate staging folder for each unit, so two runs never write
    to the same one, even if one of them lost its lock without noticing.
    """

    def __init__(
        self, sessionsfolder: Path, work_dir: Path | None = None, masterinbox: Path | None = None, run: str = ""
    ) -> None:
        self.sessionsfolder = sessionsfolder
        self.archive_folder = sessionsfolder / ARCHIVED_PACKETS
        """The folder of archived packets."""
        self.inboxes = (sessionsfolder / MASTER_INBOX, *([] if masterinbox is None else [masterinbox]))
        """The folders of packets: the default one and, if given, that of the user."""
        self._study = _study_digits(sessionsfolder)
        self.run = run or f"{self._study}{os.urandom(4).hex()}"
        """16 hex digits that are unique to this run: part of the names of its staging folders and temporary files.

        The first 8 are the same for all runs of a study. A run ends the converters that a killed run left, which it recognises by
        the digits of that run in the path of their HOME (qxbatch.publish.orphans). So it ends no converter of another study,
        whatever is in `.qxbatch`.
        """
        self.top = sessionsfolder / WORKSPACE
        """The hidden folder."""
        self.locks_folder = self.top / "locks"
        self.journals_folder = self.top / "journal"
        self.staging_top = self.top / "work"
        """Staging: a folder for each unit, and in it one for each run."""
        self.numbers_path = self.top / "numbers.json"
        """Folder mode (`--masterinbox=none`): the numbers that running imports chose for names in the archive.

        qxbatch.archive.stored_numbers reads and writes them."""
        self.temporary_numbers_path = self.numbers_path.with_name(f"{self.numbers_path.name}.new")
        """The temporary file for these numbers."""
        self._work_dir = work_dir
        self.started_at = time.time()
        """When the run started, in seconds since 1970."""

    @property
    def has_remains(self) -> bool:
        """Whether the hidden folder exists, unless it contains only the state of cluster jobs and the record of exports."""
        try:
            names = frozenset(os.listdir(self.top))  # noqa: PTH208 - names, not paths
            return self.top.is_symlink() or not names or not names <= {JOBS, EXPORTS}
        except FileNotFoundError:
            return False
        except OSError:
            return True

    @property
    def folder_identity(self) -> FolderIdentity:
        """The path of the sessions folder with the id of its file system: they show whether a study was copied. Raises OSError."""
        return FolderIdentity.of(self.sessionsfolder)

    def has_remains_of(self, unit: str) -> bool:
        """Return whether a unit has staging or a journal; False for a path, which is the name of no unit."""
        return is_plain_name(unit) and any(map(entry_exists, (self.unit_folder(unit), self.journal_path(unit))))

    def of_run(self, run: str) -> "Workspace":
        """Return the workspace of another run in the same sessions folder, without --work-dir."""
        return Workspace(self.sessionsfolder, masterinbox=self.inboxes[-1], run=run)

    def refuse_non_folders(self) -> None:
        """Raise OSError if the hidden folder, or one of its folders, is a link, which may lead anywhere, or is not a folder."""
        for folder in (self.top, self.locks_folder, self.journals_folder, self.staging_top):
            refuse_non_folder(folder)

    def unit_folder(self, unit: str) -> Path:
        """Return the folder of all staging folders of a unit. Raises OSError if the unit is a path, which can lead elsewhere."""
        return self.staging_top / _checked(unit)

    def staging(self, unit: str) -> Path:
        """Return this run's staging folder of a unit."""
        return self.unit_folder(unit) / self.run

    def hidden_name_tag(self, unit: str) -> str:
        """Return the 16 hex digits of this run and unit in hidden names outside of this folder (`tag` of `hidden_name`)."""
        import hashlib

        return hashlib.sha256(f"{self.run}/{unit}".encode("utf-8", "surrogateescape")).hexdigest()[:16]

    def build_folder(self, unit: str, session: str) -> Path:
        """Return the folder in which a session is built before it is published."""
        return self.staging(unit) / "build" / session

    def scratch(self, unit: str) -> Path:
        """Return the folder for the unpacked files of a packet and the output of converters.

        It needs about three times the packet's unpacked size. With --work-dir, it is in that folder, and its path is recorded in
        staging, so that the next run can remove it, even with another --work-dir.
        """
        if self._work_dir is None:
            return self.staging(unit) / "scratch"
        return self._work_dir / scratch_name(unit, self.run)

    def clear_and_make_scratch(self, unit: str) -> Path:
        """Remove the remains of all runs for a unit, whose lock this run holds; return a new scratch folder of this run.

        Raises OSError, also if one of the folders is a link.
        """
        self.clear_all_runs(unit)
        scratch = self.scratch(unit)
        make_folder(self.staging(unit))
        if self._work_dir is None:
            make_folder(scratch)
            return scratch
        with create_text(self.staging(unit) / SCRATCH_RECORD) as file:
            file.write(str(scratch))
        make_scratch(scratch, self.run)
        return scratch

    def session_paths(self, session: str) -> SessionPaths:
        """Return the paths of a session folder."""
        return SessionPaths(self.sessionsfolder / session)

    def refuse_linked_paths(self, unit: str, session: str) -> None:
        """Raise OSError if a path that an exchange renames is a link, or is in a folder that is one.

        A replaced session may contain links. They are moved as links.
        """
        build, old = self.build_folder(unit, session), self.replaced_files_folder(unit, session)
        target = self.session_paths(session)
        parts = [build / name for name in (SESSION_TXT, *SESSION_FOLDERS)]
        for path in (
            self.unit_folder(unit),
            self.staging(unit),
            build.parent,
            build,
            *parts,
            old.parent,
            old,
            target.folder,
        ):
            refuse_link(path)

    def replaced_files_folder(self, unit: str, session: str) -> Path:
        """Return the folder to which an exchange moves the replaced folders and files of a session."""
        return self.staging(unit) / "old" / session

    def removal_list_path(self, unit: str) -> Path:
        """Return the path of the list of files to remove from a session's inbox."""
        return self.staging(unit) / "taken.tsv"

    def journal_path(self, unit: str) -> Path:
        """Return the path of a unit's journal; it exists while sessions are published. Raises OSError if the unit is a path."""
        return self.journals_folder / f"{_checked(unit)}.json"

    def has_journal(self, unit: str) -> bool:
        """Return whether a unit has a journal. Raises OSError, also if that cannot be known."""
        return entry_exists(self.journal_path(unit))

    def temporary_journal_path(self, unit: str) -> Path:
        """Return the path of the temporary file for the journal of this run. Raises OSError if the unit is a path."""
        return self.journals_folder / f"{_checked(unit)}.{self.run}.new"

    def units(self) -> list[str]:
        """Return the names of the units with staging of any run, dead or alive. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(entry.name for entry in os.scandir(self.staging_top))
        return []

    def is_of_study(self, run: str) -> bool:
        """Return whether `run` has the form of the digits of a run of this study; the run need not exist."""
        return run.startswith(self._study) and re.fullmatch(_RUN, run) is not None

    def runs(self, unit: str) -> list[str]:
        """Return the digits of the runs of this study with staging of a unit. Raises OSError."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if not self.unit_folder(unit).is_symlink():
                return sorted(
                    entry.name for entry in os.scandir(self.unit_folder(unit)) if self.is_of_study(entry.name)
                )
        return []

    def units_with_journal(self) -> list[str]:
        """Return the names of the units that have a journal. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(path.stem for path in self.journals_folder.iterdir() if path.suffix == ".json")
        return []

    def clear(self, unit: str) -> None:
        """Remove this run's staging and scratch folder of a unit, and the temporary file of its journal. Raises OSError.

        A link in place of the folder of journals is not followed: the file of this run is not there.
        """
        temporary_journal = self.temporary_journal_path(unit)
        with (
            contextlib.suppress(FileNotFoundError, LinkError),
            opened_below(self.journals_folder, self.sessionsfolder) as journals,
        ):
            (journals.descriptor_path / temporary_journal.name).unlink()
        scratch = recorded_scratch(self.staging(unit), unit, self.run)
        if scratch is not None and self.is_of_study(self.run):
            remove_scratch(scratch, self.run)
        remove_below(self.staging(unit), self.sessionsfolder)
        remove_empty_below(self.unit_folder(unit), self.sessionsfolder)

    def clear_all_runs(self, unit: str) -> None:
        """Remove the remains of all runs for a unit, except its journal. The caller holds its lock, so no other run works on it.

        Raises OSError, also if a folder in the hidden folder is a link.
        """
        self.refuse_non_folders()
        folder = self.unit_folder(unit)
        if folder.is_symlink() or not folder.is_dir():
            remove_below(folder, self.sessionsfolder)
        for run in self.runs(unit):
            self.of_run(run).clear(unit)
        if folder.is_dir():
            remove_below(folder, self.sessionsfolder)  # what is left is not staging of a run of this study
        with (
            contextlib.suppress(FileNotFoundError),
            opened_below(self.journals_folder, self.sessionsfolder) as journals,
        ):
            for path in journals.descriptor_path.iterdir():
                # `<unit>.<run>.new`; older versions of qxbatch wrote `<unit>.json.new`
                if re.fullmatch(rf"{re.escape(unit)}\.({_RUN}|json)\.new", path.name):
                    with contextlib.suppress(InTheWayError):  # no run writes to this name again
                        clear_path(path)

    def tidy(self) -> None:
        """Remove the folders of locks, staging and journals, then the hidden folder, in this order; stop at one that is not empty.

        So while a lock is held, nothing is removed.
        """
        with contextlib.suppress(OSError):
            for folder in (self.locks_folder, self.staging_top, self.journals_folder):
                if folder.exists():
                    folder.rmdir()
            if self.top.exists():
                self.top.rmdir()


def _checked(unit: str) -> str:
    """Return the name of a unit. Raises OSError if it is a path."""
    if not is_plain_name(unit):
        raise OSError(errno.EINVAL, "is a path and not the id of a session", unit)
    return unit


def _study_digits(sessionsfolder: Path) -> str:
    """Return 8 hex digits from the inode of the sessions folder, whose path may differ in containers and on other hosts."""
    try:
        inode = sessionsfolder.stat().st_ino
    except OSError:
        inode = 0
    return f"{(inode ^ inode >> 32) % (1 << 32):08x}"
