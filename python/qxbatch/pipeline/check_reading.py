"""Refuses packets that must not be imported: those without a series and, except with --on-damaged=keep, damaged ones.

What makes a packet damaged (`Reading.damage`) can also be an encrypted member, or one above a limit.
"""

from qxbatch.core import Reading
from qxbatch.discover.units import Unit
from qxbatch.ingest import encrypted
from qxbatch.ingest.fallback import read_unparsed_dicom
from qxbatch.ingest.left_out import LeftOut, find_left_out
from qxbatch.ingest.limit_refusals import refuse_limited_or_split
from qxbatch.ingest.limits import exceeded_parameters, larger_limits
from qxbatch.ingest.reading_problems import extra_bytes_notes
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.import_again import import_command
from qxbatch.problems import Code, PacketError, Problem
from qxbatch.settings.command import command_for
from qxbatch.settings.model import OnDamaged, Settings

MOST_LISTED = 5
"""Maximum number of damaged members that a message names."""


def check_reading(reading: Reading, unit: Unit, context: Context) -> tuple[list[Problem], LeftOut]:
    """Return the problems of a packet, and the members that were left out.

    Members that look like DICOM, but whose header the core cannot parse, are read with pydicom.

    Raises PacketError if the packet has no series, or is damaged (except with --on-damaged=keep), CancelledError, and OSError if
    the process with pydicom cannot be started.
    """
    label, settings = unit.label, context.settings
    problems = [*_damage_problems(settings, unit, reading), *extra_bytes_notes(reading, label)]
    problems += read_unparsed_dicom(reading, label, lambda: context.monitor.cancelled)
    left_out = find_left_out(reading, settings.passwords, settings)
    _check_series(reading, unit, left_out, settings)
    return problems, left_out


def _check_series(reading: Reading, unit: Unit, left_out: LeftOut, settings: Settings) -> None:
    """Raise PacketError if a packet has no series."""
    if _has_series(reading):
        return
    label, command = unit.label, import_command(left_out, unit, settings)
    members = "1 member" if len(reading) == 1 else f"{len(reading)} members"
    if left_out:
        message = f"contains no DICOM and no PAR/REC that can be imported ({members}), but {left_out.text()}."
        hint = f"{left_out.advice(has_ledger=False)} Then import it:"
        raise PacketError(Problem(Code.NO_IMAGES, label, message, hint, command=command))
    if any(reading.row(i).kind in ("dicom", "dicomdir") for i in range(len(reading))):
        message = f"contains DICOM, but no images ({members})."
        hint = "Move it out of the inbox, or add the images and import it:"
        raise PacketError(Problem(Code.NO_IMAGES, label, message, hint, command=command))
    message = f"contains no DICOM and no PAR/REC ({members})."
    hint = "Remove it from the inbox, or complete it and import it:"
    raise PacketError(Problem(Code.NO_IMAGES, label, message, hint, command=command))


def _has_series(reading: Reading) -> bool:
    """Return whether a packet has a series: a group of DICOM files, or a PAR that was not refused."""
    rows = map(reading.row, range(len(reading)))
    return bool(reading.groups()) or any(row.kind == "par" and row.fate != "refused" for row in rows)


def _damage_problems(settings: Settings, unit: Unit, reading: Reading) -> list[Problem]:
    """Return the problem of a damaged packet whose readable files are imported; empty if the packet is not damaged.

    Raises PacketError if a damaged packet is refused.
    """
    damage = reading.damage()
    if not damage:
        return []
    damage_text = "; ".join(damage[:MOST_LISTED]) + (
        f"; and {len(damage) - MOST_LISTED} more" if len(damage) > MOST_LISTED else ""
    )
    encryption_reasons = encrypted.encryption_reasons(reading)
    advice = encrypted.hint(encryption_reasons, settings.passwords)
    has_broken_members = len(encryption_reasons) < len(damage)  # not all of the damage is encryption
    changes = (
        {"password_file": "FILE"} if encrypted.is_openable(encryption_reasons) and settings.passwords is None else {}
    )
    copy_advice = "Get a sound copy of what is damaged." if advice else "Get a sound copy."
    todo = " ".join(filter(None, (advice, copy_advice if has_broken_members else "")))
    if settings.on_damaged is OnDamaged.KEEP and _has_series(reading):
        message = f"is damaged ({damage_text}); the readable files were imported, and the packet stays where it is."
        changes = {**changes, **larger_limits(exceeded_parameters(damage), settings)}
        changes |= {"overwrite": "yes", "on_damaged": "refuse"}
        retry_command = command_for(settings, [unit.session.id], changes)
        return [Problem(Code.DAMAGED_KEPT, unit.label, message, f"{todo} Then import it again:", command=retry_command)]
    refuse_limited_or_split(damage, unit, settings)
    state = "is damaged" if has_broken_members else "cannot be opened"
    is_partly_readable = has_broken_members and _has_series(reading)
    hint = (
        f"{todo} {'Or import what can be read:' if is_partly_readable else 'Then import it:'}"
        if has_broken_members
        else advice
    )
    command = command_for(
        settings, [unit.session.id], {**changes, **({"on_damaged": "keep"} if is_partly_readable else {})}
    )
    message = f"{state}: {damage_text}. Nothing was imported."
    raise PacketError(Problem(Code.DAMAGED, unit.label, message, hint, command=command))
