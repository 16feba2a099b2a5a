"""Serializes processes on a folder, as far as the file system supports it."""

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

_PATIENCE = 10.0
"""Seconds."""
_PAUSE = 0.05


class FolderLock(Enum):
    """Whether this process has the lock on a folder."""

    LOCKED = "locked"
    HELD = "another process held it for more than 10 s"
    UNSUPPORTED = "the file system has no such locks"


@contextlib.contextmanager
def alone_in(folder: Path, clock: Callable[[], float] = time.monotonic) -> Iterator[FolderLock]:
    """Take the kernel's lock (flock) on a folder; yield whether this process has it.

    The kernel releases the lock of a killed process. Raises OSError when the folder cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _locked(descriptor, clock() + _PATIENCE, clock)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, until: float, clock: Callable[[], float]) -> FolderLock:
    import fcntl

    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if clock() > until:
                return FolderLock.HELD
            time.sleep(_PAUSE)
        except OSError:
            return FolderLock.UNSUPPORTED
        else:
            return FolderLock.LOCKED


def is_locked(folder: Path) -> bool:
    """Return whether another process has the lock; False where the file system has no locks."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EAGAIN)
    finally:
        os.close(descriptor)
    return False
