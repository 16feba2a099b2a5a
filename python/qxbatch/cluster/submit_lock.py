"""The lock that a command holds while it submits packets of a study."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from qxbatch.cluster.pending import SUBMIT_LOCK
from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.problems import UsageError
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace


@contextmanager
def submit_lock(sessionsfolder: Path) -> Iterator[None]:
    """Hold the lock, and remove the folder of locks after that if it is empty.

    Raises UsageError (73) if something else has the name of a folder or file that qxbatch needs, such as a link.
    """
    workspace = Workspace(sessionsfolder)
    try:
        workspace.refuse_links()
    except OSError as error:
        raise _unusable(error) from None
    locks = Locks(workspace.locks)
    try:
        with submit_lock_of(locks):
            yield
    finally:
        locks.close()
        workspace.tidy()


@contextmanager
def submit_lock_of(locks: Locks) -> Iterator[None]:
    """Hold the lock with the locks of a run. Raises UsageError: 73 if it cannot be written, 75 if a stopped run holds it."""
    with ExitStack() as held:
        try:
            held.enter_context(locks.waiting(SUBMIT_LOCK))
        except TimeoutError as error:
            hint = "Another command submits packets of this study. Let it end, or end it, then run again."
            raise UsageError(f"Cannot submit: {error.strerror}.", hint, ExitStatus.HELD) from None
        except OSError as error:
            raise _unusable(error) from None
        yield


def _unusable(error: OSError) -> UsageError:
    return UsageError(f"Cannot use {error_text(error)}.", "", ExitStatus.CANNOT_WRITE)
