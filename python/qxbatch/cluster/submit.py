"""Submits units as job arrays, and a dependent job, which starts when all arrays have ended.

A unit is the packets of one session, a round the tasks that are submitted at one time. The dependent job writes the study level
(page and tables of the study), and submits the units that the scheduler refused.
"""

import hashlib
import re
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.cluster.command import Answer, run_scheduler_command
from qxbatch.cluster.grouping import JobArray, SubmissionPlan, plan_tasks
from qxbatch.cluster.schedulers import SCHEDULERS, Scheduler, printed_id
from qxbatch.cluster.script import (
    TASK_VARIABLE,
    JobScript,
    dependency,
    in_container,
    script,
    shell_word_of_task,
    submission_script,
)
from qxbatch.cluster.submission import END_JOB, REMAINING, Submission
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.settings.scheduler import SchedulerSpec
from qxbatch.visible import shell_word

GROWTH = 2
"""Factor by which tasks grow each time the scheduler refuses an array."""
MAX_GROWTH = 8
"""Maximum factor by which tasks grow in all."""
END_JOB_ATTEMPTS = 10
"""Maximum number of attempts to submit the dependent job after an array was cancelled to make room for it."""
ATTEMPT_SECONDS = 1.0
"""Pause between these attempts."""


class SubmitResult(NamedTuple):
    """The result of submitting a round."""

    round_number: int
    """Number of the round."""
    task_count: int
    """Number of tasks of the accepted arrays."""
    jobs: tuple[str, ...]
    """Ids of the arrays and of the dependent job."""
    remaining_count: int
    """Number of units that the dependent job will submit."""
    refusal: str = ""
    """The last message with which the scheduler refused a job; empty if it refused none."""


def query_max_array_size(scheduler: Scheduler) -> int:
    """Return how many tasks an array may have; Slurm is asked for its limit.

    MaxArraySize of Slurm limits the index, which begins with 0 here.
    """
    if scheduler.name == "SLURM":
        answer = run_scheduler_command(("scontrol", "show", "config"))
        match = re.search(r"(?m)^MaxArraySize\s*=\s*(\d+)", answer.out)
        if match and int(match[1]) > 0:
            return int(match[1])
    return scheduler.max_array_size


class JobsRefusedError(UsageError):
    """The scheduler accepted no job."""


