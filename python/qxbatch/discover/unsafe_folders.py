"""Refuses a sessions folder or a master inbox in which an import would change data of sessions or of another study."""

import os
from pathlib import Path

from qxbatch.discover.session_folders import FolderKind, kind_of_folder, refuse_foreign_inbox
from qxbatch.problems import UsageError
from qxbatch.session.layout import DICOM, QXBATCH_FOLDER, SESSION_TXT
from qxbatch.settings.model import Settings


def refuse_unsafe_folders(settings: Settings) -> None:
    """Raise UsageError if an import would add a study to a session, or move away files of a study as packets."""
    _refuse_study_in_session(settings)
    refuse_foreign_inbox(settings)


def _refuse_study_in_session(settings: Settings) -> None:
    folder = Path(os.path.realpath(settings.sessionsfolder))
    session = next((path for path in (folder, *folder.parents) if _is_session(path)), None)
    if session is None:
        return
    relation = "is a session folder" if session == folder else f"is in the session folder {session}"
    raise UsageError(
        f"The sessions folder {settings.sessionsfolder} {relation}.",
        f"Name the folder that contains the sessions, such as {session.parent}.",
    )


def _is_session(folder: Path) -> bool:
    """Return whether a folder is a session. It is listed only if it has an entry that a session has."""
    marks = (SESSION_TXT, QXBATCH_FOLDER, DICOM)
    return any(os.path.lexists(folder / mark) for mark in marks) and kind_of_folder(folder) is FolderKind.SESSION
