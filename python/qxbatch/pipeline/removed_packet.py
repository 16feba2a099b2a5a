"""Compares what is left of a packet with the sessions of its name, if its removal was interrupted and the journal is missing."""

from pathlib import Path

from qxbatch.settings.model import Settings


def compare_with_sessions(hidden: Path, name: str, settings: Settings) -> tuple[bool, str]:
    """Return whether the sessions of a packet have each of its remaining files, and a sentence about these sessions.

    `hidden` is the path of the packet now, `name` its original name. The files are compared because a session of that name may
    have been imported from another packet. Return False for a packet that is a single file. Raises UsageError, and
    KeyboardInterrupt on a signal.
    """
    from qxbatch.archive.remaining import contain_remaining
    from qxbatch.core import Monitor
    from qxbatch.discover.candidates import logfile_rows
    from qxbatch.discover.plan import session_of
    from qxbatch.discover.split_before import session_names, which_sessions_exist
    from qxbatch.pipeline.waiting import in_thread

    session = session_of(settings, logfile_rows(settings), name)
    if session is None:
        return False, _sessions_text([])
    folder = settings.sessionsfolder
    exist = which_sessions_exist(folder, session.id)
    if not all(exist) or not hidden.is_dir():
        return False, _sessions_text(exist)
    sessions = [folder / each for each in session_names(folder, session.id)]
    monitor = Monitor()
    if in_thread(lambda: contain_remaining(sessions, hidden, monitor), monitor.cancel):
        return True, _sessions_text(exist)
    return False, f"{_sessions_text(exist).rstrip('.')}, but not with all files that are left of the packet."


def _sessions_text(exist: list[bool]) -> str:
    if exist and all(exist):
        return "Its session exists." if len(exist) == 1 else "Its sessions exist."
    clause = "Not all of its sessions exist now" if any(exist) else "It has no session now"
    return f"{clause}, and files of it may be missing."
