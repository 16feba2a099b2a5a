"""`qxbatch cancel`: cancels the waiting and running jobs of submissions."""

from collections.abc import Mapping, Sequence

from qxbatch.cluster.command import call
from qxbatch.cluster.counts import count
from qxbatch.cluster.status import live_jobs, queues_of
from qxbatch.cluster.submission import Submission
from qxbatch.commands.submitted import submitted_in
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError


def run(options: Mapping[str, object]) -> int:
    """Cancel; return the exit status. Raises UsageError."""
    folder, submissions = submitted_in(options["<sessionsfolder>"])
    refusals: list[str] = []
    own_submissions = _readable([submission for submission in submissions if submission.is_own], refusals)
    live = live_jobs(own_submissions, queues_of(own_submissions))
    for submission, job in reversed(live):  # the dependent job first: otherwise it starts when the others end
        command = submission.scheduler.cancel
        answer = call([*command, job])
        if answer.status != 0:
            refusals.append(f"{' '.join([*command, job])}: {answer.reason}")
    if refusals:
        text = "; ".join(refusal.rstrip(".") for refusal in refusals)
        raise UsageError(f"Not all jobs were cancelled: {text}.", "Try again.", ExitStatus.NO_CONVERTER)
    unused = [
        (submission, each_round.number)
        for submission in own_submissions
        for each_round in submission.rounds()
        if each_round.printed and not each_round.jobs
    ]
    for submission, number in unused:  # scripts that were not run
        submission.remove_round(number)
    if not options["--quiet"]:
        print(f"{count(len(live), 'job')} cancelled." if live else "No job waits or runs.")
        if live or unused:
            print(f"To import what has no result: qxbatch resume {folder}")
    return int(ExitStatus.OK)


def _readable(submissions: Sequence[Submission], refusals: list[str]) -> list[Submission]:
    """Return the submissions whose jobs are known."""
    readable = []
    for submission in submissions:
        try:
            submission.rounds()
            readable.append(submission)
        except UsageError as error:
            refusals.append(error.message)
    return readable
