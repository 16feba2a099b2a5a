"""`qxbatch cancel`: cancels the waiting and running jobs of submissions."""

import contextlib
from collections.abc import Mapping, Sequence

from qxbatch.cluster.command import run_scheduler_command
from qxbatch.cluster.options import refuse_copy
from qxbatch.cluster.queue import unconfirmed_job
from qxbatch.cluster.state import ImportState
from qxbatch.cluster.status import live_jobs, query_status
from qxbatch.cluster.submission import Submission
from qxbatch.commands.submitted import print_warnings, submissions_in
from qxbatch.counted import counted
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.visible import shell_word


def run(options: Mapping[str, object]) -> int:
    """Cancel the jobs of this user's submissions, and remove rounds whose printed script was not run; return the exit status.

    Raises UsageError, also if some jobs are not cancelled.
    """
    folder, submissions = submissions_in(options["<sessionsfolder>"])
    refusals: list[str] = []
    own_submissions = _readable_submissions([submission for submission in submissions if submission.is_own], refusals)
    jobs, queues = live_jobs(own_submissions)
    refusals += [
        f"{name}: the queue does not answer: {queue.reason}" for name, queue in queues.items() if not queue.has_answered
    ]
    live = [(submission, job) for submission, job in jobs if queues[submission.scheduler.name].has_answered]
    # each dependent job is after its arrays in the list, and is cancelled first: otherwise it starts when the arrays end
    cancelled_count = sum([_cancel(submission, job, refusals) for submission, job in reversed(live)])
    others_text = _text_of_others(submissions)
    print_warnings([others_text] if others_text else [])
    if refusals:
        text = "; ".join(refusal.rstrip(".") for refusal in refusals)
        raise UsageError(f"Not all jobs were cancelled: {text}.", "Try again.", ExitStatus.UNAVAILABLE)
    # a round: tasks that were submitted together, or printed as one script; these scripts were not run
    unused_rounds = [
        (submission, each_round.number)
        for submission in own_submissions
        for each_round in submission.rounds()
        if each_round.has_printed_script and not each_round.jobs
    ]
    if not options["--quiet"]:
        none_text = "No job of this user waits or runs." if others_text else "No job waits or runs."
        print(f"{counted(cancelled_count, 'job')} cancelled." if cancelled_count else none_text)
    for submission, number in unused_rounds:
        submission.remove_round(number)
    if (cancelled_count or unused_rounds) and not options["--quiet"]:
        print(f"To import what has no result: qxbatch resume {shell_word(str(folder))}")
    return int(ExitStatus.OK)


def _text_of_others(submissions: Sequence[Submission]) -> str:
    """Return a text that counts the submissions of other users whose packets wait or run, as far as known; empty without one."""
    others = [submission for submission in submissions if not submission.is_own]
    with contextlib.suppress(OSError):  # their states cannot be listed
        rows = query_status(others).rows_in_state(ImportState.WAITING, ImportState.RUNNING)
        ids = {row.submission.id for row in rows}
        others = [submission for submission in others if submission.id in ids]
    if not others:
        return ""
    if len(others) == 1:
        return f"Not cancelled: 1 submission of another user, {others[0].owner_id}. Only that user can cancel it."
    return f"Not cancelled: {len(others)} submissions of other users. Only these users can cancel them."


def _cancel(submission: Submission, job: str, refusals: list[str]) -> bool:
    """Cancel a job if the queue shows that it is the submitted one; return whether it was cancelled.

    If it may still wait or run, and was not cancelled, add the reason to `refusals`.
    """
    scheduler = submission.scheduler
    unconfirmed = unconfirmed_job(scheduler, job, submission.job_name)
    if unconfirmed is not None:
        if not unconfirmed.submitted_job_has_ended:
            refusals.append(unconfirmed.reason)
        elif unconfirmed.reason:
            print_warnings([f"Not cancelled: {unconfirmed.reason}; that of submission {submission.id} has ended."])
        return False
    answer = run_scheduler_command([*scheduler.cancel_command, job])
    if answer.status != 0:
        refusals.append(f"{' '.join([*scheduler.cancel_command, job])}: {answer.reason}")
    return answer.status == 0


def _readable_submissions(submissions: Sequence[Submission], refusals: list[str]) -> list[Submission]:
    """Return the submissions of this study whose jobs are known; add the reasons of the others to `refusals`."""
    readable = []
    for submission in submissions:
        try:
            refuse_copy(submission)
            submission.rounds()
            readable.append(submission)
        except UsageError as error:
            refusals.append(error.message)
    return readable
