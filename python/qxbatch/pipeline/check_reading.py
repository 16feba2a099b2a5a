"""Refuses what was read and must not be imported: damaged packets, and those without an image."""

from qxbatch.core import Reading
from qxbatch.discover.units import Unit
from qxbatch.ingest import encrypted, remarks
from qxbatch.ingest.fallback import read_suspects
from qxbatch.ingest.left_out import LeftOut, left_out
from qxbatch.ingest.unread import refuse_sound
from qxbatch.pipeline.context import Context
from qxbatch.problems import Code, PacketError, Problem
from qxbatch.settings.command import command_for
from qxbatch.settings.model import OnDamaged, Settings

SHOWN = 5
"""So many damaged members are named in a message; the ledger names all."""


def check_reading(reading: Reading, unit: Unit, context: Context) -> tuple[list[Problem], LeftOut]:
    """Return what is worth reporting of what was read, and what was left out of it.

    Raises PacketError when it is damaged, or nothing of it is an image, and CancelledError.
    """
    names, settings = unit.names, context.settings
    problems = [*_damage(settings, unit, reading), *remarks.surrounded(reading, names)]
    problems += read_suspects(reading, names, lambda: context.monitor.cancelled)
    missing = left_out(reading, settings.passwords)
    _check_images(reading, names, missing)
    return problems, missing


def _check_images(reading: Reading, names: str, missing: LeftOut) -> None:
    """Raise PacketError when nothing of what was read is an image; `missing` is what was left out of it."""
    if reading.groups() or any(reading.row(i).kind == "par" for i in range(len(reading))):
        return
    members = "1 member" if len(reading) == 1 else f"{len(reading)} members"
    if missing:
        message = f"contains no DICOM and no PAR/REC that can be imported ({members}), but {missing.words()}."
        raise PacketError(Problem(Code.NO_IMAGES, names, message, missing.advice()))
    if any(reading.row(i).kind in ("dicom", "dicomdir") for i in range(len(reading))):
        message = f"contains DICOM, but no images ({members})."
        raise PacketError(Problem(Code.NO_IMAGES, names, message, "Add the images, or move it out of the inbox."))
    message = f"contains no DICOM and no PAR/REC ({members})."
    raise PacketError(Problem(Code.NO_IMAGES, names, message, "Remove it from the inbox, or complete it."))


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
    refuse_sound(damage, unit.names)
    state = "cannot be opened" if len(closed) == len(damage) else "is damaged"
    hint = advice or "Get a sound copy, or import what can be read:"
    changes = {"password_file": "FILE"} if advice and settings.passwords is None else {}
    command = command_for(settings, [unit.session.id], changes if advice else {"on_damaged": "keep"})
    message = f"{state}: {shown}. Nothing was imported."
    raise PacketError(Problem(Code.DAMAGED, unit.names, message, hint, command=command))
