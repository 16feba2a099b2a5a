"""A whole batch: recover, discover, report, import what is ready, report."""

import os
import sys
from collections.abc import Callable, Sequence

from qxbatch.discover.candidates import candidates as discover
from qxbatch.events import Observer, PacketFound, RunFinished
from qxbatch.exits import ExitStatus
from qxbatch.model import Candidate, Report, SessionReport, Verdict
from qxbatch.pipeline.left import finish_left, without_finished
from qxbatch.pipeline.writable import need_writable
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.report.after import after, idle_status, status_of
from qxbatch.report.before import before, hints
from qxbatch.report.observers import RunObservers
from qxbatch.settings.model import Check, Settings

Find = Callable[[Settings], list[Candidate]]


def run(settings: Settings, find: Find | None = None, observers: Sequence[Observer] = ()) -> int:
    """Import what waits, or what `find` finds; return the exit status. Raises UsageError before anything is written.

    `observers` are told of the run's events, besides the terminal, the log and the JSON summary.
    """
    observer = RunObservers(settings, observers)
    workspace = Workspace(settings.sessionsfolder, settings.work_dir, settings.masterinbox)
    locks = Locks(workspace.locks, tell=None if settings.quiet else _say)
    recovered: list[SessionReport] = []
    if not settings.test and os.path.lexists(workspace.top):
        need_writable(settings)
        recovered = finish_left(workspace, locks)
        workspace.tidy()
    found = [without_finished(candidate, recovered) for candidate in (find or discover)(settings)]
    for candidate in found:
        observer.notify(PacketFound(candidate))
    if not settings.quiet:
        print(before(found, settings), flush=True)
    ready = [candidate for candidate in found if candidate.verdict is Verdict.READY]
    report = Report(tuple(found), tuple(recovered))
    if settings.test or not ready:
        if settings.test and ready:
            from qxbatch.pipeline.opened import need_converters

            need_converters(settings)
        elif not settings.test and workspace.top.exists():
            from qxbatch.pipeline.opened import tidy

            tidy(workspace, locks)
        status = idle_status(settings, report, ready=bool(ready))
    elif settings.check is Check.YES and not _agreed(len(ready)):
        print("Nothing was done.")
        status = ExitStatus.OK
    else:
        need_writable(settings, ready)
        from qxbatch.pipeline.batch import import_ready

        with observer.progress:
            report = import_ready(settings, workspace, locks, ready, report, observer)
        status = status_of(report)
    return _end(settings, report, status, observer)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _agreed(count: int) -> bool:
    try:
        answer = input(f"Import {count} packet{'s' * (count != 1)}? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


def _end(settings: Settings, report: Report, status: ExitStatus, observer: RunObservers) -> int:
    text = after(report, deidentified=settings.deidentified)
    if status is ExitStatus.NOTHING_READY:
        idle = "--check=no makes this no error."
        advice: list[str] = []
        if settings.quiet:
            idle = f"Nothing is ready: {idle}"
            advice = hints(report.candidates, settings)
        text = "\n".join(line for line in (text, *advice, idle) if line).strip()
    if text and (not settings.quiet or status is not ExitStatus.OK):
        print(text)
    observer.notify(RunFinished(report, status))
    if observer.json_file.error:
        print(f"--json-file={settings.json_file} cannot be written: {observer.json_file.error}.", file=sys.stderr)
        return int(ExitStatus.CANNOT_WRITE if status is ExitStatus.OK else status)
    return int(status)
