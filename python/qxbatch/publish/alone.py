"""Serializes processes on a folder, as far as the file system supports it."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_PATIENCE = 10.0
"""Seconds."""
_PAUSE = 0.05


@contextlib.contextmanager
def alone_in(folder: Path, clock: Callable[[], float] = time.monotonic) -> Iterator[bool]:
    """Take the kernel's lock (flock) on a folder; yield whether it is locked.

    It is not locked if the file system has no such locks, or if another process keeps the lock for more than 10 s. The
    kernel releases the lock of a killed process. Raises OSError when the folder cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _locked(descriptor, clock() + _PATIENCE, clock)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, until: float, clock: Callable[[], float]) -> bool:
    import fcntl

    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if clock() > until:
                return False
            time.sleep(_PAUSE)
        except OSError:
            return False
        else:
            return True
