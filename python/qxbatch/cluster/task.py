"""The entry point of a job's script: a task of a submission, or the dependent job."""

import os
from collections.abc import Iterator
from pathlib import Path

from qxbatch.cluster.options import task_settings
from qxbatch.cluster.state import UnitState
from qxbatch.cluster.submission import END, Submission, opened
from qxbatch.problems import UsageError

REMAINING = "remaining"


def run_task(folder: str, submission: str, task: str) -> int:
    """Import the units of a task (`ROUND/TASK`), or run the dependent job; return the exit status.

    Raises UsageError.
    """
    opened_submission = opened(Path(os.path.abspath(folder)), submission)  # noqa: PTH100 - links in the path stay
    number, _, name = task.partition("/")
    if not number.isdecimal() or not (name.isdecimal() or name in (END, REMAINING)):
        raise UsageError(f"--task={task} is not a task.", "It is written ROUND/TASK, like 1/0.")
    if name == REMAINING:
        from qxbatch.cluster.end_job import submit_remaining

        return submit_remaining(opened_submission, int(number))
    settings = task_settings(opened_submission)
    if name == END:
        from qxbatch.cluster.end_job import write_study_level

        return write_study_level(opened_submission, settings)
    from qxbatch.cluster.work import import_units

    return import_units(opened_submission, settings, list(_states(opened_submission, int(number), int(name))))


def _states(submission: Submission, number: int, task: int) -> Iterator[UnitState]:
    """Yield the units of a task. A unit whose state file cannot be read is skipped with a message; `resume` repeats it."""
    for unit in submission.task(number, task):
        try:
            yield submission.state(unit)
        except (OSError, ValueError) as error:
            print(f"Unit {unit} is left out: {error}")
