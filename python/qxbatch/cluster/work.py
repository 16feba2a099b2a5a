"""Imports the units of a task. A unit is the packets of one session."""

import socket
from collections.abc import Sequence

from qxbatch.cluster.allocation import limited_to_allocation
from qxbatch.cluster.job_locks import job_id, job_locks
from qxbatch.cluster.observer import StateWriter
from qxbatch.cluster.state import FINAL, UnitState
from qxbatch.cluster.submission import Submission
from qxbatch.cluster.unready import write_unready_states
from qxbatch.exits import ExitStatus
from qxbatch.pipeline.ending import end_named
from qxbatch.pipeline.interrupted import remove_stale_locks
from qxbatch.pipeline.named_units import import_named
from qxbatch.report.observers import RunObservers
from qxbatch.settings.model import Settings


def import_task(submission: Submission, settings: Settings, states: Sequence[UnitState]) -> int:
    """Import those of the units that have no result yet; return the exit status. A requeued task does not repeat the others."""
    todo = [state for state in states if state.state not in FINAL]
    if not todo:
        remove_stale_locks(settings.sessionsfolder)
        print("All packets of this task have results.")
        return int(ExitStatus.OK)
    scheduler = submission.scheduler
    settings = limited_to_allocation(settings, scheduler, max(state.size for state in todo))
    job = job_id(scheduler)
    writer = StateWriter(submission, todo, f"job {job} on {socket.gethostname()}")
    observer = RunObservers(settings, [writer])
    packets_of_units: dict[str, tuple[str, ...]] = {}
    for state in todo:  # packets of one session that were refused are several units
        packets_of_units[state.name] = (*packets_of_units.get(state.name, ()), *state.packets)
    with observer.progress:
        report = import_named(
            settings,
            packets_of_units,
            observer,
            open_locks=lambda workspace: job_locks(workspace.locks_folder, scheduler, job),
        )
    write_unready_states(report, writer, settings)
    return end_named(settings, report, observer)
