"""Reads a unit's sources and refuses what must not be imported: changed, damaged or empty packets."""

from collections.abc import Sequence
from pathlib import Path

from qxbatch.core import Reading, ingest
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.ingest import encrypted, remarks
from qxbatch.ingest.fallback import read_suspects
from qxbatch.ingest.identities import hide_of
from qxbatch.ingest.sources import Source
from qxbatch.model import Fingerprint, Packet
from qxbatch.pipeline.context import Context
from qxbatch.problems import Code, PacketError, Problem
from qxbatch.settings.model import OnDamaged
from qxbatch.settings.passwords import words_of

NOTHING = Fingerprint(0, 0, 0)
"""Folder mode: there was no inbox; the data lie in `dicom`."""
SHOWN = 5
"""So many damaged members are named in a message; the ledger names all."""


def read_sources(
    context: Context, unit: str, names: str, packets: Sequence[Packet], sources: Sequence[Source], scratch: Path
) -> tuple[Reading, list[Problem]]:
    """Read all sources into scratch, once; return the reading, and what was worth saying.

    Raises PacketError, OSError when scratch cannot be written, and CancelledError.
    """
    for packet in packets:
        refuse_changed(packet, "since it was found")
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
        for packet in packets:
            refuse_changed(packet, "while it was read")
    if context.settings.conceal:
        context.hidden[unit] = hide_of(reading, unit)
    passwords = context.settings.passwords
    problems = [*_damage(context, names, reading), *remarks.surrounded(reading, names), *read_suspects(reading, names)]
    if not reading.groups() and not any(reading.row(i).kind == "par" for i in range(len(reading))):
        message = f"holds no DICOM and no PAR/REC ({len(reading)} members)."
        hint = encrypted.hint(encrypted.closed_rows(reading), passwords) or "Remove it from the inbox, or complete it."
        raise PacketError(Problem(Code.NO_IMAGES, names, message, hint))
    return reading, [*problems, *encrypted.kept_closed(reading, names, passwords)]


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


def _damage(context: Context, names: str, reading: Reading) -> list[Problem]:
    damage = reading.damage()
    if not damage:
        return []
    shown = "; ".join(damage[:SHOWN]) + (f"; and {len(damage) - SHOWN} more" if len(damage) > SHOWN else "")
    closed = encrypted.refused_as_encrypted(reading)
    advice = encrypted.hint(closed, context.settings.passwords)
    if context.settings.on_damaged is OnDamaged.KEEP:
        message = f"is damaged ({shown}); the rest was imported as asked, and the packet stays where it is."
        hint = f"{advice or 'Get a sound copy.'} Then import it with --overwrite=yes."
        return [Problem(Code.DAMAGED_KEPT, names, message, hint)]
    state = "cannot be opened" if len(closed) == len(damage) else "is damaged"
    hint = advice or "Get a sound copy, or use --on-damaged=keep to import what can be read."
    raise PacketError(Problem(Code.DAMAGED, names, f"{state}: {shown}. Nothing was imported.", hint))
