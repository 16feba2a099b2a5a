"""Detects packets that an earlier run split into sessions."""

import os
from pathlib import Path

from qxbatch.session.paths import SessionPaths


def was_split(sessionsfolder: Path, session: str) -> bool:
    """Return whether `--on-mixed=split` split the packet of this session id earlier, into sessions `<session>-1` and so on.

    The summary of `<session>-1` says so (key `parted`, docs/summary.md).
    """
    return bool(_split_sessions(sessionsfolder, session))


def which_sessions_exist(sessionsfolder: Path, session: str) -> list[bool]:
    """Return for each of `session_names` whether that session exists."""
    return [_has_session(sessionsfolder / name) for name in session_names(sessionsfolder, session)]


def session_names(sessionsfolder: Path, session: str) -> tuple[str, ...]:
    """Return the ids of the sessions of a packet: those into which it was split, if it was and `session` does not exist.

    Otherwise return only `session`, its session id.
    """
    if _has_session(sessionsfolder / session):
        return (session,)
    return _split_sessions(sessionsfolder, session) or (session,)


def _has_session(folder: Path) -> bool:
    return os.path.lexists(SessionPaths(folder).session_txt)


def _split_sessions(sessionsfolder: Path, session: str) -> tuple[str, ...]:
    """Return the sessions into which the packet of this session id was split earlier; empty if it was not."""
    from qxbatch.session.folder import SessionFolder

    summary = SessionFolder(sessionsfolder / f"{session}-1").readable_summary
    split = None if summary is None else summary.split
    return tuple(split.sessions) if split is not None and split.source == session else ()
