"""The locks that one unit holds while it is imported."""

from collections.abc import Iterable

from qxbatch.discover.units import Unit
from qxbatch.pipeline.recover import unit_lock
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.publish.locks import Lock, Locks


class HeldLocks:
    """Locks of a unit: its session's, each packet's, and those of the sessions it is split into."""

    def __init__(self, locks: Locks, unit: Unit) -> None:
        self._locks = locks
        self._unit = unit
        self._held: list[Lock] = []
        self.complete = False
        """The locks of the unit itself are held."""

    def take_own(self) -> None:
        """Take the session's lock, then each packet's: by its name, since containers see one inbox under many paths.

        Raises PacketError when another run has one, OSError.
        """
        packets = self._unit.packets if self._unit.inbox is None else ()
        self.take([unit_lock(self._unit.name), *(f"packet {packet.path.name}" for packet in packets)])
        self.complete = True

    def take(self, names: Iterable[str]) -> None:
        """Take further locks. Raises PacketError when another run has one, OSError."""
        for name in names:
            lock = self._locks.take(name)
            if lock is None:
                message = "is held by another run, and left to it."
                raise PacketError(Problem(Code.HELD, name.partition(" ")[2], message, severity=Severity.WARNING))
            self._held.append(lock)

    def refuse_lost(self) -> None:
        """Raise PacketError when another run took a lock over."""
        if not all(self._locks.holds(lock) for lock in self._held):
            message = "its lock was taken over by another run, since this one slept too long; nothing was published."
            raise PacketError(Problem(Code.HELD, self._unit.names, message, severity=Severity.WARNING))

    def release(self) -> None:
        """Release all."""
        for lock in self._held:
            self._locks.release(lock)
        self._held.clear()
