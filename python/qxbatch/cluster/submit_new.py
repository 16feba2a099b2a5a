"""Submits the first round of a new submission."""

import contextlib
import time
from collections.abc import Callable

from qxbatch.cluster.outcome import submitted_text
from qxbatch.cluster.state import ImportState
from qxbatch.cluster.submission import Submission
from qxbatch.cluster.submit import JobsRefusedError, RoundSubmitter
from qxbatch.counted import counted
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.settings.scheduler import SchedulerSpec


def submit_new(submission: Submission, spec: SchedulerSpec, write_script: Callable[[str], object] | None) -> str:
    """Submit waiting units, or pass the script that submits them to `write_script`; return the message.

    Raises UsageError, for example if no job is accepted, and OSError. Before UsageError, the submission is removed.
    """
    submitter = RoundSubmitter(submission, spec)
    began = time.monotonic()
    try:
        sizes = _sizes(submission)
        if write_script is not None:
            write_script(submitter.write_scripts(sizes))
            return f"The script on standard output submits {counted(len(sizes), 'session')}."
        submitted = submitter.submit(sizes)
    except UsageError as error:
        with contextlib.suppress(OSError):
            submission.remove()
        if isinstance(error, JobsRefusedError):  # its hint proposes `qxbatch resume`, but the submission was removed
            raise UsageError(error.message, "Correct the options of --scheduler.", error.status) from None
        raise
    return submitted_text(submission, len(sizes), submitted, time.monotonic() - began)


def _sizes(submission: Submission) -> dict[int, int]:
    """Return the size of each waiting unit by its number. Raises UsageError if a state cannot be read: no unit is left out."""
    reasons: list[str] = []
    states = list(submission.all_states(reasons.append))
    if len(states) != submission.unit_count:
        missing = counted(submission.unit_count - len(states), "state")
        raise UsageError(
            f"{missing} of the new submission cannot be read: {(reasons or ['a file is missing'])[0]}.",
            "Nothing was submitted. Submit the packets again.",
            ExitStatus.UNAVAILABLE,
        )
    return {state.number: state.size for state in states if state.state is ImportState.WAITING}
