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
LOOK_SECONDS = 1.0


@dataclass
class _Watched:
    """A lock file under observation."""

    state: tuple[int, int, int]
    looked: float
    """When this run last checked the file."""
    quiet: float = 0.0
    """Seconds of checks in which the file was unchanged."""
    changed: float = -math.inf
    """When this run saw the file change."""


class Beats:
    """The observations of one run about the lock files in a folder."""

    def __init__(
        self, folder: Path, tell: Callable[[str], None] | None = None, hurry: threading.Event | None = None
    ) -> None:
        """Setting `hurry` ends all waiting."""
        self._folder = folder
        self._tell = tell
        self._watched: dict[Path, _Watched] = {}
        self._looked = -math.inf
        self._guard = threading.Lock()
        self._hurry = threading.Event() if hurry is None else hurry

    def is_stale(self, path: Path, *, wait: bool, gone: bool = False) -> bool:
        """Return whether the holder of a lock file is dead; with `wait`, observe it long enough to know. Raises OSError.

        `gone`: the holder's job has ended.
        """
        try:
            while True:
                known = self._judged(path, gone=gone)
                if known is not None:
                    return known
                if not wait:
                    return False
                self._tell_once()
                if self._hurry.wait(LOOK_SECONDS):
                    return False
        except FileNotFoundError:
            return True

    def _judged(self, path: Path, *, gone: bool) -> bool | None:
        """Check once; return None if it takes longer to know."""
        self._look(path)
        with self._guard:
            watched = self._watched.get(path)
        if watched is None:
            raise FileNotFoundError(path)
        if watched.quiet >= STALE_SECONDS or (gone and watched.quiet >= CONFIRM_SECONDS):
            return True
        if gone:
            return False if watched.looked - watched.changed < CONFIRM_SECONDS else None
        age = self._now() - watched.state[1] / 1e9
        if -AHEAD_SECONDS <= age <= STALE_SECONDS or watched.looked - watched.changed < CONFIRM_SECONDS:
            return False
        return True if age > 0 and watched.quiet >= CONFIRM_SECONDS else None

    def _look(self, wanted: Path) -> None:
        """Check all files at once, so that a run that waits for one observes the others, too."""
        with self._guard:
            now = time.monotonic()
            if wanted in self._watched and now - self._looked < LOOK_SECONDS / 2:
                return
            self._looked = now
            states = {path: state for path in self._folder.iterdir() if (state := _state(path)) is not None}
            for path, state in states.items():
                watched = self._watched.get(path)
                if watched is None:
                    self._watched[path] = _Watched(state, now)
                elif watched.state != state:
                    self._watched[path] = _Watched(state, now, changed=now)
                else:
                    watched.quiet += min(now - watched.looked, 2 * LOOK_SECONDS)
                    watched.looked = now
            for path in self._watched.keys() - states.keys():
                del self._watched[path]

    def _now(self) -> float:
        """Return the file system's own time."""
        import tempfile

        with tempfile.TemporaryFile(dir=self._folder) as probe:
            return os.fstat(probe.fileno()).st_mtime

    def _tell_once(self) -> None:
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(
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
