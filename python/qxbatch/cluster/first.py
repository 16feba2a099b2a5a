"""The first round of a new submission."""

import shutil
import time
from collections.abc import Callable

from qxbatch.cluster.counts import count
from qxbatch.cluster.outcome import submitted_text
from qxbatch.cluster.state import State
from qxbatch.cluster.submission import Submission
from qxbatch.cluster.submit import Submitter
from qxbatch.problems import UsageError
from qxbatch.settings.scheduler import SchedulerSpec


def submit_new(submission: Submission, spec: SchedulerSpec, out: Callable[[str], object] | None) -> str:
    """Submit what waits, or give the script that does it to `out`; return the message for people.

    Raises UsageError, and removes the submission then: nothing of it would run.
    """
    sizes = {each.number: each.size for each in submission.all_states() if each.state is State.WAITING}
    submitter = Submitter(submission, spec)
    began = time.monotonic()
    try:
        if out is not None:
            out(submitter.print_script(sizes))
            return f"The script on standard output submits {count(len(sizes), 'packet')}."
        submitted = submitter.submit(sizes)
    except UsageError as refused:
        shutil.rmtree(submission.folder, ignore_errors=True)
        raise UsageError(refused.message, "Correct the options of --scheduler.", refused.status) from None
    return submitted_text(submission, len(sizes), submitted, time.monotonic() - began)
