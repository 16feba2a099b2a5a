"""A whole run: finish interrupted imports, find packets, list them, import what is ready, report."""

import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from qxbatch.discover.candidates import candidates as discover
from qxbatch.events import Observer
from qxbatch.model import Candidate, Report, Verdict
from qxbatch.pipeline.ending import end_declined, end_idle, end_imported
from qxbatch.pipeline.hidden_packets import hidden_packet_reports
from qxbatch.pipeline.interrupted import candidate_after_recovery, finish_interrupted, recovery_reports
from qxbatch.pipeline.no_import import check_converters_or_refresh_study
from qxbatch.pipeline.writable import need_writable
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.report.observers import RunObservers
from qxbatch.report.preview import preview
from qxbatch.settings.model import Check, Settings, Stages

Find = Callable[[Settings], list[Candidate]]
"""Returns the entries of the inbox with their verdicts, in place of the discovery."""


class Submitter(Protocol):
    """Submits ready packets to a cluster instead of importing them in this process."""

    def describe(self, settings: Settings, ready: Sequence[Candidate]) -> str:
        """Return a description of the work, for --test. Raises UsageError."""

    def carry_out(
        self,
        settings: Settings,
        workspace: Workspace,
        locks: Locks,
        ready: Sequence[Candidate],
        report: Report,
        observer: RunObservers,
    ) -> int:
        """Submit the packets; return the exit status. Raises UsageError."""


def run(
    settings: Settings, find: Find | None = None, observers: Sequence[Observer] = (), submitter: Submitter | None = None
) -> int:
    """Import the packets in the inbox, or those that `find` returns; return the exit status.

    `observers` receive the run's events, like the terminal, the log and the JSON summary. `submitter` replaces the import of
    the ready packets in this process. Raises UsageError before a ready packet is imported, and KeyboardInterrupt.
    """
    observer = RunObservers(settings, observers)
    workspace = Workspace(settings.sessionsfolder, settings.work_dir, settings.masterinbox)
    locks = Locks(workspace.locks_folder, notify=None if settings.quiet else _print_notice)
    recovery = None
    has_remains = not settings.test and workspace.has_remains
    if has_remains:
        need_writable(settings)
        recovery = finish_interrupted(workspace, locks, settings)
        workspace.tidy()
    candidates = [candidate_after_recovery(candidate, recovery) for candidate in (find or discover)(settings)]
    observer.notify_candidates(candidates)
    if not settings.quiet:
        print(preview(candidates, settings), flush=True)
    ready = [candidate for candidate in candidates if candidate.verdict is Verdict.READY]
    hidden_reports = [] if find else hidden_packet_reports(settings, workspace)
    report = Report(tuple(candidates), (*recovery_reports(recovery, candidates), *hidden_reports))
    if settings.test or not ready:
        if submitter is not None and settings.test and ready:
            print(submitter.describe(settings, ready))
        else:
            check_converters_or_refresh_study(
                settings, workspace, locks, report, ready=bool(ready), has_remains=has_remains
            )
        return end_idle(settings, report, observer, ready=bool(ready))
    if settings.check is Check.YES and not _user_agrees(settings, len(ready)):
        return end_declined(settings, report, observer)
    need_writable(settings, ready)
    if submitter is not None:
        return submitter.carry_out(settings, workspace, locks, ready, report, observer)
    from qxbatch.pipeline.batch import import_ready

    with observer.progress:
        report = import_ready(settings, workspace, locks, ready, report, observer)
    return end_imported(settings, report, observer)


def _print_notice(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _user_agrees(settings: Settings, count: int) -> bool:
    """Ask whether to import the ready packets; return whether the answer is yes. The end of the input counts as no."""
    noun = "packet" if settings.stages is Stages.ALL else "session"
    # the values of Stages are verbs: import, sort, convert
    question = f"{settings.stages.capitalize()} {count} {noun}{'s' * (count != 1)}? [y/N] "
    print(question, end="", file=sys.stderr, flush=True)  # `input` prints it to stdout, which can be a file
    try:
        answer = input()
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")
