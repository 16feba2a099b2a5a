"""One unit: the packets of one session, from reading to the archive. What goes wrong with it ends here."""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qxbatch.convert.run import CancelledError as ConverterCancelledError
from qxbatch.core import CancelledError, Reading, ingest
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.results import has_session
from qxbatch.ingest.assemble import assemble
from qxbatch.ingest.fallback import read_suspects
from qxbatch.ingest.patients import share_out
from qxbatch.ingest.sources import Source, packet_sources
from qxbatch.model import Candidate, Packet, SessionId, SessionReport
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.finish import finish
from qxbatch.pipeline.produce import Origin, Product, produce
from qxbatch.pipeline.recover import unit_lock
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.publish.durable import sync_tree
from qxbatch.publish.journal import Journal, write_journal
from qxbatch.publish.locks import Lock
from qxbatch.report.after import failed, outcome_line
from qxbatch.settings.model import Archive, OnDamaged
from qxbatch.verify.session import Check, session_checks

log = logging.getLogger("qxbatch")


@dataclass(frozen=True)
class Unit:
    """The packets that become one session."""

    session: SessionId
    packets: tuple[Packet, ...]

    @property
    def size(self) -> int:
        """Return the packets' bytes."""
        return sum(packet.fingerprint.size for packet in self.packets)

    @property
    def names(self) -> str:
        """Return the packets' file names."""
        return ", ".join(packet.path.name for packet in self.packets)


def units_of(ready: Iterable[Candidate]) -> list[Unit]:
    """Put the ready packets of one session together, in the order they were found."""
    units: dict[str, Unit] = {}
    for candidate in ready:
        if candidate.session is None or candidate.packet is None:
            continue
        key = candidate.session.id
        unit = units.get(key, Unit(candidate.session, ()))
        units[key] = replace(unit, packets=(*unit.packets, candidate.packet))
    return list(units.values())


def import_unit(context: Context, unit: Unit) -> list[SessionReport]:
    """Import a unit; a problem with its data is in the report, and nothing of a failed unit is visible.

    Raises CancelledError when the run is stopped.
    """
    started = time.monotonic()
    locks = _lock(context, unit)
    if locks is None:
        message = "is held by another run, and left to it."
        held = Problem(Code.HELD, unit.names, message, severity=Severity.WARNING)
        reports = [SessionReport(unit.names, unit.session, None, (held,))]
    else:
        try:
            reports = _guarded(context, unit)
        finally:
            for lock in locks:
                context.locks.release(lock)
    seconds = time.monotonic() - started
    reports = [replace(report, seconds=seconds) for report in reports]
    for report in reports:
        log.info("%s", outcome_line(report))
    line = "; ".join(outcome_line(report) for report in reports)
    context.progress.finished(unit.session.id, line, failed=any(map(failed, reports)))
    return reports


def _lock(context: Context, unit: Unit) -> list[Lock] | None:
    """Lock the session, then each packet; None when one of them is held."""
    taken: list[Lock] = []
    for name in (unit_lock(unit.session.id), *(f"packet {packet.path.name}" for packet in unit.packets)):
        lock = context.locks.take(name)
        if lock is None:
            for held in taken:
                context.locks.release(held)
            return None
        taken.append(lock)
    return taken


def _guarded(context: Context, unit: Unit) -> list[SessionReport]:
    name = unit.session.id
    try:
        return _import(context, unit)
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
        if not context.workspace.journal(name).exists():
            context.workspace.clear(name)
    return [SessionReport(unit.names, unit.session, None, (problem,))]


def _import(context: Context, unit: Unit) -> list[SessionReport]:
    settings, workspace, name = context.settings, context.workspace, unit.session.id
    _refuse_existing(context, [unit.session])
    workspace.clear(name)
    scratch = workspace.scratch(name)
    scratch.mkdir(parents=True)
    context.progress.stage(name, "reading")
    reading = _read(context, unit, packet_sources(unit.packets), scratch)
    problems = [*_damage(context, unit, reading), *read_suspects(reading, unit.names)]
    _need_images(unit, reading)
    replaced = settings.logfile is not None
    shares, mixed = share_out(reading.groups(), unit.session, settings.on_mixed, unit.names, anonymous=replaced)
    if len(shares) > 1:
        _refuse_existing(context, [share.session for share in shares])
    roots = {share.session.id: scratch / f"{k}" for k, share in enumerate(shares)}
    parts = assemble(reading, shares, roots, replaced=replaced, keep_inbox=False)
    origin = Origin(name, unit.packets, (*problems, *mixed))
    products = [produce(context, part, reading, origin, roots[part.session.id]) for part in parts]
    return _publish(context, unit, products)


