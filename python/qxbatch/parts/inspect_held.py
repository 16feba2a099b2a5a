"""The lock of a session whose facts are stored: the same that an import of it takes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qxbatch.pipeline.held import unit_lock
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.visible import shell_word


@contextmanager
def held(session: Path) -> Iterator[str | None]:
    """Hold the lock of a session; yield why it may not be changed, empty where another run holds it, None where it may.

    Raises OSError when the sessions folder cannot be written.
    """
    workspace = Workspace(session.parent)
    workspace.refuse_links()
    locks = Locks(workspace.locks)
    try:
        lock = locks.take(unit_lock(session.name))
        if lock is None:
            yield ""
            return
        try:
            interrupted = os.path.lexists(workspace.journal(session.name))
            command = f"qxbatch {shell_word(str(session.parent))}"
            yield f"{session}: an import of it was interrupted: `{command}` finishes it" if interrupted else None
        finally:
            locks.release(lock)
    finally:
        locks.close()
        workspace.tidy()
