"""One unit: the packets of one session, from reading to the archive. What goes wrong with it ends here."""

import contextlib
import logging
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qxbatch.conceal import hidden_report, nothing_to_hide
from qxbatch.convert.run import CancelledError as ConverterCancelledError
from qxbatch.core import CancelledError
from qxbatch.discover.results import has_results, has_session
from qxbatch.ingest.assemble import assemble
from qxbatch.ingest.identities import hide_of
from qxbatch.ingest.patients import share_out
from qxbatch.ingest.sources import SessionInbox, inbox_sources, opened_archives, packet_sources, sorted_sources
from qxbatch.model import Candidate, Packet, SessionId, SessionReport
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.deliver import Delivery, deliver
from qxbatch.pipeline.earlier import Earlier, read_earlier
from qxbatch.pipeline.produce import Origin, produce
from qxbatch.pipeline.read import read_sources
from qxbatch.pipeline.recover import recover_unit, unit_lock
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.publish.durable import make_folder
from qxbatch.publish.exchange import PARTS
from qxbatch.publish.locks import Lock
from qxbatch.report.after import failed, outcome_line
from qxbatch.settings.model import JoinSeries, Stages

log = logging.getLogger("qxbatch")


@dataclass(frozen=True)
class Unit:
    """The packets that become one session."""

    session: SessionId
    packets: tuple[Packet, ...]
    inbox: Path | None = None
    """Folder mode: the session's own inbox."""

    @property
    def size(self) -> int:
        """Return the packets' bytes."""
        return sum(packet.fingerprint.size for packet in self.packets)

    @property
    def names(self) -> str:
        """Return the packets' file names, or the session's in folder mode."""
        if self.inbox is not None:
            return self.session.id
        return ", ".join(packet.path.name for packet in self.packets)


def units_of(ready: Iterable[Candidate], *, folder_mode: bool) -> list[Unit]:
    """Put the ready packets of one session together, in the order they were found."""
    units: dict[str, Unit] = {}
    for candidate in ready:
        if candidate.session is None or candidate.packet is None:
            continue
        key = candidate.session.id
        inbox = candidate.path / "inbox" if folder_mode else None
        unit = units.get(key, Unit(candidate.session, (), inbox))
        units[key] = replace(unit, packets=(*unit.packets, candidate.packet))
    return list(units.values())


def import_unit(context: Context, unit: Unit) -> list[SessionReport]:
    """Import a unit; a problem with its data is in the report, and nothing of a failed unit is visible.

    Raises CancelledError when the run is stopped.
    """
    started = time.monotonic()
    held: list[Lock] = []
    try:
        reports = _guarded(context, unit, held)
    finally:
        for lock in held:
            context.locks.release(lock)
    seconds = time.monotonic() - started
    hide = context.hidden.get(unit.session.id, nothing_to_hide)
    reports = [hidden_report(replace(report, seconds=seconds), hide) for report in reports]
    for report in reports:
        log.info("%s", outcome_line(report))
    line = "; ".join(outcome_line(report) for report in reports)
    context.progress.finished(unit.session.id, line, failed=any(map(failed, reports)))
    return reports


def _lock(context: Context, names: Iterable[str], held: list[Lock]) -> None:
    """Take locks; those that were taken are added to `held`. Raises PacketError when another run has one, OSError."""
    for name in names:
        lock = context.locks.take(name)
        if lock is None:
            message = "is held by another run, and left to it."
            raise PacketError(Problem(Code.HELD, name.partition(" ")[2], message, severity=Severity.WARNING))
        held.append(lock)


def _locks_of(unit: Unit) -> list[str]:
    """The session's lock, then each packet's: by its name, since containers see one inbox under many paths."""
    packets = unit.packets if unit.inbox is None else ()
    return [unit_lock(unit.session.id), *(f"packet {packet.path.name}" for packet in packets)]


def _guarded(context: Context, unit: Unit, held: list[Lock]) -> list[SessionReport]:
    name = unit.session.id
    try:
        _lock(context, _locks_of(unit), held)
        if context.workspace.journal(name).exists():
            return recover_unit(context.workspace, context.locks, name)
        return _import(context, unit, held)
    except PacketError as error:
        problem = error.problem
    except (CancelledError, ConverterCancelledError):
        raise CancelledError from None
    except OSError as error:
        hint = "The packet stays where it is; mend the cause and run again."
        problem = Problem(Code.CANNOT_WRITE, unit.names, f"{error}.", hint)
    except Exception as error:  # a bug ends one packet, not the batch; its traceback is logged
        log.exception("%s: internal error", unit.names)
        message = f"internal error: {type(error).__name__}: {error}."
        problem = Problem(Code.INTERNAL, unit.names, message, "Please report this with the log (--log-file).")
    finally:
        if len(held) >= len(_locks_of(unit)) and not context.workspace.journal(name).exists():
            with contextlib.suppress(OSError):  # the next run clears it
                context.workspace.clear(name)
    return [SessionReport(unit.names, unit.session, None, (problem,))]


