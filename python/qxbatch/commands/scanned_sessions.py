"""Reads the parameters with which the sessions of a folder were scanned."""

import os
from collections.abc import Iterator

from qxbatch.commands.chosen_sessions import chosen_sessions
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.session.contents import is_session
from qxbatch.session.folder import SessionFolder
from qxbatch.settings.paths import absolute_form
from qxbatch.study.comparison import ScannedOrNotCompared, read_scanned_session
from qxbatch.study.sessions import sessions_in


def scanned_sessions(folder: str) -> Iterator[ScannedOrNotCompared]:
    """Return the parameters of each session of a folder, from its summary, or why it cannot be compared. Raises UsageError."""
    path = absolute_form(folder)
    if os.path.isdir(path) and not is_session(path) and not sessions_in(path):  # noqa: PTH112 - False if it cannot be read
        hint = "Import packets first, or name a folder such as study/sessions."
        raise UsageError(f"There is no session in {path}.", hint, ExitStatus.NOTHING_READY)
    return (read_scanned_session(SessionFolder(session)) for session in chosen_sessions([folder]))
