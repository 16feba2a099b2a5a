"""A whole batch: recover, discover, report, import what is ready, report."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from qxbatch.discover.candidates import candidates as discover
from qxbatch.discover.units import units_of
from qxbatch.events import Observer, Observers, PacketFound, RunFinished
from qxbatch.exits import ExitStatus
from qxbatch.model import Candidate, Report, SessionReport, Verdict
from qxbatch.pipeline.writable import need_writable
from qxbatch.problems import UsageError
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.report.after import after, idle_status, status_of
from qxbatch.report.before import before
from qxbatch.report.json_file import JsonFile
from qxbatch.report.log import LogObserver
from qxbatch.report.progress import Progress
from qxbatch.settings.model import Check, Settings

if TYPE_CHECKING:
    from qxbatch.conceal import Hide

Find = Callable[[Settings], list[Candidate]]


def run(settings: Settings, find: Find | None = None, observers: Sequence[Observer] = ()) -> int:
    """Import what waits, or what `find` finds; return the exit status. Raises UsageError before anything is written.

    `observers` are told of the run's events, besides the terminal, the log and the JSON summary.
    """
    json_file = JsonFile(settings.json_file)
    progress = Progress(quiet=settings.quiet)
    observer = Observers([LogObserver(), progress, json_file, *observers])
    workspace = Workspace(settings.sessionsfolder, settings.work_dir)
    locks = Locks(workspace.locks)
    recovered: list[SessionReport] = []
    if not settings.test and workspace.top.exists():
        need_writable(settings)
        recovered = _recovered(workspace, locks)
        workspace.tidy()
    found = [_settled(candidate, recovered) for candidate in (find or discover)(settings)]
    for candidate in found:
        observer.notify(PacketFound(candidate))
    if not settings.quiet:
        print(before(found, settings), flush=True)
    ready = [candidate for candidate in found if candidate.verdict is Verdict.READY]
    report = Report(tuple(found), tuple(recovered))
    if settings.test or not ready:
        if not settings.test and workspace.top.exists():
            _tidy(workspace, locks)
        status = idle_status(settings, report, ready=bool(ready))
    elif settings.check is Check.YES and not _agreed(len(ready)):
        print("Nothing was done.")
        status = ExitStatus.OK
    else:
        need_writable(settings, ready)
        with progress:
            report = _import(settings, workspace, locks, ready, report, observer)
        status = status_of(report)
    return _end(settings, report, status, observer, json_file)


def _recovered(workspace: Workspace, locks: Locks) -> list[SessionReport]:
    """Finish what killed runs left. Raises UsageError (73) when nothing can be written there."""
    from qxbatch.pipeline.recover import recover

    try:
        return recover(workspace, locks)
    except OSError as error:
        hint = "Mend the cause and run again."
        raise UsageError(f"{workspace.top} cannot be written: {error}.", hint, ExitStatus.CANNOT_WRITE) from error


def _tidy(workspace: Workspace, locks: Locks) -> None:
    from qxbatch.pipeline.opened import tidy

    tidy(workspace, locks)


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


def _import(
    settings: Settings,
    workspace: Workspace,
    locks: Locks,
    ready: Sequence[Candidate],
    report: Report,
    observer: Observer,
) -> Report:
    """Import the ready packets; return the whole run's report, in which no packet's name names a patient."""
    from qxbatch.pipeline.opened import opened_context
    from qxbatch.pipeline.together import import_units

    units = units_of(ready, folder_mode=settings.masterinbox is None)
    with opened_context(settings, units, observer, workspace, locks) as context:
        imported = import_units(context, units)
    redact = {each.unit.name: each.redact for each in imported}
    sessions = (session for each in imported for session in each.reports)
    found = tuple(_redacted(candidate, redact) for candidate in report.candidates)
    return Report(found, (*report.sessions, *sessions))


def _redacted(candidate: Candidate, redact: Mapping[str, "Hide"]) -> Candidate:
    """A packet's own name may be the patient's."""
    if candidate.session is None or candidate.packet is None or candidate.session.id not in redact:
        return candidate
    hide = redact[candidate.session.id]
    packet = replace(candidate.packet, name=hide(candidate.packet.name))
    path = candidate.path.with_name(hide(candidate.path.name))
    return replace(candidate, path=path, packet=packet, note=hide(candidate.note))


def _agreed(count: int) -> bool:
    try:
        answer = input(f"Import {count} packet{'s' * (count != 1)}? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


def _end(settings: Settings, report: Report, status: ExitStatus, observer: Observer, json_file: JsonFile) -> int:
    text = after(report)
    if status is ExitStatus.NOTHING_READY:
        text = f"{text}\nNothing is ready to be imported (--check=no makes this no error).".strip()
    if text and (not settings.quiet or status is not ExitStatus.OK):
        print(text)
    observer.notify(RunFinished(report, status))
    if json_file.error:
        print(f"--json-file={settings.json_file} cannot be written: {json_file.error}.", file=sys.stderr)
        return int(ExitStatus.CANNOT_WRITE if status is ExitStatus.OK else status)
    return int(status)
