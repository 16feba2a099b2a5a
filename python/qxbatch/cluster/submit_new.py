"""Submits the first round of a new submission."""

import contextlib
import time
from collections.abc import Callable

from qxbatch.cluster.outcome import submitted_text
from qxbatch.cluster.state import ImportState
from qxbatch.cluster.submission import Submission
from qxbatch.cluster.submit import RoundSubmitter
from qxbatch.counted import counted
from qxbatch.problems import UsageError
from qxbatch.settings.scheduler import SchedulerSpec


def submit_new(submission: Submission, spec: SchedulerSpec, write_script: Callable[[str], object] | None) -> str:
    """Submit waiting units, or pass the script that submits them to `write_script`; return the message.

    Raises UsageError, for example if no job is accepted, and OSError. Before UsageError, the submission is removed.
    """
    sizes = {state.number: state.size for state in submission.all_states() if state.state is ImportState.WAITING}
    submitter = RoundSubmitter(submission, spec)
    began = time.monotonic()
    try:
        if write_script is not None:
            write_script(submitter.write_scripts(sizes))
            return f"The script on standard output submits {counted(len(sizes), 'session')}."
        submitted = submitter.submit(sizes)
    except UsageError as error:
        with contextlib.suppress(OSError):
            submission.remove()
        raise UsageError(error.message, "Correct the options of --scheduler.", error.status) from None
    return submitted_text(submission, len(sizes), submitted, time.monotonic() - began)
