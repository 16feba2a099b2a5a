"""The locks of a unit (packets that are imported together) during its import."""

from collections.abc import Iterable
from pathlib import Path

from qxbatch.discover.units import Unit
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.publish.locks import Lock, Locks


def lost_lock_error(label: str) -> PacketError:
    """Return the error to raise if another run took over the lock of a unit; `label` names the unit in the message."""
    message = (
        "this run was stopped or could not renew its lock for more than 2 minutes, and another run took over the lock. "
        "This run stops working on it."
    )
    hint = "Nothing is lost: the other run imports it, or the next one does."
    return PacketError(Problem(Code.HELD, label, message, hint, Severity.WARNING))


def same_session_error(session: str, unit: Unit) -> PacketError:
    """Return the error to raise if two packets of one run would become the same session because one of them is split."""
    who = "it" if session == unit.name else "one of its patients"
    message = f"{who} would become session {session}, and so does another packet of this run."
    return PacketError(Problem(Code.SAME_SESSION, unit.label, message, "Rename one of the packets."))


def unit_lock_name(unit: str) -> str:
    """Return the name of the lock of a unit, and of its session: both have the same id."""
    return f"session {unit}"


def packet_lock_name(packet: Path) -> str:
    """Return the name of the lock of a packet: it has no path of the inbox, which can differ between containers."""
    return f"packet {packet.name}"


class LockHeldError(PacketError):
    """Another run holds a lock."""


def take_lock(locks: Locks, name: str) -> Lock:
    """Take a lock. Raises LockHeldError, OSError."""
    lock = locks.take(name)
    if lock is None:
        message = "is held by another run; this run skipped it."
        raise LockHeldError(Problem(Code.HELD, name.partition(" ")[2], message, severity=Severity.WARNING))
    return lock


class UnitLocks:
    """Locks of a unit: its own (`own_lock_names`), and those of the sessions it is split into."""

    def __init__(self, locks: Locks, unit: Unit) -> None:
        self._locks = locks
        self._unit = unit
        self._taken_locks: list[Lock] = []
        self.holds_own = False
        """Whether this run has taken all locks of the unit itself (`own_lock_names`)."""

    @property
    def own_lock_names(self) -> list[str]:
        """The names of the locks of the unit itself: its session's and, in inbox mode, each packet's."""
        packets = () if self._unit.folder_mode else self._unit.packets
        return [unit_lock_name(self._unit.name), *(packet_lock_name(packet.path) for packet in packets)]

    def take_own(self) -> None:
        """Take the locks of the unit itself (`own_lock_names`).

        Raises PacketError if another packet of this run is split into this session, LockHeldError, OSError.
        """
        if self._locks.is_held_here(unit_lock_name(self._unit.name)):
            raise same_session_error(self._unit.name, self._unit)
        self.take(self.own_lock_names)
        self.holds_own = True

    def take(self, names: Iterable[str]) -> None:
        """Take further locks. Raises LockHeldError, OSError."""
        for name in names:
            self._taken_locks.append(take_lock(self._locks, name))

    def take_split(self, sessions: Iterable[str]) -> None:
        """Take the locks of the sessions that the packet is split into.

        Raises PacketError if another packet of this run becomes one of them, LockHeldError, OSError.
        """
        for session in sessions:
            if self._locks.is_held_here(unit_lock_name(session)):
                raise same_session_error(session, self._unit)
            self.take([unit_lock_name(session)])

    def refuse_lost(self) -> None:
        """Raise PacketError if another run took over a lock, and OSError if that cannot be seen now."""
        if not all(self._locks.holds(lock) for lock in self._taken_locks):
            raise lost_lock_error(self._unit.label)

    def release(self) -> None:
        """Release all locks."""
        for lock in self._taken_locks:
            self._locks.release(lock)
        self._taken_locks.clear()
