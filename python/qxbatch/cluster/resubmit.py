"""Units of a submission are submitted once more."""

from collections.abc import Sequence

from qxbatch.cluster.schedulers import SCHEDULERS
from qxbatch.cluster.state import State, UnitState
from qxbatch.cluster.submission import Submission
from qxbatch.cluster.submit import Submitted, Submitter, need_command
from qxbatch.problems import UsageError
from qxbatch.settings.scheduler import SchedulerSpec

MOST = 8
"""So many times the first estimate of time and memory, at most."""


def resubmit(submission: Submission, units: Sequence[UnitState], spec: SchedulerSpec) -> Submitted | None:
    """Submit units again; None where there are none. Raises UsageError.

    Those that were begun before get twice the estimated time and memory for each attempt.
    """
    if not units:
        return None
    need_command(SCHEDULERS[spec.name])
    wait_again(submission, units)
    try:
        return Submitter(submission, spec).submit({each.number: each.size for each in units}, more_of(units))
    except UsageError:
        for each in units:
            submission.write(each)
        raise


def script_again(submission: Submission, units: Sequence[UnitState], spec: SchedulerSpec) -> str:
    """Return the script that submits units again."""
    wait_again(submission, units)
    return Submitter(submission, spec).print_script({each.number: each.size for each in units}, more_of(units))


def wait_again(submission: Submission, units: Sequence[UnitState]) -> None:
    """Write that units wait."""
    for each in units:
        submission.write(each._replace(state=State.WAITING, reason="", problem=None))


def more_of(units: Sequence[UnitState]) -> int:
    """Return how many times the first estimate is requested."""
    return min(MOST, 1 << max(each.attempts for each in units))
