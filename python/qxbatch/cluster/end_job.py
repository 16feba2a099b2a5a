"""The dependent job, which starts when all job arrays have ended.

It writes the study level (page and tables of the study), and submits the units (the packets of one session each) that the scheduler
refused before.
"""

import sys

from qxbatch.cluster.record import candidates_of, report_of
from qxbatch.cluster.resubmit import resubmit
from qxbatch.cluster.state import State
from qxbatch.cluster.status import assignments_of, query_status
from qxbatch.cluster.submission import Submission
from qxbatch.counted import counted
from qxbatch.exits import ExitStatus
from qxbatch.model import Report
from qxbatch.pipeline.interrupted import remove_stale_locks
from qxbatch.pipeline.refresh import refresh_study
from qxbatch.problems import UsageError
from qxbatch.settings.model import Settings
from qxbatch.settings.scheduler import scheduler_spec
from qxbatch.visible import shell_word


def write_study_level(submission: Submission, settings: Settings) -> int:
    """Write the study level, remove locks of killed tasks, and print how many units have each state; return the exit status."""
    states = list(submission.all_states())
    sessions = tuple(report_of(state, settings.sessionsfolder) for state in states)
    refresh_study(settings, Report(tuple(candidates_of(submission.record)), sessions), sessions_changed=True)
    remove_stale_locks(settings.sessionsfolder)
    counts = {state: sum(unit.state is state for unit in states) for state in State}
    print(", ".join(f"{number} {state}" for state, number in counts.items() if number))
    return int(ExitStatus.OK)


def submit_remaining(submission: Submission, round_number: int) -> int:
    """Submit the units of a round that the scheduler refused, except those that have a result; return the exit status.

    A round consists of the tasks that were submitted at one time, and of these units.

    If they cannot be submitted, a message says to run `qxbatch resume` on another host. Raises UsageError if files of the
    submission cannot be read.
    """
    assignments_of(submission)  # raises if the assignments of units cannot be read: their jobs may wait or run
    rows = [
        row
        for row in query_status([submission]).rows
        if row.unit.number in submission.round(round_number).remaining_units
    ]
    units = [row.unit for row in rows if row.state not in (State.DONE, State.FAILED)]
    try:
        submitted = resubmit(submission, units, scheduler_spec(str(submission.record["scheduler"])))
    except UsageError as error:
        folder = shell_word(str(submission.sessionsfolder))
        print(f"{error.message} Submit them elsewhere: qxbatch resume {folder}", file=sys.stderr)
        return int(error.status)
    if submitted is not None:
        jobs = "job" if len(submitted.jobs) == 1 else "jobs"
        print(
            f"Submitted {counted(len(units) - submitted.remaining_count, 'session')}: {jobs} {', '.join(submitted.jobs)}."
        )
    return int(ExitStatus.OK)
