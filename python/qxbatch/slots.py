"""The budget of CPUs that all threads and child processes of a run share."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """So many things may run at once."""

    def __init__(self, total: int) -> None:
        self.total = max(1, total)
        self._free = self.total
        self._condition = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold one CPU."""
        with self._condition:
            self._condition.wait_for(lambda: self._free > 0)
            self._free -= 1
        try:
            yield
        finally:
            self._release(1)

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

    def _release(self, count: int) -> None:
        with self._condition:
            self._free += count
            self._condition.notify_all()
