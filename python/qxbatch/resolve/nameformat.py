"""Subject and session from a name, by the expression of --nameformat: its groups `subject_id` and, if any, `session_name`."""

import re

from qxbatch.model import SessionId


def session_by_name(name: str, nameformat: re.Pattern[str]) -> SessionId | None:
    """Return the session of a packet's name; None if the format finds no subject in it."""
    match = nameformat.search(name)
    if match is None or not match["subject_id"]:
        return None
    session = match["session_name"] if "session_name" in nameformat.groupindex else None
    return SessionId(match["subject_id"], session or None)


def session_by_folder(folder: str, nameformat: re.Pattern[str]) -> SessionId | None:
    """Return the session of a session folder: its id is the folder's name, and the format finds subject and session name.

    Returns None if the format finds no subject.
    """
    session = session_by_name(folder, nameformat)
    return None if session is None else SessionId(session.subject, session.session, folder)
