"""`qxbatch.open_session` and `qxbatch.verify`: finished sessions, read and checked."""

import os
from concurrent.futures import ThreadPoolExecutor

from qxbatch.commands.chosen_sessions import chosen_sessions
from qxbatch.commands.option_values import threads_of
from qxbatch.commands.sessions import session_paths
from qxbatch.commands.verify import Verified
from qxbatch.commands.verify import verify as verify_session
from qxbatch.problems import UsageError
from qxbatch.session.contents import is_session
from qxbatch.session.folder import SessionFolder


def open_session(path: str | os.PathLike[str]) -> SessionFolder:
    """Return a session folder, which qxbatch or another program wrote. Its files are read when they are first needed.

    Raises UsageError when the path is no session folder.
    """
    (folder,) = session_paths([os.fspath(path)])
    if not is_session(folder):
        raise UsageError(f"{folder} contains no session.", "Name a folder such as study/sessions/OP386.")
    return SessionFolder(folder)


def verify(path: str | os.PathLike[str], *, n_procs: int | None = None) -> list[Verified]:
    """Read a session again and compare it with its ledger; a folder of sessions means all sessions in it. Nothing is written.

    `wrong` of a session is empty if it is as its ledger says. Raises UsageError when the path does not exist or contains no
    session, or when `n_procs` is wrong.
    """
    threads = threads_of(None if n_procs is None else str(n_procs))
    with ThreadPoolExecutor(threads) as pool:
        return [verify_session(session, pool) for session in chosen_sessions([os.fspath(path)])]
