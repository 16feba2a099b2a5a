"""`qxbatch cancel`: the jobs of submissions that wait or run are cancelled."""

from collections.abc import Mapping

from qxbatch.cluster.command import call
from qxbatch.cluster.counts import count
from qxbatch.cluster.status import live_jobs, queues_of, scheduler_of
from qxbatch.exits import ExitStatus
from qxbatch.parts.submitted import submitted_in
from qxbatch.problems import UsageError


def run(options: Mapping[str, object]) -> int:
    """Cancel; return the exit status. Raises UsageError."""
    folder, found = submitted_in(options["<sessionsfolder>"])
    own = [each for each in found if each.is_own]
    live = live_jobs(own, queues_of(own))
    refusals = []
    for submission, job in reversed(live):  # the dependent job first: it would begin when the others end
        command = scheduler_of(submission).cancel
        answer = call([*command, job])
        if answer.status != 0:
            refusals.append(f"{' '.join([*command, job])}: {answer.reason}")
    if refusals:
        raise UsageError(f"Not all jobs were cancelled: {'; '.join(refusals)}.", "Try again.", ExitStatus.NO_CONVERTER)
    unused = [(each, one.number) for each in own for one in each.rounds() if one.printed and not one.jobs]
    for submission, number in unused:  # scripts that were not run
        submission.remove_round(number)
    if not options["--quiet"]:
        print(f"{count(len(live), 'job')} cancelled." if live else "No job waits or runs.")
        if live or unused:
            print(f"To import what has no result: qxbatch resume {folder}")
    return int(ExitStatus.OK)
