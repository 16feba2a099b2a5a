"""The packets that are imported together: those of one session."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from qxbatch.model import Candidate, Packet, SessionId
from qxbatch.session.paths import SessionPaths


@dataclass(frozen=True)
class Unit:
    """The packets that become one session (or, with `--on-mixed=split`, several)."""

    session: SessionId
    packets: tuple[Packet, ...]
    session_inbox: Path | None = None
    """The session's own inbox, in folder mode (`--masterinbox=none`). None in inbox mode: the packets are in the master inbox."""

    @property
    def folder_mode(self) -> bool:
        """Whether the packets are in the session's own inbox (`--masterinbox=none`), and not in the master inbox."""
        return self.session_inbox is not None

    @property
    def name(self) -> str:
        """Return the id of its session."""
        return self.session.id

    @property
    def size(self) -> int:
        """Return the size of the packets in bytes."""
        return sum(packet.fingerprint.size for packet in self.packets)

    @property
    def label(self) -> str:
        """Return the name of the unit in messages: the file names of its packets; in folder mode, the session id."""
        if self.folder_mode:
            return self.session.id
        return ", ".join(packet.path.name for packet in self.packets)


def units_of(ready: Iterable[Candidate], *, folder_mode: bool) -> list[Unit]:
    """Group the packets of ready candidates by session, in the order of the candidates."""
    units: dict[str, Unit] = {}
    for candidate in ready:
        if candidate.session is None or candidate.packet is None:
            continue
        key = candidate.session.id
        inbox = SessionPaths(candidate.path).inbox if folder_mode else None
        unit = units.get(key, Unit(candidate.session, (), inbox))
        units[key] = replace(unit, packets=(*unit.packets, candidate.packet))
    return list(units.values())
