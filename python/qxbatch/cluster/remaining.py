"""Submits units (the packets of one session each) that the scheduler refused before. The dependent job calls this."""

import sys

from qxbatch.cluster.resubmit import resubmit
from qxbatch.cluster.state import ImportState, UnitState
from qxbatch.cluster.status import assignments_of, query_status
from qxbatch.cluster.submission import Submission
from qxbatch.cluster.submit_lock import submit_lock
from qxbatch.counted import counted
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.settings.scheduler import scheduler_spec
from qxbatch.visible import one_line, shell_word


def submit_remaining(submission: Submission, round_number: int) -> int:
    """Submit the units of a round that the scheduler refused, except those that have a result; return the exit status.

    A round consists of the tasks that were submitted at one time, and of these units.

    If the units cannot be submitted, a message says to run `qxbatch resume` on another host. Raises UsageError, for example if
    files of the submission cannot be read, and OSError.
    """
    # `qxbatch resume` can submit packets of the submission at the same time
    with submit_lock(submission.sessionsfolder):
        assignments_of(submission)  # raises if the assignments of units cannot be read: their jobs may wait or run
        units = _remaining_units(submission, round_number)
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


def _remaining_units(submission: Submission, round_number: int) -> list[UnitState]:
    """Return the units without a result that the dependent job of this round submits: no later round has them."""
    status = query_status([submission])
    for reason in status.unreadable:
        print(one_line(reason), file=sys.stderr)
    return [
        row.unit
        for row in status.rows
        if row.state not in (ImportState.DONE, ImportState.FAILED)
        and row.assignment is not None
        and row.assignment.task is None
        and row.assignment.round.number == round_number
    ]
