"""Which results a session folder has already, whoever made them."""

import os
from pathlib import Path

from qxbatch.session.paths import SessionPaths


def has_session(folder: Path) -> bool:
    """Return whether a session exists: its inbox, session.txt, or any file in dicom or nii (inbox mode)."""
    paths = SessionPaths(folder)
    return any(os.path.lexists(path) for path in (paths.inbox, paths.session_txt)) or has_results(folder)


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
