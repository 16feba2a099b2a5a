"""A lock of the kernel (flock) on a folder, for processes that must not work in it at the same time."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

_WAIT_SECONDS = 10.0
"""Seconds to wait for a lock of another process."""
_PAUSE_SECONDS = 0.05
"""Seconds between two tries."""


class FolderLock(Enum):
    """Whether this process has the lock on a folder."""

    ACQUIRED = "acquired"
    HELD_BY_ANOTHER_PROCESS = "another process held it for more than 10 s"
    UNSUPPORTED = "the file system has no such locks"


@contextlib.contextmanager
def locked_folder(folder: Path, clock: Callable[[], float] = time.monotonic) -> Iterator[FolderLock]:
    """Try to lock a folder for the `with` block; yield whether this process has the lock. The block also runs without it.

    The kernel releases the lock when the process ends, also if it is killed. Raises OSError when the folder cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _wait_for_lock(descriptor, clock() + _WAIT_SECONDS, clock)
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int, until: float, clock: Callable[[], float]) -> FolderLock:
    """Try to lock an open folder, again and again until `clock` returns a time after `until`; return the result."""
    import fcntl

    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if clock() > until:
                return FolderLock.HELD_BY_ANOTHER_PROCESS
            time.sleep(_PAUSE_SECONDS)
        except OSError:
            return FolderLock.UNSUPPORTED
        else:
            return FolderLock.ACQUIRED


def is_locked(folder: Path) -> bool:
    """Return whether another process has the lock on a folder now, without waiting; False if the file system has no locks.

    Raises OSError when the folder cannot be opened.
    """
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
