"""The queue of the scheduler: which jobs wait or run, and the name of a job."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from qxbatch.cluster.command import run_scheduler_command
from qxbatch.cluster.schedulers import Scheduler

TIME_LIMIT = 20.0
"""Seconds after which a query has failed."""
_DIGITS = re.compile(r"\d+")


class Queue(NamedTuple):
    """The answer of the scheduler about its queue."""

    has_answered: bool
    tasks: frozenset[tuple[str, int | None]] = frozenset()
    """The tasks that wait or run: number of the job, and index in its array; None for a job that is not an array."""
    reason: str = ""
    """Why the queue did not answer."""
    pending: frozenset[tuple[str, int | None]] = frozenset()
    """Those of `tasks` that wait."""

    def has(self, job: str, index: int | None) -> bool:
        """Return whether a task, or its job if that is not an array, waits or runs."""
        key = job_number(job)
        return (key, index) in self.tasks or (key, None) in self.tasks

    def is_pending(self, job: str, index: int | None) -> bool:
        """Return whether a task, or its job if that is not an array, waits."""
        key = job_number(job)
        return (key, index) in self.pending or ((key, None) in self.pending and (key, index) not in self.tasks)

    def has_job(self, job: str) -> bool:
        """Return whether any task of a job waits or runs."""
        key = job_number(job)
        return any(number == key for number, _ in self.tasks)


def job_number(job: str) -> str:
    """Return the number in the id of a job.

    >>> job_number("1234[].server")
    '1234'
    """
    match = _DIGITS.match(job)
    return match[0] if match else job


def query_queue(scheduler: Scheduler, names: Sequence[str]) -> Queue:
    """Ask the scheduler for the jobs with these names; if `names` is empty, for all jobs.

    Schedulers reuse ids, so a job with another name is left out: it can have the id of a job that has ended.
    """
    by_name = [scheduler.name_filter.format(",".join(names))] if scheduler.name_filter and names else []
    answer = run_scheduler_command([*scheduler.query_command, *by_name], seconds=TIME_LIMIT)
    if answer.status is None or answer.status < 0:  # the command is missing, or was ended by a signal
        return Queue(False, reason=answer.reason)
    if answer.status != 0 and not re.search(scheduler.no_jobs_error, answer.err + answer.out):
        return Queue(False, reason=answer.reason)
    tasks = _tasks(scheduler, answer.out, names)
    pending = {task for task, state in tasks.items() if state in scheduler.pending_states}
    return Queue(True, frozenset(tasks), pending=frozenset(pending))


class UnconfirmedJob(NamedTuple):
    """Why the id of a submitted job must not be used to cancel: the job has ended, or another job may have its id now."""

    submitted_job_has_ended: bool
    """False: it is not known which job has the id."""
    reason: str = ""
    """Empty if the job has ended, and no other job is known to have its id."""


def unconfirmed_job(scheduler: Scheduler, job: str, name: str) -> UnconfirmedJob | None:
    """Return why it is not confirmed that the job with this id has this name; None if it has this name."""
    answer = run_scheduler_command([*scheduler.name_query, job], seconds=TIME_LIMIT)
    names = set(re.findall(scheduler.name_pattern, answer.out)) if answer.status == 0 else set()
    if names == {name}:
        return None
    if names:
        return UnconfirmedJob(True, f"job {job} of the queue is another one, {', '.join(sorted(names - {name}))}")
    queue = query_queue(scheduler, [name])
    if queue.has_answered and not queue.has_job(job):
        return UnconfirmedJob(True)
    return UnconfirmedJob(False, f"{' '.join([*scheduler.name_query, job])}: {answer.reason}")


def _tasks(scheduler: Scheduler, text: str, names: Sequence[str]) -> dict[tuple[str, int | None], str]:
    """Return the states of tasks that have not ended and have one of these names."""
    states: dict[tuple[str, int | None], str] = {}
    for line in text.splitlines():
        match = re.fullmatch(scheduler.line_pattern, line.strip())
        if match is None or not _has_name(match.groupdict().get("name"), names):
            continue
        if match["state"] not in scheduler.ended_states and match["index"] != "":  # "" is the line of a whole array
            index = match["index"] or ""
            no_array = not index.isdecimal() or int(index) < scheduler.first_index  # Slurm shows N/A, LSF 0
            states[match["job"], None if no_array else int(index)] = match["state"]
    return states


def _has_name(listed_name: str | None, names: Sequence[str]) -> bool:
    """Return whether the name in a list of the scheduler is one of these names, shortened or with an index.

    True if the list shows no name, or if `names` is empty.
    """
    if not listed_name or not names:
        return True
    shortened = listed_name.strip("*")  # a `*` marks a name that LSF shortened
    return any(shortened in name or listed_name.startswith(f"{name}[") for name in names)
