"""The lock that a command holds while it submits packets of a study again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qxbatch.cluster.creation import SUBMIT_LOCK
from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.problems import UsageError
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace


@contextmanager
def submit_lock(sessionsfolder: Path) -> Iterator[None]:
    """Hold the lock, and remove the folder of locks after that if it is empty.

    Raises UsageError (exit status 73) if something else has the name of a folder that qxbatch needs, such as a link, and OSError
    if the lock cannot be taken.
    """
    workspace = Workspace(sessionsfolder)
    try:
        workspace.refuse_non_folders()
        workspace.tidy()  # removes an empty folder of locks that cannot be entered; the lock creates the folder again
    except OSError as error:
        raise UsageError(f"Cannot use {error_text(error)}.", "", ExitStatus.CANNOT_WRITE) from None
    locks = Locks(workspace.locks_folder)
    try:
        with locks.acquired(SUBMIT_LOCK):
            yield
    finally:
        locks.close()
        workspace.tidy()
