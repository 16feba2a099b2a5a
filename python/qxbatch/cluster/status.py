"""What became of submitted units: their state files, and what the scheduler's queue says of their tasks."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from qxbatch.cluster.queue import Queue, ask
from qxbatch.cluster.schedulers import SCHEDULERS, Scheduler
from qxbatch.cluster.state import FINAL, State, UnitState
from qxbatch.cluster.submission import END, Round, Submission
from qxbatch.settings.scheduler import scheduler_spec

JOB_GONE = "its job ended without a result"
NOT_SUBMITTED = "it was not submitted"


class Place(NamedTuple):
    """Where a unit is imported: a task of a round; task None: the dependent job is to submit it."""

    round: Round
    task: int | None


class Row(NamedTuple):
    """A unit and what became of it."""

    submission: Submission
    unit: UnitState
    state: State
    reason: str
    unknown: bool
    """The queue did not answer: the state is what was written down."""
    place: Place | None = None

    @property
    def log(self) -> Path | None:
        """Return the log of its task; it need not exist yet."""
        place = self.place
        if place is None or place.task is None:
            return None
        for k, array in enumerate(place.round.arrays):
            if array.first <= place.task < array.first + array.size:
                index = place.task - array.first + scheduler_of(self.submission).first
                return self.submission.log_folder(place.round.number, str(k)) / f"{index}.log"
        return None


class Status(NamedTuple):
    """All submitted units of a sessions folder, each once."""

    rows: tuple[Row, ...]
    queues: Mapping[str, Queue] = {}
    """Those that were asked, by scheduler."""

    @property
    def unanswered(self) -> str:
        """Return why a queue did not answer; empty when all did, or none was asked."""
        return next((queue.reason for queue in self.queues.values() if not queue.answered), "")

    def of_state(self, *states: State) -> list[Row]:
        """Return the rows in one of these states."""
        return [row for row in self.rows if row.state in states]


def status_of(found: Sequence[Submission]) -> Status:
    """Return the state of every unit of these submissions. A packet of several is in the state of the last one."""
    last: dict[str, tuple[Submission, UnitState]] = {}
    for submission in found:
        for state in submission.all_states():
            last.update((packet, (submission, state)) for packet in state.packets)
    current = {(submission.id, state.number): (submission, state) for submission, state in last.values()}
    open_ones = {each.id: each for each, state in current.values() if state.state not in FINAL}
    queues = queues_of(list(open_ones.values()))
    places = {submission.id: places_of(submission) for submission in {s.id: s for s, _ in current.values()}.values()}
    rows = [
        row_of(submission, state, places[submission.id].get(state.number), queues.get(scheduler_of(submission).name))
        for submission, state in current.values()
    ]
    return Status(tuple(sorted(rows, key=lambda row: (row.submission.id, row.unit.packets))), queues)


def scheduler_of(submission: Submission) -> Scheduler:
    """Return the scheduler of a submission. Raises UsageError."""
    return _scheduler(str(submission.record["scheduler"]))


@lru_cache(maxsize=8)
def _scheduler(text: str) -> Scheduler:
    return SCHEDULERS[scheduler_spec(text).name]


def live_jobs(found: Sequence[Submission], queues: Mapping[str, Queue]) -> list[tuple[Submission, str]]:
    """Return the jobs of submissions that wait or run, or may: those of a queue that does not answer."""
    jobs = [(each, job) for each in found for one in each.rounds() for job in one.jobs.values()]
    return [
        (each, job)
        for each, job in jobs
        if not (queue := queues[scheduler_of(each).name]).answered or queue.has_job(job)
    ]


def queues_of(found: Sequence[Submission]) -> dict[str, Queue]:
    """Ask each scheduler once."""
    names: dict[str, list[str]] = {}
    for submission in found:
        names.setdefault(scheduler_of(submission).name, []).append(submission.job_name)
    return {name: ask(SCHEDULERS[name.casefold()], jobs) for name, jobs in names.items()}


def places_of(submission: Submission) -> Mapping[int, Place]:
    """Return the last place of each unit."""
    places: dict[int, Place] = {}
    for each in submission.rounds():
        places.update((number, Place(each, None)) for number in each.remaining)
        for task, numbers in enumerate(submission.tasks(each.number)):
            places.update((number, Place(each, task)) for number in numbers)
    return places


def row_of(submission: Submission, unit: UnitState, place: Place | None, queue: Queue | None) -> Row:
    """Judge one unit. `queue` is None where none had to be asked."""
    if unit.state in FINAL or queue is None or not queue.answered:
        return Row(submission, unit, unit.state, unit.reason, unit.state not in FINAL, place)
    waits = _waits(submission, place)
    job = _job(submission, place)
    if job is not None and unit.state is State.RUNNING and queue.is_pending(*job):
        return Row(submission, unit, State.WAITING, "its job was requeued", False, place)
    if waits or (job is not None and queue.has(*job)):
        return Row(submission, unit, unit.state, waits or unit.reason, False, place)
    with contextlib.suppress(OSError, ValueError):  # it may have ended after its state was read
        unit = submission.state(unit.number)
    # a queue may not show the jobs of other users
    if unit.state in FINAL or submission.user != os.geteuid():
        return Row(submission, unit, unit.state, unit.reason, unit.state not in FINAL, place)
    reason = JOB_GONE if job else NOT_SUBMITTED
    return Row(submission, unit, State.LOST, f"{reason}; {unit.reason}" if unit.reason else reason, False, place)


def _waits(submission: Submission, place: Place | None) -> str:
    """Return why a unit has no job yet, where it will get one."""
    if place is None or _job(submission, place):
        return ""
    if place.round.printed and not place.round.jobs:
        return "the printed script was not run yet"
    return "it is being submitted" if submission.is_new(place.round.number) else ""


def _job(submission: Submission, place: Place | None) -> tuple[str, int | None] | None:
    """Return the job that is to import a unit, and the index of its task as the scheduler counts."""
    if place is None:
        return None
    if place.task is None:
        end = place.round.jobs.get(END)
        return None if end is None else (end, None)
    found = place.round.job_of(place.task)
    return None if found is None else (found[0], found[1] + scheduler_of(submission).first)
