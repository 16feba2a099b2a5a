"""The folders of a run."""

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

from qxbatch.exits import ExitStatus
from qxbatch.os_error import access_hint, reading_hint, reason_text
from qxbatch.problems import UsageError
from qxbatch.session.contents import is_session, why_unreadable
from qxbatch.session.layout import MASTER_INBOX
from qxbatch.settings.paths import absolute_path
from qxbatch.settings.values import Values


class Folders(NamedTuple):
    """Absolute folders, and notes about how they were chosen."""

    sessionsfolder: Path
    masterinbox: Path | None
    """None is folder mode (`--masterinbox=none`)."""
    notes: tuple[str, ...] = ()


def find_folders(values: Values) -> Folders:
    """Choose the sessions folder and the master inbox.

    Raises UsageError if a required folder does not exist, is not a folder or cannot be entered, or if a path is not valid.

    The sessions folder need not exist if --masterinbox names a folder: the run then creates the sessions folder.
    """
    folder = absolute_path("--sessionsfolder", values.text("sessionsfolder"))
    _refuse_inaccessible(folder, "The sessions folder", ExitStatus.CANNOT_WRITE)
    inbox = values.text("masterinbox")
    is_default = not values.is_given("masterinbox")
    sessionsfolder, notes = _sessions_folder(folder)
    if not is_default and inbox.casefold() != "none":
        masterinbox = absolute_path("--masterinbox", inbox)
        _refuse_inaccessible(masterinbox, "The master inbox", ExitStatus.USAGE)
        _must_be_folder(masterinbox, "The master inbox")
        if sessionsfolder.exists():
            _must_be_folder(sessionsfolder, "The sessions folder")
            masterinbox = _by_path_of(sessionsfolder, masterinbox)
        return Folders(sessionsfolder, masterinbox, notes)
    _must_be_folder(sessionsfolder, "The sessions folder")
    return Folders(sessionsfolder, sessionsfolder / MASTER_INBOX if is_default else None, notes)


def _sessions_folder(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the sessions folder, and a note if `folder` is a study folder: it contains a `sessions` that is not a session, and no
    master inbox.
    """
    below = folder / "sessions"
    has_inbox = os.path.isdir(folder / MASTER_INBOX)  # noqa: PTH112 - False if it cannot be read
    if below.is_dir() and not has_inbox and not is_session(below):
        _refuse_inaccessible(below, "The sessions folder", ExitStatus.CANNOT_WRITE)
        return below, (f"{folder} is a study folder: its sessions folder {below} is used.",)
    return folder, ()


def _by_path_of(sessionsfolder: Path, inbox: Path) -> Path:
    """Return the path of the inbox; if the inbox is in the sessions folder, its path begins with `sessionsfolder`.

    The user may have named it by another path, for example by that of a link. A packet below the sessions folder is not moved if a
    link is on the way to it, and this is decided by its path.
    """
    for folder in (inbox, *inbox.parents):
        with contextlib.suppress(OSError):
            if folder.samefile(sessionsfolder):
                return sessionsfolder / inbox.relative_to(folder)
    return inbox


def _refuse_inaccessible(path: Path, what: str, status: ExitStatus) -> None:
    """Raise UsageError with the exit status `status` if a folder cannot be entered, or if it is unknown whether it exists."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        why, advice = reason_text(error, path), reading_hint(error, path) or "Correct the path."
    else:
        why, advice = why_unreadable(path), access_hint(path)
    if why:
        raise UsageError(f"{what} {path} cannot be entered: {why}.", advice, status)


def _must_be_folder(path: Path, what: str) -> None:
    if path.is_dir():
        return
    state = "is not a folder" if path.exists() else "does not exist"
    raise UsageError(f"{what} {path} {state}.", "Name another one, or create it first.")