def _refuse_existing(context: Context, sessions: Sequence[SessionId]) -> None:
    """Another run may have made the session since discovery."""
    if context.settings.overwrite:
        return
    for session in sessions:
        folder = context.workspace.sessionsfolder / session.id
        if has_session(folder):
            message = f"its session {session.id} was made meanwhile; nothing was changed."
            raise PacketError(Problem(Code.EXISTS, str(folder), message, "Use --overwrite=yes to make it anew."))


def _read(context: Context, unit: Unit, sources: Sequence[Source], scratch: Path) -> Reading:
    settings = context.settings
    for packet in unit.packets:
        _refuse_changed(packet, "since it was found")
    with context.slots.several() as threads:
        reading = ingest(
            [(str(source.path), source.prefix) for source in sources],
            str(scratch / "read"),
            threads=threads,
            gunzip=settings.unzip,
            max_ratio=settings.max_expansion,
            monitor=context.monitor,
        )
    for packet in unit.packets:
        _refuse_changed(packet, "while it was read")
    return reading


def _refuse_changed(packet: Packet, when: str) -> None:
    try:
        same = fingerprint(packet.path) == packet.fingerprint
    except FileNotFoundError:
        raise PacketError(
            Problem(Code.CHANGED, str(packet.path), f"vanished {when}.", "Nothing was changed.")
        ) from None
    if not same:
        hint = "Run again when its transfer has ended; --settle=SECONDS waits for quiet."
        raise PacketError(Problem(Code.CHANGED, str(packet.path), f"changed {when}.", hint))


def _damage(context: Context, unit: Unit, reading: Reading) -> list[Problem]:
    damage = reading.damage()
    if not damage:
        return []
    shown = "; ".join(damage[:5]) + (f"; and {len(damage) - 5} more" if len(damage) > 5 else "")  # noqa: PLR2004
    if context.settings.on_damaged is OnDamaged.KEEP:
        message = f"is damaged ({shown}); the rest was imported as asked, and the packet stays where it is."
        return [Problem(Code.DAMAGED_KEPT, unit.names, message, "Get a sound copy and import it with --overwrite=yes.")]
    hint = "Get a sound copy, or use --on-damaged=keep to import what can be read."
    raise PacketError(Problem(Code.DAMAGED, unit.names, f"is damaged: {shown}. Nothing was imported.", hint))


def _need_images(unit: Unit, reading: Reading) -> None:
    if reading.groups() or any(reading.row(i).kind == "par" for i in range(len(reading))):
        return
    message = f"holds no DICOM and no PAR/REC ({len(reading)} members)."
    raise PacketError(Problem(Code.NO_IMAGES, unit.names, message, "Remove it from the inbox, or complete it."))


def _publish(context: Context, unit: Unit, products: Sequence[Product]) -> list[SessionReport]:
    name, workspace = unit.session.id, context.workspace
    context.progress.stage(name, "verifying")
    for product in products:
        _verify(context, product)
        sync_tree(product.build)
    damaged = any(p.code is Code.DAMAGED_KEPT for product in products for p in product.problems)
    journal = Journal(
        unit=name,
        packets=unit.packets,
        stay=tuple(str(p.path) for p in unit.packets) if damaged else (),
        sessions=tuple(product.part.session.id for product in products),
        archive=_archive_mode(context, products),
        archive_folder=context.settings.archive_folder,
        with_inbox=True,
    )
    write_journal(workspace.journal(name), journal)
    context.progress.stage(name, "publishing")
    ending = finish(journal, workspace)
    archived = ending.archived[0] if ending.archived else None
    return [
        SessionReport(
            unit.names,
            product.part.session,
            workspace.sessionsfolder / product.part.session.id,
            (*product.problems, *(ending.problems if k == 0 else ())),
            len(product.part.series),
            product.images,
            archived=archived,
        )
        for k, product in enumerate(products)
    ]


def _archive_mode(context: Context, products: Sequence[Product]) -> Archive:
    """A packet of which a series failed is kept, whatever was asked."""
    archive = context.settings.archive
    lost = any(p.severity is Severity.ERROR for product in products for p in product.problems)
    return Archive.MOVE if archive is Archive.DELETE and lost else archive


def _verify(context: Context, product: Product) -> None:
    def check(one: Check) -> list[str]:
        with context.slots.one():
            return one()

    checks = session_checks(product.build, context.monitor)
    wrong = [text for found in context.working.map(check, checks) for text in found]
    if wrong:
        message = f"what was written is not what was read: {'; '.join(wrong[:5])}. Nothing was published."
        hint = "The packet stays where it is. Check the disk, then run again."
        raise PacketError(Problem(Code.VERIFY, product.part.session.id, message, hint))
