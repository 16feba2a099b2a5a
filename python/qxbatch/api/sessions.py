"""`qxbatch.open_session` and `qxbatch.verify`: finished sessions, read and checked."""

import os

from qxbatch.commands.chosen_sessions import chosen_sessions
from qxbatch.commands.option_values import threads_of
from qxbatch.commands.sessions import session_paths
from qxbatch.commands.verify import Verified, verify_sessions
from qxbatch.problems import UsageError
from qxbatch.session.contents import is_session
from qxbatch.session.folder import SessionFolder


def open_session(path: str | os.PathLike[str]) -> SessionFolder:
    """Return the session in a folder, whether qxbatch or another program wrote it. Its files are read when they are first used.

    Raises UsageError when the path is no session folder.
    """
    (folder,) = session_paths([os.fspath(path)])
    if not is_session(folder):
        raise UsageError(f"{folder} contains no session.", "Name a folder such as study/sessions/OP386.")
    return SessionFolder(folder)


def verify(path: str | os.PathLike[str], *, n_procs: int | None = None) -> list[Verified]:
    """Compare a session, or all sessions of a folder, with their ledgers. Return a result for each session; write nothing.

    `wrong` of a result is empty if the session is as its ledger says. `n_procs` is the maximum number of threads; None: all CPUs
    that the process may use. Raises UsageError when the path does not exist or contains no session, or when `n_procs` is wrong.
    """
    threads = threads_of(None if n_procs is None else str(n_procs))
    return verify_sessions(chosen_sessions([os.fspath(path)]), threads)
