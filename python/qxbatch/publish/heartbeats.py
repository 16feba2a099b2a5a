"""Decides whether the holder of a lock file is alive: its run renews the modification time of the file every 15 s.

The age of a lock is the difference between its modification time and the file system's present time.

- A lock that is at most STALE_SECONDS old is in use.
- An older lock is stale after it was unchanged for CONFIRM_SECONDS of checks. Age alone is no proof, since some file systems
  store the time of the client's clock, which may be wrong.
- A lock whose time is more than AHEAD_SECONDS in the future has the time of another clock. It is stale after it was unchanged
  for STALE_SECONDS of checks.
- If the cluster's scheduler says that the job of the holder has ended, its lock is stale after it was unchanged for
  CONFIRM_SECONDS of checks, whatever its age. The checks are needed since a node may continue to work after it lost its
  connection to the scheduler.

A pause between two checks counts as 2 s at most, however long it was: this run may have slept, or the file server may have been
silent.
"""

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STALE_SECONDS = 120.0
"""Highest age of a lock in use; 8 renewals."""
CONFIRM_SECONDS = 35.0
"""Seconds for which an old lock must stay unchanged until it is stale: two renewals and a margin."""
AHEAD_SECONDS = 5.0
"""A modification time that is more than this in the future comes from another clock."""
CHECK_SECONDS = 1.0
"""Seconds between two checks."""


@dataclass
class _WatchedFile:
    """A lock file under observation."""

    state: tuple[int, int, int]
    """Inode, modification time (ns) and size."""
    checked_at: float
    """When this run last checked the file (monotonic clock)."""
    unchanged_seconds: float = 0.0
    """Seconds of checks in which the file was unchanged; longer pauses count as 2 s."""
    changed_at: float = -math.inf
    """When this run last saw that the file had changed (monotonic clock)."""


class Heartbeats:
    """The lock files of a folder, as one run observes them."""

    def __init__(
        self, folder: Path, notify: Callable[[str], None] | None = None, stop_waiting: threading.Event | None = None
    ) -> None:
        """`notify` is called once, with a sentence, before the first wait. Setting `stop_waiting` ends all waiting."""
        self._folder = folder
        self._notify = notify
        self._watched: dict[Path, _WatchedFile] = {}
        self._checked_at = -math.inf
        self._guard = threading.Lock()
        self._stop_waiting = threading.Event() if stop_waiting is None else stop_waiting

    def is_stale(self, path: Path, *, wait: bool, job_ended: bool = False) -> bool:
        """Return whether a lock is stale; True also if its file is missing. Raises OSError if the file cannot be read.

        With `wait`, observes the file until that is known, unless `stop_waiting` is set. Otherwise the answer is False if it is
        not known yet. `job_ended`: the scheduler says that the holder's job has ended.
        """
        try:
            while True:
                stale = self._check(path, job_ended=job_ended)
                if stale is not None:
                    return stale
                if not wait:
                    return False
                self._notify_once()
                if self._stop_waiting.wait(CHECK_SECONDS):
                    return False
        except FileNotFoundError:
            return True

    def _check(self, path: Path, *, job_ended: bool) -> bool | None:
        """Check once; return whether the lock is stale, None if that is not known yet."""
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
        """Check all files: a run that waits for one lock also observes the others. Raises OSError if `needed` cannot be read."""
        with self._guard:
            now = time.monotonic()
            if needed in self._watched and now - self._checked_at < CHECK_SECONDS / 2:
                return
            self._checked_at = now
            states = {}
            for path in self._folder.iterdir():
                with contextlib.suppress(*([FileNotFoundError] if path == needed else [OSError])):
                    states[path] = _state(path)
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
        """Return the present time of the file system: that of a file created now."""
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


def _state(path: Path) -> tuple[int, int, int]:
    """Return inode, modification time (ns) and size. Opens the file, since network file systems cache the times of paths.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    return (status.st_ino, status.st_mtime_ns, status.st_size)
