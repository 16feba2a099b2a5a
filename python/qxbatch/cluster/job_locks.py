"""Locks of a task. They contain the id of its job, so that the queue shows whether the holder still runs."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from qxbatch.cluster.queue import Queue, ask
from qxbatch.cluster.schedulers import SCHEDULERS, Scheduler
from qxbatch.publish.locks import Locks

_OF_ARRAY = re.compile(r"(.+)_([0-9]+)")
"""The id of an array and an index. The id can contain `_` in the name of its server."""


def job_locks(folder: Path, scheduler: Scheduler, job: str) -> Locks:
    """Return the locks of a task of that job."""
    return Locks(folder, job=f"{scheduler.name} {job}" if job else "", has_ended=is_gone)


def is_gone(holder: str) -> bool:
    """Return whether the job of a lock's holder (scheduler and id, as `SLURM 17_3`) neither waits nor runs; False if unknown."""
    name, _, job = holder.partition(" ")
    scheduler = SCHEDULERS.get(name.casefold())
    if scheduler is None or not job:
        return False
    queue: Queue = ask(scheduler, [])
    match = _OF_ARRAY.fullmatch(job)
    number, index = (match[1], int(match[2])) if match else (job, None)
    # this task itself runs, so an empty queue is not the whole queue
    return queue.answered and bool(queue.tasks) and not queue.has(number, index)


def job_id(scheduler: Scheduler, environment: Mapping[str, str] = os.environ) -> str:
    """Return the id of the task's job, followed in an array by `_` and the index that the queue shows; empty outside of a job."""
    job = next((environment[name] for name in scheduler.job_variables if environment.get(name)), "")
    index = environment.get(scheduler.index_variable, "")
    return f"{job}_{index}" if job and index.isdecimal() else job
