"""Reads a unit's sources and refuses what must not be imported: changed, damaged or empty packets."""

from collections.abc import Sequence
from pathlib import Path

from qxbatch.core import Reading, ingest
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.units import Unit
from qxbatch.events import BytesRead
from qxbatch.ingest import encrypted, remarks
from qxbatch.ingest.fallback import read_suspects
from qxbatch.ingest.left_out import LeftOut
from qxbatch.ingest.sources import Source
from qxbatch.model import Fingerprint, Packet
from qxbatch.pipeline.context import Context
from qxbatch.problems import Code, PacketError, Problem
from qxbatch.settings.command import command_for
from qxbatch.settings.model import OnDamaged, Settings
from qxbatch.settings.passwords import words_of

NOTHING = Fingerprint(0, 0, 0)
"""Folder mode: there was no inbox; the data lie in `dicom`."""
SHOWN = 5
"""So many damaged members are named in a message; the ledger names all."""


def read_sources(context: Context, unit: Unit, sources: Sequence[Source], scratch: Path) -> Reading:
    """Read all sources into scratch, once.

    Raises PacketError when a packet changed, OSError when scratch cannot be written, and CancelledError.
    """
    for packet in unit.packets:
        refuse_changed(packet, "since it was found")
    context.observer.notify(BytesRead(unit.name, 0, unit.size))
    try:
        with context.slots.several() as threads:
            reading = ingest(
                [(str(source.path), source.prefix) for source in sources],
                str(scratch / "read"),
                threads=threads,
                gunzip=context.settings.unzip,
                skip=[str(source.path / name) for source in sources for name in source.skip],
                max_ratio=context.settings.max_expansion,
                max_bytes=context.settings.max_total,
                max_members=context.settings.max_members,
                max_nesting=context.settings.max_nesting,
                passwords=words_of(context.settings.passwords),
                monitor=context.monitor,
            )
    finally:  # a packet that vanishes is told as such, whatever else its loss led to
        for packet in unit.packets:
            refuse_changed(packet, "while it was read")
    context.observer.notify(BytesRead(unit.name, unit.size, unit.size))
    return reading


def check_reading(reading: Reading, unit: Unit, settings: Settings) -> list[Problem]:
    """Return what is worth reporting of what was read. Raises PacketError when it is damaged."""
    names = unit.names
    return [*_damage(settings, unit, reading), *remarks.surrounded(reading, names), *read_suspects(reading, names)]


def check_images(reading: Reading, names: str, missing: LeftOut) -> None:
    """Raise PacketError when nothing of what was read is an image; `missing` is what was left out of it."""
    if reading.groups() or any(reading.row(i).kind == "par" for i in range(len(reading))):
        return
    members = "1 member" if len(reading) == 1 else f"{len(reading)} members"
    if missing.members:
        message = f"contains no DICOM and no PAR/REC that can be imported ({members}), but {missing.words()}."
        raise PacketError(Problem(Code.NO_IMAGES, names, message, missing.advice()))
    message = f"contains no DICOM and no PAR/REC ({members})."
    raise PacketError(Problem(Code.NO_IMAGES, names, message, "Remove it from the inbox, or complete it."))


def refuse_changed(packet: Packet, when: str) -> None:
    """Raise PacketError where a packet's names, sizes and times are no longer those at discovery."""
    try:
        same = fingerprint(packet.path) == packet.fingerprint
    except FileNotFoundError:
        if packet.fingerprint == NOTHING:
            return
        problem = Problem(Code.CHANGED, str(packet.path), f"vanished {when}.", "Nothing was changed.")
        raise PacketError(problem) from None
    if not same:
        hint = "Run again when its transfer has ended; --settle=SECONDS waits for quiet."
        raise PacketError(Problem(Code.CHANGED, str(packet.path), f"changed {when}.", hint))


def _damage(settings: Settings, unit: Unit, reading: Reading) -> list[Problem]:
    damage = reading.damage()
    if not damage:
        return []
    shown = "; ".join(damage[:SHOWN]) + (f"; and {len(damage) - SHOWN} more" if len(damage) > SHOWN else "")
    closed = encrypted.refused_as_encrypted(reading)
    advice = encrypted.hint(closed, settings.passwords)
    if settings.on_damaged is OnDamaged.KEEP:
        message = f"is damaged ({shown}); the rest was imported as asked, and the packet stays where it is."
        hint = f"{advice or 'Get a sound copy.'} Then import it with --overwrite=yes."
        return [Problem(Code.DAMAGED_KEPT, unit.names, message, hint)]
    state = "cannot be opened" if len(closed) == len(damage) else "is damaged"
    hint = advice or "Get a sound copy, or import what can be read:"
    changes = {"password_file": "FILE"} if advice and settings.passwords is None else {}
    command = command_for(settings, [unit.session.id], changes if advice else {"on_damaged": "keep"})
    message = f"{state}: {shown}. Nothing was imported."
    raise PacketError(Problem(Code.DAMAGED, unit.names, message, hint, command=command))
