"""Whether a folder is a session, and whether it has results, of qxbatch or of another program."""

import os
from pathlib import Path

from qxbatch.os_error import reason_text
from qxbatch.session.paths import SessionPaths
from qxbatch.walk import walk


def has_inbox_or_results(folder: Path) -> bool:
    """Return whether a folder has an inbox, session.txt, or any file in dicom or nii. In inbox mode, the session then exists.

    In folder mode (`--masterinbox=none`), a folder has an inbox before its first import: use `has_results` in this mode. Wherever
    this module looks for files in dicom or nii, a folder that cannot be listed counts as one with files (`has_file`).
    """
    return os.path.lexists(SessionPaths(folder).inbox) or is_imported(folder)


def is_imported(folder: Path) -> bool:
    """Return whether a folder has what an import makes: session.txt, or any file in dicom or nii."""
    return os.path.lexists(SessionPaths(folder).session_txt) or has_results(folder)


def is_session(folder: Path) -> bool:
    """Return whether a folder is a session: by its session.txt, its ledger or summary, or by files in dicom or nii.

    If its `dicom` or `nii` is itself a session, the folder is a sessions folder with a session of that name. A folder that
    cannot be listed or entered counts as a session: it may be one, and reading it reports the reason.
    """
    if has_session_records(folder) or why_unreadable(folder):
        return True
    paths = SessionPaths(folder)
    folders = [path for path in (paths.dicom, paths.nii) if os.path.isdir(path)]  # noqa: PTH112 - False if it cannot be read
    return any(map(has_file, folders)) and not any(map(has_session_records, folders))


def has_session_records(folder: Path) -> bool:
    """Return whether a folder has a file that only a session has: session.txt, a summary or a ledger."""
    paths = SessionPaths(folder)
    files = (paths.session_txt, paths.summary, paths.ledger)
    return any(os.path.isfile(file) for file in files)  # noqa: PTH113 - False if it cannot be read


def why_unreadable(folder: Path) -> str:
    """Return why a folder cannot be listed or entered; empty if it can, or if the path does not exist or is not a folder."""
    try:
        with os.scandir(folder):
            os.stat(f"{folder}/.")  # noqa: PTH116 - a Path has no `.` at its end
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return reason_text(error, folder)
    return ""


def has_results(folder: Path) -> bool:
    """Return whether a session has any file in dicom or nii."""
    paths = SessionPaths(folder)
    return any(has_file(path) for path in (paths.dicom, paths.nii))


def has_nii_files(folder: Path) -> bool:
    """Return whether a session has any file in nii, an image or not, as after a conversion."""
    return has_file(SessionPaths(folder).nii)


def has_file(folder: Path) -> bool:
    """Return whether a folder, or a folder below it, contains a file.

    A folder that cannot be listed counts as one with files, so that nobody replaces them. False if the folder does not exist.
    """
    unreadable: list[OSError] = []
    for _root, _folders, files in walk(folder, onerror=unreadable.append):
        if files:
            return True
    return any(not isinstance(error, FileNotFoundError) for error in unreadable)
