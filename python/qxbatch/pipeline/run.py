"""A whole batch: recover, discover, report, import what is ready, report."""

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qxbatch.exits import ExitStatus
from qxbatch.model import Candidate, Report, SessionReport, Verdict
from qxbatch.problems import Code, UsageError
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Archive, Check, Settings

if TYPE_CHECKING:
    from concurrent.futures import Future

    from qxbatch.archive.numbers import Numbers
    from qxbatch.conceal import Hide
    from qxbatch.core import Monitor
    from qxbatch.pipeline.context import Context
    from qxbatch.pipeline.unit import Unit

log = logging.getLogger("qxbatch")


Find = Callable[[Settings], list[Candidate]]


def run(settings: Settings, find: Find | None = None) -> int:
    """Import what waits, or what `find` finds; return the exit status. Raises UsageError before anything is written."""
    from qxbatch.discover.candidates import candidates as discover
    from qxbatch.report.before import before

    workspace = Workspace(settings.sessionsfolder, settings.work_dir)
    locks = Locks(workspace.locks)
    recovered: list[SessionReport] = []
    if not settings.test and workspace.top.exists():
        _need_writable(settings)
        recovered = _recovered(workspace, locks)
        workspace.tidy()
    found = [_settled(candidate, recovered) for candidate in (find or discover)(settings)]
    if not settings.quiet:
        print(before(found, settings), flush=True)
    ready = [c for c in found if c.verdict is Verdict.READY]
    report = Report(tuple(found), tuple(recovered))
    if not settings.test and not ready:
        _tidy(workspace, locks)
    if settings.test or not ready:
        return _end(settings, report, _idle_status(settings, report, bool(ready)))
    if settings.check is Check.YES and not _agreed(len(ready)):
        print("Nothing was done.")
        return _end(settings, report, ExitStatus.OK)
    _need_writable(settings, ready)
    return _import(settings, workspace, locks, ready, report)


def _recovered(workspace: Workspace, locks: Locks) -> list[SessionReport]:
    """Finish what killed runs left. Raises UsageError (73) when nothing can be written there."""
    from qxbatch.pipeline.recover import recover

    try:
        return recover(workspace, locks)
    except OSError as error:
        hint = "Mend the cause and run again."
        raise UsageError(f"{workspace.top} cannot be written: {error}.", hint, ExitStatus.CANNOT_WRITE) from error


def _settled(candidate: Candidate, recovered: Sequence[SessionReport]) -> Candidate:
    """What was finished a moment ago is not made anew at once, though --overwrite=yes asks for it."""
    if candidate.verdict is not Verdict.READY or candidate.session is None:
        return candidate
    for report in recovered:
        same = report.session is not None and report.session.id == candidate.session.id
        if (
            same
            and report.folder is not None
            and not (candidate.path.is_file() and report.packet != candidate.path.name)
        ):
            note = "finished now, from where an interrupted run stopped"
            return replace(candidate, verdict=Verdict.ALREADY_THERE, note=note)
    return candidate


def _import(settings: Settings, workspace: Workspace, locks: Locks, ready: Sequence[Candidate], report: Report) -> int:
    from qxbatch.convert.available import check_available
    from qxbatch.core import Monitor
    from qxbatch.pipeline.context import Context
    from qxbatch.pipeline.unit import units_of
    from qxbatch.report.progress import Progress

    tools = check_available(settings)
    for note in tools.notes:
        print(note, file=sys.stderr)
    units = units_of(ready, folder_mode=settings.masterinbox is None)
    monitor = Monitor()
    numbers = _numbers(settings, workspace, locks, units, monitor)
    done: Sequence[Unit] = ()
    with Progress(len(units), monitor, quiet=settings.quiet) as progress:
        context = Context(settings, workspace, locks, tools, progress, monitor, numbers=numbers)
        try:
            sessions = _run_units(context, units)
            done = units
        finally:
            locks.sweep()
            context.close()
            _tidy(workspace, locks, done)
    found = tuple(_hidden(candidate, context.hidden) for candidate in report.candidates)
    report = Report(found, (*report.sessions, *sessions))
    return _end(settings, report, _status(report))


def _tidy(workspace: Workspace, locks: Locks, done: Sequence["Unit"] = ()) -> None:
    """Remove what is needed no more of the hidden folder."""
    if workspace.top.exists():
        from qxbatch.archive.kept_numbers import forget_numbers

        forget_numbers(workspace, locks, _inboxes(done))
        workspace.tidy()


def _numbers(
    settings: Settings, workspace: Workspace, locks: Locks, units: Sequence["Unit"], monitor: "Monitor"
) -> "Numbers":
    """Choose the numbers of archives of one name. Raises UsageError (73) when they cannot be written down."""
    from qxbatch.pipeline.archive_numbers import numbers_of

    try:
        return numbers_of(_inboxes(units), settings, workspace, locks, monitor)
    except (OSError, KeyboardInterrupt) as error:
        _tidy(workspace, locks)
        if isinstance(error, KeyboardInterrupt):
            raise
        hint = "Mend the cause and run again."
        raise UsageError(f"{workspace.numbers} cannot be written: {error}.", hint, ExitStatus.CANNOT_WRITE) from error


