"""Whether a folder is a session, and which results it has already, whoever made them."""

import os
from pathlib import Path

from qxbatch.session.paths import SessionPaths


def has_session(folder: Path) -> bool:
    """Return whether a session exists: its inbox, session.txt, or any file in dicom or nii (inbox mode)."""
    paths = SessionPaths(folder)
    return any(os.path.lexists(path) for path in (paths.inbox, paths.session_txt)) or has_results(folder)


def is_session(folder: Path) -> bool:
    """Return whether a folder is a session: by its session.txt, its ledger or summary, or by files in dicom or nii.

    A `dicom` or `nii` that is a session itself is a session of that name in a folder of sessions.
    """
    if _is_marked(folder):
        return True
    paths = SessionPaths(folder)
    parts = [path for path in (paths.dicom, paths.nii) if path.is_dir()]
    return any(map(_has_file, parts)) and not any(map(_is_marked, parts))


def _is_marked(folder: Path) -> bool:
    paths = SessionPaths(folder)
    return any(mark.is_file() for mark in (paths.session_txt, paths.summary, paths.ledger))


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
    for _root, _folders, files in os.walk(folder, onerror=unreadable.append):
        if files:
            return True
    return any(not isinstance(error, FileNotFoundError) for error in unreadable)
