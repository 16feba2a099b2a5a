"""The limit of open files. An import keeps a file open for each of its locks, and a session can have thousands of packets."""

import contextlib
import resource
import threading
from collections.abc import Iterator

MAX_LIMIT = 1 << 20
"""Highest limit that is set: programs that close all possible files when they start would take long with a higher one."""
_guard = threading.Lock()
_limits: list[tuple[int, int]] = []
"""The limits (soft, hard) from before the first block of `many_open_files`, once for each block that runs."""


@contextlib.contextmanager
def many_open_files() -> Iterator[None]:
    """Allow as many open files as the system permits (at most MAX_LIMIT) until the block ends; blocks may overlap."""
    with _guard:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        _limits.append(_limits[0] if _limits else (soft, hard))
        wanted = MAX_LIMIT if hard == resource.RLIM_INFINITY else min(hard, MAX_LIMIT)
        if soft not in (resource.RLIM_INFINITY, wanted):
            _set(max(soft, wanted), hard)
    try:
        yield
    finally:
        with _guard:
            soft, hard = _limits.pop()
            if not _limits:
                _set(soft, hard)


def restore_open_file_limit(pid: int) -> None:
    """Give a child process the limit from before `many_open_files`.

    Programs with select() can have no more than 1,024 open files.
    """
    with _guard:
        limits = _limits[:1]
    for limit in limits:
        with contextlib.suppress(OSError, ValueError):  # the child process ended
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)


def limit_text() -> str:
    """Return a sentence that says how many files this process may have open.

    >>> limit_text().endswith("`ulimit -n`)")
    True
    """
    return f"this program may have {resource.getrlimit(resource.RLIMIT_NOFILE)[0]} open files (`ulimit -n`)"


def _set(soft: int, hard: int) -> None:
    with contextlib.suppress(OSError, ValueError):  # some systems allow less than the hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