def _inboxes(units: Sequence["Unit"]) -> list[Path]:
    return [unit.inbox for unit in units if unit.inbox is not None]


def _hidden(candidate: Candidate, hidden: Mapping[str, "Hide"]) -> Candidate:
    """A packet's own name may be the patient's."""
    if candidate.session is None or candidate.packet is None or candidate.session.id not in hidden:
        return candidate
    hide = hidden[candidate.session.id]
    packet = replace(candidate.packet, name=hide(candidate.packet.name))
    path = candidate.path.with_name(hide(candidate.path.name))
    return replace(candidate, path=path, packet=packet, note=hide(candidate.note))


def _run_units(context: "Context", units: Sequence["Unit"]) -> list[SessionReport]:
    """Run the units in parallel, the largest first; reports come in the units' own order."""
    from concurrent.futures import ThreadPoolExecutor

    from qxbatch.pipeline.signals import afterwards
    from qxbatch.pipeline.unit import import_unit
    from qxbatch.pipeline.waiting import stopping, wait_for

    order = sorted(range(len(units)), key=lambda i: -units[i].size)
    # One more than there are CPUs: while one waits for the disk, or its threads for each other, another has work.
    together = context.settings.n_procs + (context.settings.n_procs > 1)
    pool = ThreadPoolExecutor(max(1, min(len(units), together)))
    futures: dict[int, Future[list[SessionReport]]] = {}
    try:
        with afterwards():
            for i in order:
                futures[i] = pool.submit(import_unit, context, units[i])
        wait_for(list(futures.values()))
    except KeyboardInterrupt:
        stopping(context.interrupt)
        for future in futures.values():
            future.cancel()
        raise
    finally:
        pool.shutdown(wait=True)
    return [report for i in range(len(units)) for report in futures[i].result()]


def _agreed(count: int) -> bool:
    try:
        answer = input(f"Import {count} packet{'s' * (count != 1)}? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


def _idle_status(settings: Settings, report: Report, ready: bool) -> ExitStatus:
    status = _status(report)
    if status is ExitStatus.OK and not ready and not report.sessions and settings.check is Check.ANY:
        return ExitStatus.NOTHING_READY
    return status


def _status(report: Report) -> ExitStatus:
    from qxbatch.report.after import failed

    if any(c.problem is not None for c in report.candidates) or any(map(failed, report.sessions)):
        return ExitStatus.FAILED
    held = [any(p.code is Code.HELD for p in s.problems) for s in report.sessions]
    return ExitStatus.HELD if held and all(held) else ExitStatus.OK


def _end(settings: Settings, report: Report, status: ExitStatus) -> int:
    from qxbatch.report.after import after, as_json

    text = after(report)
    if status is ExitStatus.NOTHING_READY:
        text = f"{text}\nNothing is ready to be imported (--check=no makes this no error).".strip()
    if text and (not settings.quiet or status is not ExitStatus.OK):
        print(text)
    log.info("exit status %d", status)
    if settings.json_file is not None:
        import json

        told = json.dumps(as_json(report, status), indent=1) + "\n"
        try:
            settings.json_file.write_text(told, encoding="utf-8")
        except OSError as error:
            print(f"--json-file={settings.json_file} cannot be written: {error.strerror}.", file=sys.stderr)
            return int(ExitStatus.CANNOT_WRITE if status is ExitStatus.OK else status)
    return int(status)


def _need_writable(settings: Settings, ready: Sequence[Candidate] = ()) -> None:
    """Raise UsageError (73) when the sessions cannot be written, or packets are to leave a folder that cannot be."""
    _need_folder(settings.sessionsfolder, "the sessions folder", "Give a folder you may write to.")
    if settings.archive in (Archive.MOVE, Archive.COPY):
        hint = "Use --archive=leave, or make it writable."
        _need_folder(_lowest_there(settings.archive_folder), f"the archive (--archive={settings.archive})", hint)
    if settings.archive not in (Archive.MOVE, Archive.DELETE):
        return
    for folder in sorted({c.path.parent for c in ready}):
        hint = "Use --archive=leave or --archive=copy, or make it writable."
        _need_folder(folder, f"the packets' folder (--archive={settings.archive})", hint)


def _lowest_there(folder: Path) -> Path:
    """The folder itself, or the one above it in which it is to be made."""
    return folder if folder.exists() else _lowest_there(folder.parent)


def _need_folder(folder: Path, what: str, hint: str) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{what} {folder} cannot be written.", hint, ExitStatus.CANNOT_WRITE)
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        raise UsageError(f"{what} {folder} lies on a read-only file system.", hint, ExitStatus.CANNOT_WRITE)
