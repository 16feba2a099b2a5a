"""Whether the study level (report.html, study.tsv, study.json) is older than a session, by file times only.

A run that imports nothing needs this check.
"""

import os
from pathlib import Path

from qxbatch.discover.own_names import HiddenKind, hidden_name
from qxbatch.publish.durable import NO_RUN
from qxbatch.resolve.names import RESERVED_NAMES
from qxbatch.session.layout import PAGE, QXBATCH_FOLDER, STUDY_SIDECAR, STUDY_TABLE, SUMMARY

NONE_NOT_IMPORTED = b'"not_imported": [\n\n ]\n}\n'
"""The end of a study.json whose list `not_imported` is empty."""
_STUDY_FILES = (STUDY_TABLE, PAGE, STUDY_SIDECAR)


def is_outdated(folder: Path) -> bool:
    """Return whether a session with a summary changed after study.json was written, or exists without a study.json.

    Also return True if a killed run that had locked the folder left a file of the study level under a hidden name
    (`publish/foreign.py`): a new file, or a replaced file, which a user may have edited. Return False if the folder or study.json
    cannot be read.

    study.json is written last, so the other files of the study level are not newer. The change time of a folder is the time of
    the rename that published it. Equal times count as a change: two changes within some milliseconds can get the same time.
    """
    try:
        study_time = (folder / STUDY_SIDECAR).stat().st_mtime_ns
    except FileNotFoundError:
        study_time = -1
    except OSError:
        return False
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return False
    hidden_names = (
        hidden_name(kind, NO_RUN, name) for kind in (HiddenKind.COPY, HiddenKind.ASIDE) for name in _STUDY_FILES
    )
    if any(os.path.lexists(folder / name) for name in hidden_names):
        return True
    return any(_change_time(folder / name) >= study_time for name in names if name.casefold() not in RESERVED_NAMES)


def lists_not_imported(folder: Path) -> bool:
    """Return whether study.json lists something that was not imported; only its end is read. False if it cannot be read."""
    try:
        with (folder / STUDY_SIDECAR).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - len(NONE_NOT_IMPORTED)))
            return file.read() != NONE_NOT_IMPORTED
    except OSError:
        return False


def _change_time(session: Path) -> int:
    """Return when a session changed, in nanoseconds; -2, which is earlier than every time, if it has no summary."""
    record_dir = session / QXBATCH_FOLDER
    try:
        return max(os.stat(path).st_ctime_ns for path in (record_dir / SUMMARY, record_dir, session))  # noqa: PTH116 - thousands of calls
    except OSError:
        return -2
