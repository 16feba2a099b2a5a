"""The states of submitted units (the packets of one session each), from their state files and the queue of the scheduler."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.cluster.queue import Queue, query_queue
from qxbatch.cluster.rounds import Round
from qxbatch.cluster.schedulers import SCHEDULERS
from qxbatch.cluster.state import FINAL, ImportState, UnitState
from qxbatch.cluster.submission import END_JOB, Submission
from qxbatch.counted import counted
from qxbatch.problems import UsageError

JOB_GONE = "its job ended without a result"
NOT_SUBMITTED = "it was not submitted"


class TaskAssignment(NamedTuple):
    """The round and the task that import a unit. If the task is None, the dependent job of the round will submit the unit."""

    round: Round
    task: int | None


class Assignments(NamedTuple):
    """The last assignment of each unit of a submission."""

    by_unit: Mapping[int, TaskAssignment]
    """Maps the number of a unit to its last assignment."""
    may_get_first_round: bool
    """Whether the submission is so new that units without an assignment may get jobs at any moment."""


class StatusRow(NamedTuple):
    """A unit and its present state, as `qxbatch jobs` lists them."""

    submission: Submission
    unit: UnitState
    """The content of its state file. Its `state` is the recorded one."""
    state: ImportState
    """The recorded state, corrected by the queue: for example, LOST if the queue has no job of a unit without a result."""
    reason: str
    """Why the unit has this state; may be empty."""
    is_unknown: bool
    """Whether the state is only the last recorded one: the queue did not answer or may hide the job, or rounds cannot be read."""
    assignment: TaskAssignment | None = None

    @property
    def log(self) -> Path | None:
        """Return the log of the task that imports the unit; it need not exist yet. None if no task imports the unit."""
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

    rows: tuple[StatusRow, ...]
    queues: Mapping[str, Queue] = {}
    """The queues that were read, by the name of the scheduler."""
    unreadable: tuple[str, ...] = ()
    """Why submissions, or states of their packets, could not be read."""

    @property
    def why_no_answer(self) -> str:
        """Return why a queue did not answer; empty if all answered or none was read."""
        return next((queue.reason for queue in self.queues.values() if not queue.has_answered), "")

    def rows_in_state(self, *states: ImportState) -> list[StatusRow]:
        """Return the rows in one of these states."""
        return [row for row in self.rows if row.state in states]


def query_status(submissions: Sequence[Submission]) -> Status:
    """Return the states of the units of these submissions, from their state files and the queues of the schedulers.

    Units whose packets are all in later submissions are left out. Raises OSError if the states of a submission cannot be listed.
    """
    last: dict[str, tuple[Submission, UnitState]] = {}
    unreadable: list[str] = []
    for submission in submissions:
        for state in readable_states(submission, unreadable):
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
        else StatusRow(submission, state, state.state, state.reason, state.state not in FINAL)
        for submission, state in current.values()
    ]
    rows.sort(key=lambda row: (row.submission.id, row.unit.packets))
    return Status(tuple(rows), queues, tuple(unreadable))


def readable_states(submission: Submission, unreadable: list[str]) -> list[UnitState]:
    """Return the states of a submission; add a text to `unreadable` if some cannot be read."""
    reasons: list[str] = []
    states = list(submission.all_states(reasons.append))
    if reasons:
        unreadable.append(f"Submission {submission.id}: {counted(len(reasons), 'state')} cannot be read: {reasons[0]}.")
    return states


class LiveJobs(NamedTuple):
    """The recorded jobs that wait or run. If a queue does not answer, all its recorded jobs count."""

    jobs: Sequence[tuple[Submission, str]]
    queues: Mapping[str, Queue]
    """The queues that were read, by the name of the scheduler."""


def live_jobs(submissions: Sequence[Submission]) -> LiveJobs:
    """Return the recorded jobs that wait or run. Raises UsageError.

    The queues are read after the ids of the jobs, so a job that is not in its queue has ended. If more jobs are recorded meanwhile,
    ids and queues are read again.
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
    """Return the queue of each scheduler of these submissions, by its name."""
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


def row_of(submission: Submission, unit: UnitState, assignments: Assignments, queue: Queue | None) -> StatusRow:
    """Return the row of a unit. `queue` is None if the queue did not have to be read."""
    assignment = assignments.by_unit.get(unit.number)
    if unit.state in FINAL or queue is None or not queue.has_answered:
        return StatusRow(submission, unit, unit.state, unit.reason, unit.state not in FINAL, assignment)
    why_no_job = _why_no_job(submission, assignment, may_get_first_round=assignments.may_get_first_round)
    job = _job(submission, assignment)
    if job is not None and unit.state is ImportState.RUNNING and queue.is_pending(*job):
        return StatusRow(submission, unit, ImportState.WAITING, "its job was requeued", False, assignment)
    if why_no_job or (job is not None and queue.has(*job)):
        return StatusRow(submission, unit, unit.state, why_no_job or unit.reason, False, assignment)
    with contextlib.suppress(OSError, ValueError):  # the job may have ended after the state of the unit was read
        unit = submission.state(unit.number)
    # a queue may not show the jobs of other users
    if unit.state in FINAL or submission.owner_id != os.geteuid():
        return StatusRow(submission, unit, unit.state, unit.reason, unit.state not in FINAL, assignment)
    reason = JOB_GONE if job else NOT_SUBMITTED
    return StatusRow(
        submission, unit, ImportState.LOST, f"{reason}; {unit.reason}" if unit.reason else reason, False, assignment
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

    For a unit that the dependent job will submit, return the id of the dependent job, and None as the index.
    """
    if assignment is None:
        return None
    if assignment.task is None:
        end = assignment.round.jobs.get(END_JOB)
        return None if end is None else (end, None)
    job_and_index = assignment.round.job_of(assignment.task)
    return None if job_and_index is None else (job_and_index[0], job_and_index[1] + submission.scheduler.first_index)
