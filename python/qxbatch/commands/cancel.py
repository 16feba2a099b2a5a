"""`qxbatch cancel`: cancels the waiting and running jobs of submissions."""

from collections.abc import Mapping

from qxbatch.cluster.command import call
from qxbatch.cluster.counts import count
from qxbatch.cluster.status import live_jobs, queues_of, scheduler_of
from qxbatch.commands.submitted import submitted_in
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError


def run(options: Mapping[str, object]) -> int:
    """Cancel; return the exit status. Raises UsageError."""
    folder, submissions = submitted_in(options["<sessionsfolder>"])
    own_submissions = [submission for submission in submissions if submission.is_own]
    live = live_jobs(own_submissions, queues_of(own_submissions))
    refusals = []
    for submission, job in reversed(live):  # the dependent job first: otherwise it starts when the others end
        command = scheduler_of(submission).cancel
        answer = call([*command, job])
        if answer.status != 0:
            refusals.append(f"{' '.join([*command, job])}: {answer.reason}")
    if refusals:
        raise UsageError(f"Not all jobs were cancelled: {'; '.join(refusals)}.", "Try again.", ExitStatus.NO_CONVERTER)
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
