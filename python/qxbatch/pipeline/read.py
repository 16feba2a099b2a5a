"""Reads the sources of a unit (packets that are imported together), and refuses packets that change meanwhile."""

from collections.abc import Sequence
from pathlib import Path

from qxbatch.core import Reading, ingest
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.units import Unit
from qxbatch.events import BytesRead
from qxbatch.ingest.sources import Source
from qxbatch.model import Fingerprint, Packet
from qxbatch.pipeline.context import Context
from qxbatch.problems import Code, PacketError, Problem
from qxbatch.settings.passwords import passwords_for_core

NO_INBOX = Fingerprint(0, 0, 0)
"""Folder mode (`--masterinbox=none`): the fingerprint if the session has no inbox, and its data are only in `dicom`."""


def read_sources(context: Context, unit: Unit, sources: Sequence[Source], scratch: Path) -> Reading:
    """Read all sources into scratch, once.

    Raises PacketError when a packet changed; OSError when one cannot be read or scratch cannot be written; and CancelledError.
    """
    for packet in unit.packets:
        refuse_changed(packet, "since it was found")
    context.observer.notify(BytesRead(unit.name, 0, unit.size))
    try:
        with context.slots.acquire_several() as threads:
            reading = ingest(
                [(str(source.path), source.prefix) for source in sources],
                str(scratch / "read"),
                threads=threads,
                gunzip=context.settings.unzip,
                skip=[str(source.path / name) for source in sources for name in source.skipped_names],
                max_ratio=context.settings.max_expansion,
                max_bytes=context.settings.max_total,
                max_members=context.settings.max_members,
                max_nesting=context.settings.max_nesting,
                passwords=passwords_for_core(context.settings.passwords),
                monitor=context.monitor,
            )
    finally:  # if a packet changed or vanished, that is reported, not an error that it caused
        for packet in unit.packets:
            refuse_changed(packet, "while it was read")
    context.observer.notify(BytesRead(unit.name, unit.size, unit.size))
    return reading


def refuse_changed(packet: Packet, when: str) -> None:
    """Raise PacketError if the names, sizes or times of a packet are no longer those at discovery. `when` ends the message.

    Raises OSError if the packet exists and cannot be read.
    """
    try:
        is_unchanged = fingerprint(packet.path) == packet.fingerprint
    except FileNotFoundError:
        if packet.fingerprint == NO_INBOX:
            return
        problem = Problem(Code.CHANGED, str(packet.path), f"vanished {when}.", "Nothing was changed.")
        raise PacketError(problem) from None
    if not is_unchanged:
        hint = "Run again when its transfer has ended; --settle=SECONDS leaves packets that changed recently for a later run."
        raise PacketError(Problem(Code.CHANGED, str(packet.path), f"changed {when}.", hint))
