"""Refuses packets that are too large, or whose session exists, was made by another run, or cannot be written.

They are refused as a unit: the packets that are imported together.
"""

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from qxbatch.discover.units import Unit
from qxbatch.ingest.limits import max_total_for
from qxbatch.model import SessionId
from qxbatch.os_error import error_text, is_disk_full, machine_error, reason_text, size_text
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.largest_file import largest_file
from qxbatch.pipeline.other_packet import refuse_session_of_other_packet
from qxbatch.pipeline.packets_inside import refuse_replacing_packets
from qxbatch.pipeline.unusable_folder import refuse_unusable_folder
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.session.contents import has_inbox_or_results, has_results
from qxbatch.session.paths import SessionPaths
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Stages

_NEEDS_SPACE = (
    "needs about three times its unpacked size. Free space there, or use --work-dir=DIR on another disk, and run again. "
    "The packet is unchanged."
)
"""The end of a hint, after the words "its import"."""


def need_writable_sessions(context: Context, unit: Unit, sessions: Sequence[SessionId]) -> None:
    """Raise PacketError if one of a unit's sessions exists (without --overwrite), or may not or cannot be written.

    Discovery has looked for the unit's own session, but another run can have made it since then. The sessions that a packet is
    split into are not known at discovery. `refuse_unusable_folder`, `refuse_session_of_other_packet` and
    `refuse_replacing_packets` list the other reasons, which also count with --overwrite. Raises OSError if a folder cannot be
    examined.
    """
    for session in sessions:
        folder = context.workspace.sessionsfolder / session.id
        refuse_unusable_folder(folder, unit)
        is_own = session.id == unit.session.id
        if not (is_own and unit.folder_mode):
            refuse_session_of_other_packet(context, unit, folder)
        exists = has_results(folder) if is_own and unit.folder_mode else has_inbox_or_results(folder)
        if exists and not context.settings.overwrite:
            which = session.id if is_own else f"{session.id}, which was split from {unit.name} before,"
            message = f"session {which} already exists; nothing was changed."
            severity = Severity.WARNING if is_own else Severity.ERROR
            problem = Problem(Code.EXISTS, unit.label, message, "" if is_own else "Import it again:", severity)
            raise PacketError(problem)
        refuse_replacing_packets(context.settings, unit, folder)


def refuse_imported_meanwhile(context: Context, unit: Unit) -> None:
    """Inbox mode: raise PacketError if the packets are missing because another run imported them after this run started.

    This happens only with --overwrite: without it, a unit whose session exists is refused.
    """
    session_txt = SessionPaths(context.workspace.sessionsfolder / unit.session.id).session_txt
    if any(os.path.lexists(packet.path) for packet in unit.packets) or not session_txt.exists():
        return
    if not unit.folder_mode and session_txt.stat().st_mtime >= context.workspace.started_at:
        message = "was imported by another run meanwhile."
        raise PacketError(Problem(Code.EXISTS, unit.label, message, severity=Severity.WARNING))


def machine_problem(
    unit: Unit, error: BaseException, check_lock: Callable[[], None], has_journal: Callable[[], bool]
) -> Problem | None:
    """Return the problem of a unit whose import ended with an error of the machine, such as one of the disk or the memory.

    If another run took over the lock (`check_lock` raises PacketError), return that as the problem: the other run may have removed
    the files. Return None for an error that is not one of the machine (`machine_error`).
    """
    of_machine = machine_error(error)
    if of_machine is None:
        return None
    try:
        check_lock()
    except PacketError as lock_loss:
        return lock_loss.problem
    except OSError as lock_error:
        of_machine = lock_error
    try:
        may_be_written = has_journal()
    except OSError:
        may_be_written = True
    return _cannot_finish_problem(unit, of_machine) if may_be_written else _cannot_write_problem(unit, of_machine)


def _cannot_finish_problem(unit: Unit, error: OSError) -> Problem:
    """Return the problem of a unit whose import ended with an error of the operating system after its journal was written."""
    message = f"the import could not be finished: {error_text(error)}. Its session may be written already."
    return Problem(
        Code.CANNOT_WRITE, unit.label, message, "Correct this and run again: the next run finishes the import."
    )


def _cannot_write_problem(unit: Unit, error: OSError) -> Problem:
    """Return the problem of a unit whose import ended with an error of the operating system before its journal was written."""
    hint = "The packet is unchanged. Correct this and run again."
    if error.errno == errno.EMFILE:
        hint = (
            f"An import has an open file for each packet of its session: {reason_text(error)}. Put the packets of the session "
            "into one folder, which is one packet, or raise the hard limit (`ulimit -Hn`). Then run again. The packets are "
            "unchanged."
        )
    if is_disk_full(error):
        hint = f"The packet has {size_text(unit.size)}; its import {_NEEDS_SPACE}"
    return Problem(Code.CANNOT_WRITE, unit.label, f"could not be imported: {error_text(error)}.", hint)


def refuse_too_large(context: Context, unit: Unit, scratch: Path) -> None:
    """Raise PacketError if a unit has more bytes than --max-total, or than are free on the disk of its scratch folder.

    Only sizes are compared: a sparse file of terabytes takes no disk space, but hours to read. Raises OSError.
    """
    settings = context.settings
    if settings.stages is Stages.CONVERT:  # a previous run read the packets
        return
    free, command = shutil.disk_usage(scratch).free, ""
    if unit.size > settings.max_total:
        excess, hint = f"more than --max-total={size_text(settings.max_total)}", "Remove that file, or raise the limit:"
        command = command_for(settings, [unit.session.id], {"max_total": max_total_for(unit.size)})
    elif unit.size > free:
        excess = f"but there is no space left for it: {size_text(free)} free on the file system of {scratch}"
        hint = f"Its import {_NEEDS_SPACE}"
    else:
        return
    size, path = max(largest_file(packet.path) for packet in unit.packets)
    message = f"has {size_text(unit.size)}, {excess}. Its largest file is {path} ({size_text(size)}). Nothing was read."
    raise PacketError(Problem(Code.CANNOT_WRITE, unit.label, message, hint, command=command))
