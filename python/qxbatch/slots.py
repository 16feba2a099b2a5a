"""The budgets of CPUs and of memory that all threads and child processes of a run share."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """Limits how many tasks run at once: one for each CPU, and `spare` more. Urgent tasks go first."""

    def __init__(self, cpus: int, spare: int = 0) -> None:
        self._cpus = max(1, cpus)
        self._free = self._cpus + spare
        self._waiting_urgent = 0
        """Number of urgent tasks that wait."""
        self._condition = threading.Condition()

    @contextmanager
    def acquire(self, *, urgent: bool = False) -> Iterator[None]:
        """Wait for a free slot, and take it until the block ends. An urgent task gets it before tasks that are not urgent."""
        with self._condition:
            self._waiting_urgent += urgent
            try:
                self._condition.wait_for(lambda: self._free > 0 and (urgent or not self._waiting_urgent))
                self._free -= 1
            finally:
                self._waiting_urgent -= urgent
                if urgent:
                    self._condition.notify_all()  # other tasks wait while an urgent one does; a slot can be free
        try:
            yield
        finally:
            self._release(1)

    @contextmanager
    def acquire_several(self) -> Iterator[int]:
        """Wait for a free slot, and take all free ones, at most one for each CPU, until the block ends; yield their number.

        It does not let waiting urgent tasks go first.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._free > 0)
            count = min(self._free, self._cpus)
            self._free -= count
        try:
            yield count
        finally:
            self._release(count)

    def _release(self, count: int) -> None:
        with self._condition:
            self._free += count
            self._condition.notify_all()


class Memory:
    """Limits the bytes that are reserved at once."""

    def __init__(self, total: int | None) -> None:
        """`total` is the limit in bytes; None: no limit."""
        self._total = total
        self._used = 0
        self._condition = threading.Condition()

    @contextmanager
    def reserve(self, amount: int) -> Iterator[None]:
        """Wait until `amount` bytes are free, and reserve them until the block ends.

        An amount above the limit is reserved when no other one is.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._fits(amount))
            self._used += amount
        try:
            yield
        finally:
            with self._condition:
                self._used -= amount
                self._condition.notify_all()

    def _fits(self, amount: int) -> bool:
        return self._total is None or self._used == 0 or self._used + amount <= self._total