def _import(context: Context, unit: Unit, held: list[Lock]) -> list[SessionReport]:
    settings, workspace, name = context.settings, context.workspace, unit.session.id
    _refuse_existing(context, unit, [unit.session])
    _refuse_done(context, unit)
    workspace.clear(name)
    scratch = workspace.scratch(name)
    make_folder(scratch)
    context.progress.stage(name, "reading")
    found = _sources(context, unit)
    reading, problems = read_sources(context, name, unit.names, unit.packets, found.sources, scratch)
    archives = opened_archives(reading, found.archives) if unit.inbox else unit.packets
    earlier = read_earlier(workspace.sessionsfolder / name) if unit.inbox else Earlier()
    if earlier.concealed:
        context.hidden[name] = hide_of(reading, name)
    replaced = settings.conceal or earlier.concealed
    shares, mixed = share_out(reading.groups(), unit.session, settings.on_mixed, unit.names, anonymous=replaced)
    if len(shares) > 1:
        _lock(context, [unit_lock(share.session.id) for share in shares if share.session != unit.session], held)
        _refuse_existing(context, unit, [share.session for share in shares])
    roots = {share.session.id: scratch / f"{k}" for k, share in enumerate(shares)}
    stays = unit.inbox if len(shares) == 1 else None
    join = settings.join_series is JoinSeries.AUTO
    parts = assemble(reading, shares, roots, replaced=replaced, inbox=stays, join=join)
    origin = Origin(
        name,
        archives,
        (*problems, *mixed),
        unit.inbox,
        earlier,
        {share.session.id: "" if replaced else share.patient for share in shares} if len(shares) > 1 else {},
    )
    products = [produce(context, part, reading, origin, roots[part.session.id]) for part in parts]
    if not all(context.locks.holds(lock) for lock in held):
        message = "its lock was taken over by another run, since this one slept too long; nothing was published."
        raise PacketError(Problem(Code.HELD, unit.names, message, severity=Severity.WARNING))
    had = bool(earlier.order)
    return deliver(
        context,
        Delivery(name, unit.names, archives, unit.inbox, found.sources, reading, tuple(products), stays=had),
    )


def _sources(context: Context, unit: Unit) -> SessionInbox:
    if unit.inbox is None:
        return SessionInbox(packet_sources(unit.packets), unit.packets)
    dicom = context.workspace.sessionsfolder / unit.session.id / "dicom"
    if context.settings.stages is Stages.CONVERT:
        return SessionInbox(tuple(sorted_sources(dicom)), ())
    return inbox_sources(unit.inbox, dicom if context.settings.overwrite else None)


def _refuse_existing(context: Context, unit: Unit, sessions: Sequence[SessionId]) -> None:
    """Another run may have made the session since discovery; and its place may be one where nothing can be published."""
    for session in sessions:
        folder = context.workspace.sessionsfolder / session.id
        _refuse_place(folder, unit)
        if context.settings.overwrite:
            continue
        mine = session.id == unit.session.id
        if has_results(folder) if mine and unit.inbox else has_session(folder):
            message = f"its session {session.id} is there already; nothing was changed."
            severity = Severity.WARNING if mine else Severity.ERROR
            problem = Problem(Code.EXISTS, unit.names, message, "Use --overwrite=yes to make it anew.", severity)
            raise PacketError(problem)


def _refuse_done(context: Context, unit: Unit) -> None:
    """With overwrite, another run may have made the session since discovery, and archived the packet."""
    mark = context.workspace.sessionsfolder / unit.session.id / "session.txt"
    if any(os.path.lexists(packet.path) for packet in unit.packets) or not mark.exists():
        return
    if unit.inbox is None and mark.stat().st_mtime >= context.workspace.since:
        message = "was imported by another run meanwhile."
        raise PacketError(Problem(Code.EXISTS, unit.names, message, severity=Severity.WARNING))


def _refuse_place(folder: Path, unit: Unit) -> None:
    """Publishing is renames: the session must be a folder on the file system of the others, and its parts movable."""
    if not os.path.lexists(folder):
        return
    parts = [path for path in (folder, *(folder / name for name in PARTS)) if path.is_dir() and not path.is_symlink()]
    message = ""
    if folder.is_symlink() or not folder.is_dir() or folder.stat().st_dev != folder.parent.stat().st_dev:
        message = f"its session {folder} is no folder on the file system of {folder.parent}; nothing was changed."
    elif closed := [path for path in parts if not os.access(path, os.W_OK | os.X_OK)]:
        message = f"{closed[0]} cannot be written; nothing was changed."
    if message:
        hint = "Mend that, or move the session away."
        raise PacketError(Problem(Code.CANNOT_WRITE, unit.names, message, hint))
