"""Imports units (each the packets of one session) by name, without the other packets of an inbox."""

from collections.abc import Callable, Collection, Mapping, Sequence

from qxbatch.discover.candidates import candidates
from qxbatch.events import CandidateFound, Observer
from qxbatch.model import Candidate, Report, Verdict
from qxbatch.pipeline.batch import finished_import
from qxbatch.pipeline.interrupted import finish_interrupted, judge_again, recovery_reports
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings

CheckReady = Callable[[Settings, Sequence[Candidate]], None]
"""Raises UsageError if the ready packets cannot be imported."""


def import_named(
    settings: Settings,
    packets_of_units: Mapping[str, Collection[str]],
    observer: Observer,
    open_locks: Callable[[Workspace], Locks],
    check_ready: CheckReady | None = None,
) -> Report:
    """Import the packets of these units; first, finish what a killed run left of the units.

    `packets_of_units` maps the session id of each unit to the names of the packets that may belong to it. One packet may be named
    for several units. It is refused if its session is none of these units: that session may have other packets, which are not named
    here.

    The study level (report.html, study.tsv, study.json) is not written. `check_ready` is called before the import.
    Raises UsageError, and KeyboardInterrupt when the run is stopped.
    """
    workspace = Workspace(settings.sessionsfolder, settings.work_dir, settings.masterinbox)
    locks = open_locks(workspace)
    recovery = finish_interrupted(workspace, locks, settings, packets_of_units)
    packets = {packet for names in packets_of_units.values() for packet in names}
    all_candidates = [
        judge_again(candidate, recovery, packets_of_units) for candidate in candidates(settings, only_names=packets)
    ]
    for candidate in all_candidates:
        observer.notify(CandidateFound(candidate))
    report = Report(tuple(all_candidates), tuple(recovery_reports(recovery, all_candidates)))
    ready = [candidate for candidate in all_candidates if candidate.verdict is Verdict.READY]
    if ready:
        if check_ready is not None:
            workspace.tidy()
            check_ready(settings, ready)
        with finished_import(settings, workspace, locks, ready, report, observer) as report:
            pass  # only the report is needed
    else:
        locks.sweep()  # a run can be killed after its last step, before it has released its locks
        workspace.tidy()
    return report
