"""Refuses packets if one of their sessions would be that of another packet; `refuse_session_of_other_packet` lists the cases.

A packet of several patients is split into sessions with numbered ids (`--on-mixed=split`).
"""

import os
import re
from pathlib import Path

from qxbatch.discover.units import Unit
from qxbatch.os_error import error_text
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.unit_locks import same_session_error
from qxbatch.problems import Code, PacketError, Problem
from qxbatch.session.contents import has_inbox_or_results
from qxbatch.session.folder import SessionFolder
from qxbatch.session.summary import SummaryError
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings

_NUMBERED = re.compile(r".*-[1-9][0-9]*")
"""Matches the ids that a split gives to sessions (`numbered_session` in `ingest/patients.py`); other sessions may have such ids."""


def refuse_session_of_other_packet(context: Context, unit: Unit, folder: Path) -> None:
    """Raise PacketError if `folder`, the folder of one of the sessions of a unit, is the session of another packet.

    A unit is the packets that are imported together.

    There are three cases: this run published the session; it was split from another packet (or may have been, if its summary is
    missing or cannot be read), and --overwrite would replace it; or the unit would be split into it, but the existing session was
    not split from this unit.
    """
    if folder.name in context.published_sessions:
        raise same_session_error(folder.name, unit)
    refuse = _refuse_replacing_split if folder.name == unit.name else _refuse_unrelated
    refuse(context.settings, folder, unit)


def _refuse_unrelated(settings: Settings, folder: Path, unit: Unit) -> None:
    """Raise PacketError if a folder is a session that was not split from this unit: it may be of another patient."""
    if has_inbox_or_results(folder) and split_source(folder) != unit.name:
        message = f"one of its sessions would be {folder.name}, which exists and was not split from {unit.name}"
        raise _unrelated_error(settings, folder, unit, message, "its sessions get other names")


def _refuse_replacing_split(settings: Settings, folder: Path, unit: Unit) -> None:
    """Raise PacketError if --overwrite would replace a session that was split from another unit: it may be of another patient.

    Also raise it for a session with a name that a split gives, whose summary is missing or cannot be read: its source is unknown.
    """
    if settings.overwrite and _NUMBERED.fullmatch(folder.name):
        _refuse_unknown_source(settings, folder, unit)
    source = split_source(folder)
    if settings.overwrite and source:
        message = f"its session {folder.name} exists and was split from {source}, which is another packet"
        raise _unrelated_error(settings, folder, unit, message, "its session gets another name")


def _refuse_unknown_source(settings: Settings, folder: Path, unit: Unit) -> None:
    reason = _why_source_is_unknown(SessionFolder(folder))
    if reason:
        message = f"its session {folder.name} exists and may be of another packet, from which it was split: {reason}"
        hint = f"Restore the summary or make it readable, or move {folder} away, and run again:"
        command = command_for(settings, [unit.session.id])
        raise PacketError(Problem(Code.EXISTS, unit.label, f"{message}; nothing was changed.", hint, command=command))


def _why_source_is_unknown(session: SessionFolder) -> str:
    """Return why the summary of a session cannot be read; empty if it can, and for a session of another program."""
    try:
        is_missing = session.summary is None
    except (SummaryError, OSError) as error:
        return error_text(error, session.paths.summary)
    is_of_qxbatch = os.path.lexists(session.paths.qxbatch_folder)
    return f"{session.paths.summary} is missing" if is_missing and is_of_qxbatch else ""


def split_source(folder: Path) -> str:
    """Return the session id of the packet that a session was split from; empty if it was not split, or does not exist."""
    summary = SessionFolder(folder).readable_summary
    return summary.split.source if summary is not None and summary.split is not None else ""


def _unrelated_error(settings: Settings, folder: Path, unit: Unit, message: str, effect: str) -> PacketError:
    hint = f"Rename the packet, so that {effect}, and import it. Or move {folder} away, and run again:"
    command = command_for(settings, [unit.session.id])
    return PacketError(Problem(Code.EXISTS, unit.label, f"{message}; nothing was changed.", hint, command=command))
