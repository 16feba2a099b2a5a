"""Imports units (each the packets of one session) by name, without the other packets of an inbox."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from qxbatch.discover.candidates import candidates
from qxbatch.events import CandidateFound, Observer
from qxbatch.model import Candidate, Report, Verdict
from qxbatch.pipeline.batch import importing
from qxbatch.pipeline.interrupted import finish_interrupted, judge_again, recovery_reports
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings

CheckReady = Callable[[Settings, Sequence[Candidate]], None]
"""Raises UsageError if the ready packets cannot be imported."""


def ready_packets(settings: Settings, packets: Collection[str]) -> list[Candidate]:
    """Return those of the packets with these names that are ready to be imported. Raises UsageError."""
    return _ready_candidates(candidates(settings, only=packets))


def import_named(
    settings: Settings,
    packets_of_units: Mapping[str, Collection[str]],
    observer: Observer,
    open_locks: Callable[[Workspace], Locks],
    check_ready: CheckReady | None = None,
) -> Report:
    """Import the packets of these units; first, finish what a killed run left of the units.

    `packets_of_units` maps the session id of each unit to the names of its packets. A packet that has another session now is
    refused: only the packets of these units are known, so that session may be the one of another packet.

    The study level is not written. `check_ready` is called before the import. Raises UsageError, and KeyboardInterrupt when the
    run is stopped.
    """
    workspace = Workspace(settings.sessionsfolder, settings.work_dir, settings.masterinbox)
    locks = open_locks(workspace)
    recovery = finish_interrupted(workspace, locks, settings, packets_of_units)
    packets = {packet for names in packets_of_units.values() for packet in names}
    all_candidates = [
        judge_again(candidate, recovery, packets_of_units) for candidate in candidates(settings, only=packets)
    ]
    for candidate in all_candidates:
        observer.notify(CandidateFound(candidate))
    report = Report(tuple(all_candidates), tuple(recovery_reports(recovery, all_candidates)))
    ready = _ready_candidates(all_candidates)
    if ready:
        if check_ready is not None:
            workspace.tidy()
            check_ready(settings, ready)
        with importing(settings, workspace, locks, ready, report, observer) as report:
            pass  # only the report is needed
    else:
        locks.sweep()  # a run can be killed after its last step, before it has released its locks
        workspace.tidy()
    return report


def _ready_candidates(all_candidates: Iterable[Candidate]) -> list[Candidate]:
    return [candidate for candidate in all_candidates if candidate.verdict is Verdict.READY]
