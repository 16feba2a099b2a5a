"""The states of submitted units (the packets of one session each), from their state files and the queue of the scheduler."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.cluster.queue import Queue, query_queue
from qxbatch.cluster.rounds import Round
from qxbatch.cluster.schedulers import SCHEDULERS
from qxbatch.cluster.state import FINAL, State, UnitState
from qxbatch.cluster.submission import END_JOB, Submission
from qxbatch.counted import counted
from qxbatch.problems import UsageError

JOB_GONE = "its job ended without a result"
NOT_SUBMITTED = "it was not submitted"


class TaskAssignment(NamedTuple):
    """The round and the task that import a unit. If the task is None, the dependent job (the last one) will submit the unit."""

    round: Round
    task: int | None


class Assignments(NamedTuple):
    """The last assignment of each unit of a submission."""

    by_unit: Mapping[int, TaskAssignment]
    """Maps the number of a unit to its last assignment."""
    may_get_first_round: bool
    """Whether the submission is so new that units without an assignment may get jobs at any moment."""


class UnitRow(NamedTuple):
    """A row of a Status: a submitted unit and its state."""

    submission: Submission
    unit: UnitState
    state: State
    reason: str
    is_unknown: bool
    """Whether the state is only the last recorded one: the queue did not answer or may hide the job, or rounds cannot be read."""
    assignment: TaskAssignment | None = None

    @property
    def log(self) -> Path | None:
        """Return the log of its task; it need not exist yet."""
        assignment = self.assignment
        if assignment is None or assignment.task is None:
            return None
        for k, array in enumerate(assignment.round.arrays):
            if array.first <= assignment.task < array.first + array.size:
                index = assignment.task - array.first + self.submission.scheduler.first_index
                return self.submission.log_folder(assignment.round.number, str(k)) / f"{index}.log"
        return None


class Status(NamedTuple):
    """The units of submissions, each packet in its last submission."""

    rows: tuple[UnitRow, ...]
    queues: Mapping[str, Queue] = {}
    """The queues that were read, by scheduler."""
    unreadable: tuple[str, ...] = ()
    """Why submissions, or states of their packets, could not be read."""

    @property
    def why_no_answer(self) -> str:
        """Return why a queue did not answer; empty if all answered or none was read."""
        return next((queue.reason for queue in self.queues.values() if not queue.has_answered), "")

    def rows_in_state(self, *states: State) -> list[UnitRow]:
        """Return the rows in one of these states."""
        return [row for row in self.rows if row.state in states]


def query_status(submissions: Sequence[Submission]) -> Status:
    """Return the states of the units of these submissions, from their state files and the queues of the schedulers.

    Units whose packets are all in later submissions are left out.
    """
    last: dict[str, tuple[Submission, UnitState]] = {}
    unreadable: list[str] = []
    for submission in submissions:
        for state in _readable_states(submission, unreadable):
            last.update((packet, (submission, state)) for packet in state.packets)
    current = {(submission.id, state.number): (submission, state) for submission, state in last.values()}
    open_submissions = {submission.id: submission for submission, state in current.values() if state.state not in FINAL}
    # Assignments are read before the queue. Otherwise the queue could lack a job that is submitted in between, and the units of
    # the job would seem lost.
    assignments: dict[str, Assignments] = {}
    for submission in {submission.id: submission for submission, _ in current.values()}.values():
        try:
            # Asked before the rounds are read: otherwise a submission whose first round begins in between would count as old.
            may_get_first_round = submission.may_get_first_round()
            assignments[submission.id] = Assignments(assignments_of(submission), may_get_first_round)
        except UsageError as error:
            unreadable.append(str(error))
    queues = queues_of(list(open_submissions.values()))
    rows = [
        row_of(submission, state, assignments[submission.id], queues.get(submission.scheduler.name))
        if submission.id in assignments
        else UnitRow(submission, state, state.state, state.reason, state.state not in FINAL)
        for submission, state in current.values()
    ]
    rows.sort(key=lambda row: (row.submission.id, row.unit.packets))
    return Status(tuple(rows), queues, tuple(unreadable))


def _readable_states(submission: Submission, unreadable: list[str]) -> list[UnitState]:
    reasons: list[str] = []
    states = list(submission.all_states(reasons.append))
    if reasons:
        unreadable.append(f"Submission {submission.id}: {counted(len(reasons), 'state')} cannot be read: {reasons[0]}.")
    return states


class LiveJobs(NamedTuple):
    """The jobs that wait or run; all jobs of a queue that does not answer."""

    jobs: Sequence[tuple[Submission, str]]
    queues: Mapping[str, Queue]
    """The queues that were read, by scheduler."""


def live_jobs(submissions: Sequence[Submission]) -> LiveJobs:
    """Return the jobs that wait or run. Raises UsageError.

    A queue is read after the jobs that it must contain, and again if more jobs were submitted meanwhile.
    """
    jobs = _jobs(submissions)
    queues = queues_of(submissions)
    while jobs != (jobs_now := _jobs(submissions)):
        jobs, queues = jobs_now, queues_of(submissions)
    live = [
        (submission, job)
        for submission, job in jobs
        if not (queue := queues[submission.scheduler.name]).has_answered or queue.has_job(job)
    ]
    return LiveJobs(live, queues)


def _jobs(submissions: Sequence[Submission]) -> list[tuple[Submission, str]]:
    """Return the id of each recorded job, with its submission."""
    return [
        (submission, job)
        for submission in submissions
        for round_ in submission.rounds()
        for job in round_.jobs.values()
    ]


def queues_of(submissions: Sequence[Submission]) -> dict[str, Queue]:
    """Return the queue of each scheduler."""
    names: dict[str, list[str]] = {}
    for submission in submissions:
        names.setdefault(submission.scheduler.name, []).append(submission.job_name)
    return {name: query_queue(SCHEDULERS[name.casefold()], jobs) for name, jobs in names.items()}


def assignments_of(submission: Submission) -> Mapping[int, TaskAssignment]:
    """Return the last assignment of each unit. Raises UsageError."""
    assignments: dict[int, TaskAssignment] = {}
    for round_ in submission.rounds():
        assignments.update((number, TaskAssignment(round_, None)) for number in round_.remaining_units)
        for task, numbers in enumerate(submission.tasks(round_.number)):
            assignments.update((number, TaskAssignment(round_, task)) for number in numbers)
    return assignments


def row_of(submission: Submission, unit: UnitState, assignments: Assignments, queue: Queue | None) -> UnitRow:
    """Return the row of a unit. `queue` is None if the queue did not have to be read."""
    assignment = assignments.by_unit.get(unit.number)
    if unit.state in FINAL or queue is None or not queue.has_answered:
        return UnitRow(submission, unit, unit.state, unit.reason, unit.state not in FINAL, assignment)
    why_no_job = _why_no_job(submission, assignment, may_get_first_round=assignments.may_get_first_round)
    job = _job(submission, assignment)
    if job is not None and unit.state is State.RUNNING and queue.is_pending(*job):
        return UnitRow(submission, unit, State.WAITING, "its job was requeued", False, assignment)
    if why_no_job or (job is not None and queue.has(*job)):
        return UnitRow(submission, unit, unit.state, why_no_job or unit.reason, False, assignment)
    with contextlib.suppress(OSError, ValueError):  # the job may have ended after its state was read
        unit = submission.state(unit.number)
    # a queue may not show the jobs of other users
    if unit.state in FINAL or submission.owner_id != os.geteuid():
        return UnitRow(submission, unit, unit.state, unit.reason, unit.state not in FINAL, assignment)
    reason = JOB_GONE if job else NOT_SUBMITTED
    return UnitRow(
        submission, unit, State.LOST, f"{reason}; {unit.reason}" if unit.reason else reason, False, assignment
    )


def _why_no_job(submission: Submission, assignment: TaskAssignment | None, *, may_get_first_round: bool) -> str:
    """Return why a unit has no job yet; empty if it has a job or gets none."""
    if _job(submission, assignment):
        return ""
    if assignment is not None and assignment.round.has_printed_script and not assignment.round.jobs:
        return "the printed script was not run yet"
    may_get_job = may_get_first_round if assignment is None else submission.may_get_jobs(assignment.round.number)
    return "it is being submitted" if may_get_job else ""


def _job(submission: Submission, assignment: TaskAssignment | None) -> tuple[str, int | None] | None:
    """Return the id of the job that imports a unit, and the scheduler's index of its task; None without such a job.

    For a unit that the dependent job will submit, return the id of the dependent job, and no index.
    """
    if assignment is None:
        return None
    if assignment.task is None:
        end = assignment.round.jobs.get(END_JOB)
        return None if end is None else (end, None)
    job_and_index = assignment.round.job_of(assignment.task)
    return None if job_and_index is None else (job_and_index[0], job_and_index[1] + submission.scheduler.first_index)
