"""Decides whether the holder of a lock file is alive, by watching the file's time.

A holder renews the time every 15 s, and a lock is stale after 2 minutes. The file system's own clock says how old the time
is. Where clients set times by their own clocks, the clocks may differ, so an old time only starts a closer look: the lock
is stale if its time does not change for some more seconds of repeated checks. A pause in the checks (this run slept, or the
file server did not answer) does not count.

If the scheduler of a cluster says that the holder's job has ended, its lock is stale once its time does not change for
CONFIRM_SECONDS, however young it is: a node that lost its daemon may still work.
"""

import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STALE_SECONDS = 120.0
CONFIRM_SECONDS = 35.0
"""Seconds for which a lock with an old time must stay unchanged: two renewals and a margin."""
AHEAD_SECONDS = 5.0
"""A time this far in the future comes from another clock."""
CHECK_SECONDS = 1.0


@dataclass
class _WatchedFile:
    """A lock file under observation."""

    state: tuple[int, int, int]
    checked_at: float
    """When this run last checked the file."""
    unchanged_seconds: float = 0.0
    """Seconds of checks in which the file was unchanged."""
    changed_at: float = -math.inf
    """When this run saw the file change."""


class Beats:
    """The observations of one run about the lock files in a folder."""

    def __init__(
        self, folder: Path, tell: Callable[[str], None] | None = None, hurry: threading.Event | None = None
    ) -> None:
        """Setting `hurry` ends all waiting."""
        self._folder = folder
        self._notify = tell
        self._watched: dict[Path, _WatchedFile] = {}
        self._checked_at = -math.inf
        self._guard = threading.Lock()
        self._hurry = threading.Event() if hurry is None else hurry

    def is_stale(self, path: Path, *, wait: bool, job_ended: bool = False) -> bool:
        """Return whether the holder of a lock file is dead; with `wait`, observe it long enough to know. Raises OSError.

        `job_ended`: the holder's job has ended.
        """
        try:
            while True:
                stale = self._check(path, job_ended=job_ended)
                if stale is not None:
                    return stale
                if not wait:
                    return False
                self._notify_once()
                if self._hurry.wait(CHECK_SECONDS):
                    return False
        except FileNotFoundError:
            return True

    def _check(self, path: Path, *, job_ended: bool) -> bool | None:
        """Check once; return None if it takes longer to know."""
        self._check_all(path)
        with self._guard:
            watched = self._watched.get(path)
        if watched is None:
            raise FileNotFoundError(path)
        if watched.unchanged_seconds >= STALE_SECONDS or (job_ended and watched.unchanged_seconds >= CONFIRM_SECONDS):
            return True
        if job_ended:
            return False if watched.checked_at - watched.changed_at < CONFIRM_SECONDS else None
        age = self._now() - watched.state[1] / 1e9
        if -AHEAD_SECONDS <= age <= STALE_SECONDS or watched.checked_at - watched.changed_at < CONFIRM_SECONDS:
            return False
        return True if age > 0 and watched.unchanged_seconds >= CONFIRM_SECONDS else None

    def _check_all(self, needed: Path) -> None:
        """Check all files at once, so that a run that waits for one also observes the others."""
        with self._guard:
            now = time.monotonic()
            if needed in self._watched and now - self._checked_at < CHECK_SECONDS / 2:
                return
            self._checked_at = now
            states = {path: state for path in self._folder.iterdir() if (state := _state(path)) is not None}
            for path, state in states.items():
                watched = self._watched.get(path)
                if watched is None:
                    self._watched[path] = _WatchedFile(state, now)
                elif watched.state != state:
                    self._watched[path] = _WatchedFile(state, now, changed_at=now)
                else:
                    watched.unchanged_seconds += min(now - watched.checked_at, 2 * CHECK_SECONDS)
                    watched.checked_at = now
            for path in self._watched.keys() - states.keys():
                del self._watched[path]

    def _now(self) -> float:
        """Return the file system's own time."""
        import tempfile

        with tempfile.TemporaryFile(dir=self._folder) as probe:
            return os.fstat(probe.fileno()).st_mtime

    def _notify_once(self) -> None:
        notify, self._notify = self._notify, None
        if notify is not None:
            notify(
                f"A lock in {self._folder} belongs to another machine and looks abandoned: "
                f"waiting up to {STALE_SECONDS:.0f} s to see whether its run is alive."
            )


def _state(path: Path) -> tuple[int, int, int] | None:
    """Return inode, time and size; opens the file, since network file systems cache the times of paths."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    return (status.st_ino, status.st_mtime_ns, status.st_size)
