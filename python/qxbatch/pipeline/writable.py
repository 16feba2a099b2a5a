"""Checks before a run whether its folders can be written."""

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from qxbatch.exits import ExitStatus
from qxbatch.model import Candidate
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.session.contents import is_imported
from qxbatch.session.layout import REPLACED_FOLDER, SESSION_FOLDERS
from qxbatch.settings.model import Archive, Settings


def need_writable(settings: Settings, ready: Sequence[Candidate] = ()) -> None:
    """Raise UsageError (exit status 73) if a folder of the run, or one that `ready` packets must leave, cannot be written.

    Raises UsageError (exit status 64) if --work-dir is in the master inbox, the archive, or a folder of a session.
    """
    _need_folder(settings.sessionsfolder, "the sessions folder", "Give a folder you may write to.")
    if settings.work_dir is not None:
        _need_folder(_nearest_existing(settings.work_dir), "--work-dir", "Give a folder you may write to.")
        _refuse_work_dir_among_files(settings, settings.work_dir)
    if settings.archive in (Archive.MOVE, Archive.COPY):
        hint = "Use --archive=leave, or make it writable."
        _need_folder(_nearest_existing(settings.archive_folder), f"the archive (--archive={settings.archive})", hint)
    if settings.overwrite and any(_replaces(settings, candidate) for candidate in ready):
        folder = _nearest_existing(settings.archive_folder.parent / REPLACED_FOLDER)
        hint = "Files that only a replaced session has are moved to it. Make it writable, or do not use --overwrite."
        _need_folder(folder, "the folder of replaced files", hint)
    if settings.archive not in (Archive.MOVE, Archive.DELETE):
        return
    for folder in sorted({candidate.path.parent for candidate in ready}):
        hint = "Use --archive=leave or --archive=copy, or make it writable."
        _need_folder(folder, f"the packets' folder (--archive={settings.archive})", hint)


def _replaces(settings: Settings, candidate: Candidate) -> bool:
    """Return whether the import of a candidate replaces a session, as far as this is known before its packet is read."""
    return candidate.session is not None and is_imported(settings.sessionsfolder / candidate.session.id)


def _refuse_work_dir_among_files(settings: Settings, work_dir: Path) -> None:
    """Raise UsageError if temporary files would be in the master inbox, in the archive, or in a folder of a session."""
    real = Path(os.path.realpath(work_dir))
    excluded_folders = [(settings.masterinbox, "the master inbox"), (settings.archive_folder, "the archive")]
    sessions = Path(os.path.realpath(settings.sessionsfolder))
    if (
        real.is_relative_to(sessions)
        and (parts := real.relative_to(sessions).parts)[1:2]
        and parts[1] in SESSION_FOLDERS
    ):
        excluded_folders.append((settings.sessionsfolder.joinpath(*parts[:2]), "a folder of a session,"))
    for folder, what in excluded_folders:
        if folder is not None and real.is_relative_to(os.path.realpath(folder)):
            raise UsageError(
                f"--work-dir={work_dir} is in {what} {folder}: its temporary files would be among the files there.",
                "Give a folder elsewhere, on a disk with enough space.",
            )


def _nearest_existing(folder: Path) -> Path:
    """Return the folder if it exists, else the nearest folder above it that exists: the folder is created there."""
    if os.path.lexists(folder) or folder == folder.parent:
        return folder
    return _nearest_existing(folder.parent)


def _need_folder(folder: Path, what: str, hint: str) -> None:
    """Raise UsageError if files cannot be created in a folder; `what` names the folder in the message."""
    try:
        if not stat.S_ISDIR(_mode(folder)):
            raise UsageError(f"{what} cannot be created: {folder} is not a folder.", hint, ExitStatus.CANNOT_WRITE)
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            raise UsageError(f"{what} {folder} is on a read-only file system.", hint, ExitStatus.CANNOT_WRITE)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        why = reason_text(error, folder)
        raise UsageError(f"{what} {folder} cannot be written: {why}.", hint, ExitStatus.CANNOT_WRITE) from None


def _mode(folder: Path) -> int:
    """Return the mode of a folder; 0 for a link to nothing. Raises OSError."""
    try:
        return folder.stat().st_mode
    except FileNotFoundError:
        return 0
