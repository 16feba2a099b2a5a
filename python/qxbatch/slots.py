"""The budget of CPUs that all threads and child processes of a run share."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """So many things may run at once, converters among them only so many."""

    def __init__(self, total: int, converters: int) -> None:
        self.total = max(1, total)
        self._free = self.total
        self._condition = threading.Condition()
        self._converters = threading.BoundedSemaphore(max(1, min(converters, self.total)))

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold one CPU."""
        self._acquire()
        try:
            yield
        finally:
            self._release(1)

    @contextmanager
    def converter(self) -> Iterator[None]:
        """Hold one CPU for a converter process."""
        with self._converters, self.one():
            yield

    @contextmanager
    def several(self) -> Iterator[int]:
        """Hold at least one CPU, and all that are free now; yields how many."""
        with self._condition:
            self._condition.wait_for(lambda: self._free > 0)
            count, self._free = self._free, 0
        try:
            yield count
        finally:
            self._release(count)

    def _acquire(self) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._free > 0)
            self._free -= 1

    def _release(self, count: int) -> None:
        with self._condition:
            self._free += count
            self._condition.notify_all()
