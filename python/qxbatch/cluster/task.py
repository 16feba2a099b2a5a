"""What a job's script calls on a node: a task of a submission, or what the dependent job does."""

import os
from collections.abc import Iterator
from pathlib import Path

from qxbatch.cluster.options import task_settings
from qxbatch.cluster.state import UnitState
from qxbatch.cluster.submission import END, Submission, opened
from qxbatch.problems import UsageError

REMAINING = "remaining"


def run_task(folder: str, submission: str, task: str) -> int:
    """Import the units of a task (`ROUND/TASK`), or do what the dependent job does; return the exit status.

    Raises UsageError.
    """
    found = opened(Path(os.path.abspath(folder)), submission)  # noqa: PTH100 - links in the path stay
    number, _, name = task.partition("/")
    if not number.isdecimal() or not (name.isdecimal() or name in (END, REMAINING)):
        raise UsageError(f"--task={task} is no task.", "It is written ROUND/TASK, like 1/0.")
    if name == REMAINING:
        from qxbatch.cluster.end import submit_remaining

        return submit_remaining(found, int(number))
    settings = task_settings(found)
    if name == END:
        from qxbatch.cluster.end import write_study_level

        return write_study_level(found, settings)
    from qxbatch.cluster.work import import_units

    return import_units(found, settings, list(_states(found, int(number), int(name))))


def _states(submission: Submission, number: int, task: int) -> Iterator[UnitState]:
    """Yield the units of a task; one whose state file cannot be read is said aloud, and left to `resume`."""
    for unit in submission.task(number, task):
        try:
            yield submission.state(unit)
        except (OSError, ValueError) as error:
            print(f"Unit {unit} is left out: {error}")
