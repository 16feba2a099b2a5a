"""The entry point of the scripts of cluster jobs.

Each task of an array job imports its units (the packets of one session each). The dependent job, which starts when all arrays have
ended, writes the study level (page and tables of the study) and submits the units that the scheduler refused.
"""

from collections.abc import Iterator

from qxbatch.cluster.options import restore_settings
from qxbatch.cluster.state import UnitState
from qxbatch.cluster.submission import END_JOB, REMAINING, Submission, open_submission
from qxbatch.problems import UsageError
from qxbatch.settings.paths import absolute_form


def run_task(sessionsfolder: str, submission_id: str, task: str) -> int:
    """Do the work of a task, and return the exit status.

    `submission_id` is `ID:SHA256` of the submission's record, or `ID`. `task` is `ROUND/NUMBER` to import the units of a
    task, `ROUND/end` to write the study level, or `ROUND/remaining` to submit the units that the scheduler refused.

    Raises UsageError.
    """
    submission = open_submission(absolute_form(sessionsfolder), submission_id)
    round_number, _, name = task.partition("/")
    if not round_number.isdecimal() or not (name.isdecimal() or name in (END_JOB, REMAINING)):
        raise UsageError(f"--task={task} is not a task.", "It is written ROUND/TASK, like 1/0.")
    if name == REMAINING:
        from qxbatch.cluster.remaining import submit_remaining

        return submit_remaining(submission, int(round_number))
    settings = restore_settings(submission)
    if name == END_JOB:
        from qxbatch.cluster.end_job import write_study_level

        return write_study_level(submission, settings)
    from qxbatch.cluster.work import import_task

    return import_task(submission, settings, list(_states(submission, int(round_number), int(name))))


def _states(submission: Submission, round_number: int, task: int) -> Iterator[UnitState]:
    """Yield the states of a task's units. A unit whose state file cannot be read is skipped with a message."""
    for unit in submission.task(round_number, task):
        try:
            yield submission.state(unit)
        except (OSError, ValueError) as error:
            print(f"Unit {unit} is skipped: {error}")
