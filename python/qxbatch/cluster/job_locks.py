"""Locks of a task. They contain the id of its job, so that the queue shows whether the holder still runs."""

import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from qxbatch.cluster.queue import Queue, query_queue
from qxbatch.cluster.schedulers import SCHEDULERS, Scheduler
from qxbatch.publish.locks import Lock, Locks

WAIT_SECONDS = 60.0
"""Seconds that a task waits, in all, for locks that other runs hold."""
CHECK_SECONDS = 0.2
"""Seconds between two tries."""
_ARRAY_TASK = re.compile(r"(.+)_([0-9]+)")
"""The id of an array and an index. The id can contain `_` in the name of its server."""


class JobLocks(Locks):
    """Locks of a task. It waits for locks that are held, since the scheduler does not repeat a task that ends without a result.

    For example, a task that was cancelled to make room in the queue can still be running when its packets are submitted again.
    """

    def __init__(self, folder: Path, *, job: str, has_ended: Callable[[str], bool] | None) -> None:
        super().__init__(folder, job=job, has_ended=has_ended)
        self._remaining_seconds = WAIT_SECONDS

    def take(self, name: str) -> Lock | None:
        """Acquire the lock with that name.

        Return None if another run still holds it when WAIT_SECONDS are used up, or when this run is stopped.
        """
        while (lock := super().take(name)) is None and self._remaining_seconds > 0:
            began = time.monotonic()
            if self._stop_waiting.wait(CHECK_SECONDS):
                break
            self._remaining_seconds -= time.monotonic() - began
        return lock


def job_locks(folder: Path, scheduler: Scheduler, job: str) -> JobLocks:
    """Return the locks of a task of that job."""
    return JobLocks(folder, job=f"{scheduler.name} {job}" if job else "", has_ended=is_gone)


def is_gone(holder: str) -> bool:
    """Return whether the job of a lock's holder (scheduler and id, as `SLURM 17_3`) neither waits nor runs; False if unknown."""
    name, _, job = holder.partition(" ")
    scheduler = SCHEDULERS.get(name.casefold())
    if scheduler is None or not job:
        return False
    queue: Queue = query_queue(scheduler, [])
    match = _ARRAY_TASK.fullmatch(job)
    number, index = (match[1], int(match[2])) if match else (job, None)
    # this task itself runs, so an empty queue is not the whole queue
    return queue.has_answered and bool(queue.tasks) and not queue.has(number, index)


def job_id(scheduler: Scheduler, environment: Mapping[str, str] = os.environ) -> str:
    """Return the id of the task's job, followed in an array by `_` and the index that the queue shows; empty outside of a job."""
    job = next((environment[name] for name in scheduler.job_variables if environment.get(name)), "")
    index = environment.get(scheduler.index_variable, "")
    return f"{job}_{index}" if job and index.isdecimal() else job