class RoundSubmitter:
    """Submits one round of a submission."""

    def __init__(self, submission: Submission, spec: SchedulerSpec) -> None:
        self.submission = submission
        self.spec = spec
        self.scheduler = SCHEDULERS[spec.name]
        self.round_number = 0
        """Set when the round is added."""
        self.tasks: list[tuple[int, ...]] = []
        """The numbers of the units of each task of the accepted arrays."""
        self.arrays: list[JobArray] = []
        self.jobs: list[str] = []
        """Ids of the accepted arrays."""
        self.refusal = ""
        """The last message with which the scheduler refused a job."""
        self.sums = ""
        """Checksums of the scripts, as sha256sum reads them."""

    def submit(self, sizes: Mapping[int, int], retry_factor: int = 1) -> SubmitResult:
        """Submit units; `sizes` maps their numbers to bytes. `retry_factor` increases the requests for time and memory
        (`plan_tasks`).

        Raises UsageError, with exit status 69 if no array is accepted, and OSError.
        """
        max_array_size = query_max_array_size(self.scheduler)
        # no array is accepted yet: all units are remaining ones
        self.round_number = self.submission.add_round(SubmissionPlan((), ()), sorted(sizes))
        remaining, factor = dict(sizes), 1
        while remaining and factor <= MAX_GROWTH:
            self._submit_arrays(plan_tasks(remaining, self.spec.minutes * factor, max_array_size, retry_factor))
            remaining = self._not_accepted(sizes)
            factor *= GROWTH
        end = self._submit_end_job(remaining)
        while end is None:
            self._cancel_last_array()
            end = self._submit_end_job_later(self._not_accepted(sizes))
        remaining = self._not_accepted(sizes)
        return SubmitResult(self.round_number, len(self.tasks), (*self.jobs, end), len(remaining), self.refusal)

    def write_scripts(self, sizes: Mapping[int, int], retry_factor: int = 1) -> str:
        """Add a round and write its scripts, but submit nothing; return the script that submits them (for --print-script)."""
        planned = plan_tasks(sizes, self.spec.minutes, self.scheduler.max_array_size, retry_factor)
        self.round_number = self.submission.add_round(planned, printed=True)
        arrays = {str(k): self._write_script(str(k), array) for k, array in enumerate(planned.arrays)}
        end = self._write_script(END_JOB, None)
        return submission_script(self.scheduler, arrays, end, self.submission.jobs_path(self.round_number), self.sums)

    def _submit_arrays(self, planned: SubmissionPlan) -> None:
        """Submit arrays until one is refused."""
        start = len(self.tasks)
        for array in planned.arrays:
            end = array.first + array.size
            tasks = planned.tasks[array.first : end]
            self.arrays.append(array._replace(first=start + array.first))
            self.tasks += tasks
            # before the job is submitted, since it reads its units in the round; units that the round does not have would be lost
            self._write_round(sorted(number for task in planned.tasks[end:] for number in task))
            name = str(len(self.arrays) - 1)
            job = self._submit_script(self._write_script(name, self.arrays[-1]))
            if job is None:
                self.arrays.pop()
                del self.tasks[len(self.tasks) - len(tasks) :]
                return
            self.jobs.append(job)
            self.submission.record_job(self.round_number, name, job)

    def _not_accepted(self, sizes: Mapping[int, int]) -> dict[int, int]:
        accepted = {number for task in self.tasks for number in task}
        return {number: size for number, size in sizes.items() if number not in accepted}

    def _submit_end_job(self, remaining: Mapping[int, int]) -> str | None:
        """Submit the dependent job; return its id, None if it is refused. Raises JobsRefusedError if no array was accepted.

        `remaining` are the units that this job will submit.
        """
        if not self.jobs:
            self.submission.remove_round(self.round_number)
            raise JobsRefusedError(
                f"{self.scheduler.submit_command[0]} refused the jobs: {self.refusal}.",
                f"Correct the options of --scheduler, then: qxbatch resume {shell_word(str(self.submission.sessionsfolder))}",
                ExitStatus.UNAVAILABLE,
            )
        self._write_round(sorted(remaining))
        path = self._write_script(END_JOB, None, resubmit=bool(remaining))
        end = self._submit_script(path, dependency(self.scheduler, self.jobs))
        if end is not None:
            self.submission.record_job(self.round_number, END_JOB, end)
        return end

    def _submit_end_job_later(self, remaining: Mapping[int, int]) -> str | None:
        """Try up to END_JOB_ATTEMPTS times to submit the dependent job, since the cancelled array may still be in the queue.

        Return its id, None if each attempt is refused.
        """
        for _ in range(END_JOB_ATTEMPTS):
            end = self._submit_end_job(remaining)
            if end is not None:
                return end
            time.sleep(ATTEMPT_SECONDS)
        return None

    def _cancel_last_array(self) -> None:
        """Cancel the last array to make room for the dependent job."""
        array = self.arrays.pop()
        del self.tasks[array.first :]
        run_scheduler_command([*self.scheduler.cancel_command, self.jobs.pop()])

    def _write_round(self, remaining: Sequence[int]) -> None:
        self.submission.write_round(self.round_number, SubmissionPlan(tuple(self.tasks), tuple(self.arrays)), remaining)

    def _submit_script(self, path: Path, after: Sequence[str] = ()) -> str | None:
        """Submit a script; return the id of its job, None if it is refused."""
        words = [*self.scheduler.submit_command, *after]
        answer: Answer
        if self.scheduler.script_on_stdin:
            answer = run_scheduler_command(words, stdin=path.read_text(encoding="utf-8"))
        else:
            answer = run_scheduler_command([*words, str(path)])
        job = printed_id(self.scheduler, answer.out) if answer.status == 0 else ""
        if not job:
            self.refusal = answer.reason
        return job or None

    def _write_script(self, name: str, array: JobArray | None, *, resubmit: bool = False) -> Path:
        """Write the script of an array, or of the dependent job; with `resubmit`, that job first submits the remaining units."""
        logs = self.submission.make_log_folder(self.round_number, name)
        log = f"{self.scheduler.log_index}.log" if self._is_array(array) else "0.log"
        task = TASK_VARIABLE if array is not None else END_JOB
        job = JobScript(
            self.submission.job_name,
            logs,
            log,
            self._command(task),
            array,
            self._host_command(REMAINING) if resubmit else "",
            self.submission.unit_count,
        )
        path = self.submission.script_path(self.round_number, name)
        text = script(self.scheduler, self.spec, job)
        self.submission.write_text(path, text)
        self.sums += f"{hashlib.sha256(text.encode()).hexdigest()}  {path}\n"
        return path

    def _is_array(self, array: JobArray | None) -> bool:
        return array is not None and array.size >= self.scheduler.min_array_size

    def _words(self, program: Sequence[str], task: str) -> list[str]:
        """Return the words of the command with which a job does a task: TASK_VARIABLE, END_JOB or REMAINING."""
        folder = str(self.submission.sessionsfolder)
        submission = f"{self.submission.id}:{self.submission.record_file.digest}"  # the job refuses another record
        return [*program, "worker", folder, f"--submission={submission}", f"--task={self.round_number}/{task}"]

    def _command(self, task: str) -> str:
        """Return the command of a task for the shell; in the container if the submission has one."""
        container = self.submission.record.get("container")
        if not container:
            return self._host_command(task)
        binds = [Path(path) for path in self.submission.record["binds"]]
        return in_container(self.scheduler, Path(container), binds, self._words(["qxbatch"], task))

    def _host_command(self, task: str) -> str:
        """Return the command of a task for the shell, outside of a container."""
        words = self._words([sys.executable, "-P", "-m", "qxbatch"], task)
        return " ".join(map(shell_word_of_task, words))


def need_command(scheduler: Scheduler) -> None:
    """Raise UsageError (exit status 69) if the command that submits is not on PATH."""
    if shutil.which(scheduler.submit_command[0]) is None:
        raise UsageError(
            f"There is no {scheduler.submit_command[0]} on this host, so nothing can be submitted to {scheduler.name}.",
            "Run this on a login node, or write the script with --print-script and run it there.",
            ExitStatus.UNAVAILABLE,
        )
