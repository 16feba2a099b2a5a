"""Whether a folder is a session, and which results it has already, whoever made them."""

import os
from pathlib import Path

from qxbatch.os_error import reason_text
from qxbatch.session.paths import SessionPaths
from qxbatch.walk import walk


def has_session(folder: Path) -> bool:
    """Return whether a session exists: its inbox, session.txt, or any file in dicom or nii (inbox mode)."""
    paths = SessionPaths(folder)
    return any(os.path.lexists(path) for path in (paths.inbox, paths.session_txt)) or has_results(folder)


def is_session(folder: Path) -> bool:
    """Return whether a folder is a session: by its session.txt, its ledger or summary, or by files in dicom or nii.

    A `dicom` or `nii` that is a session itself is a session of that name in a folder of sessions. A folder that cannot be
    entered counts as a session: nobody can say that it is none, and who reads it says why it cannot be read.
    """
    if _is_marked(folder) or why_unreadable(folder):
        return True
    paths = SessionPaths(folder)
    parts = [path for path in (paths.dicom, paths.nii) if os.path.isdir(path)]  # noqa: PTH112 - False where it is closed
    return any(map(_has_file, parts)) and not any(map(_is_marked, parts))


def _is_marked(folder: Path) -> bool:
    paths = SessionPaths(folder)
    marks = (paths.session_txt, paths.summary, paths.ledger)
    return any(os.path.isfile(mark) for mark in marks)  # noqa: PTH113 - False where it is closed


def why_unreadable(folder: Path) -> str:
    """Return why a folder cannot be listed or entered; empty when it can, and when there is no such folder."""
    try:
        with os.scandir(folder):
            os.stat(f"{folder}/.")  # noqa: PTH116 - a Path has no `.` at its end
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return reason_text(error, folder)
    return ""


def has_results(folder: Path) -> bool:
    """Return whether a session has any file in dicom or nii (folder mode)."""
    paths = SessionPaths(folder)
    return any(_has_file(path) for path in (paths.dicom, paths.nii))


def has_images(folder: Path) -> bool:
    """Return whether a session was converted: any file is in nii."""
    return _has_file(SessionPaths(folder).nii)


def _has_file(folder: Path) -> bool:
    """A folder that cannot be listed counts as one with files: its content must not be touched."""
    unreadable: list[OSError] = []
    for _root, _folders, files in walk(folder, onerror=unreadable.append):
        if files:
            return True
    return any(not isinstance(error, FileNotFoundError) for error in unreadable)
