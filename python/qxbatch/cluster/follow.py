"""Follows submitted jobs by the state files of their units, with the display of an import."""

import sys
import time
from collections.abc import Callable, Sequence

from qxbatch.cluster.record import report_of
from qxbatch.cluster.state import FINAL, ImportState, UnitState
from qxbatch.cluster.status import live_jobs, query_status
from qxbatch.cluster.submission import Submission, read_submissions
from qxbatch.cluster.table import as_text
from qxbatch.events import RunStarted, Stage, StageStarted, UnitCancelled, UnitFinished, UnitStarted
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.report.progress import Progress
from qxbatch.settings.model import Settings
from qxbatch.visible import one_line, shell_word

STATES_SECONDS = 1.0
"""Pause between two reads of the state files; longer if reading or a query takes long."""
QUEUE_SECONDS = 10.0
"""Minimum time between two queries of the queue while any unit has no result."""
PAUSE_FACTOR = 20
"""Minimum ratio of a pause to the duration of the reads and queries before it."""


def follow(settings: Settings, ids: Sequence[str], sleep: Callable[[float], None] = time.sleep) -> int:
    """Show the progress of submissions until no job waits or runs, then print the states of their packets.

    Return the exit status: FAILED if a packet failed or is lost, or if its state cannot be read.

    Raises UsageError and KeyboardInterrupt.
    """
    try:
        _follow(settings, ids, sleep)
    except KeyboardInterrupt:
        print(f"The jobs continue: qxbatch jobs {shell_word(str(settings.sessionsfolder))}")
        raise
    unreadable: list[str] = []
    status = query_status(_submissions_with_ids(settings, ids, unreadable))
    unreadable += status.unreadable
    for reason in unreadable:
        print(one_line(reason), file=sys.stderr)
    print(as_text(status, list_all=settings.list_all), end="")
    has_failed = bool(unreadable or status.rows_in_state(ImportState.FAILED, ImportState.LOST))
    return int(ExitStatus.FAILED if has_failed else ExitStatus.OK)


def _submissions_with_ids(
    settings: Settings, ids: Sequence[str], unreadable: list[str] | None = None
) -> list[Submission]:
    """Return those of the submissions that can be read; add the reason for each of the others to `unreadable`."""
    errors: list[UsageError] = []
    readable = read_submissions(settings.sessionsfolder, errors.append)
    if unreadable is not None:
        unreadable += [str(error) for error in errors if any(name in error.message for name in ids)]
    return [submission for submission in readable if submission.id in ids]


def _follow(settings: Settings, ids: Sequence[str], sleep: Callable[[float], None]) -> None:
    chosen = _submissions_with_ids(settings, ids)
    with Progress(quiet=settings.quiet, list_all=settings.list_all) as progress:
        display = _Display(chosen, progress)
        last_query = time.monotonic()
        while True:
            began = time.monotonic()
            unfinished_count = display.update()
            if not unfinished_count or began - last_query > QUEUE_SECONDS:
                last_query = began
                if not live_jobs(chosen).jobs:
                    display.update()
                    return
            sleep(max(STATES_SECONDS, PAUSE_FACTOR * (time.monotonic() - began)))


class _Display:
    """The progress display, and the state of each unit without a result as it was shown last."""

    def __init__(self, chosen: Sequence[Submission], progress: Progress) -> None:
        self._progress = progress
        self._unfinished: dict[tuple[Submission, int], UnitState] = {}
        states = [(submission, state) for submission in chosen for state in submission.all_states()]
        progress.notify(RunStarted(len(states), sum(state.size for _, state in states)))
        for submission, state in states:
            self._show_and_store(submission, state._replace(state=ImportState.WAITING), state)

    def update(self) -> int:
        """Read the states of units without a result; return how many still have none."""
        for (submission, number), before in list(self._unfinished.items()):
            try:
                state = submission.state(number)
            except (OSError, ValueError):
                continue
            self._show_and_store(submission, before, state)
        return len(self._unfinished)

    def _show_and_store(self, submission: Submission, before: UnitState, state: UnitState) -> None:
        """Show how the state of a unit changed, and store the state; forget a unit with a result."""
        if state.state is not before.state:
            if before.state is ImportState.RUNNING and state.state is ImportState.WAITING:
                self._progress.notify(UnitCancelled(state.name))
            elif before.state is ImportState.WAITING:
                self._progress.notify(UnitStarted(state.name, state.size))
                self._progress.notify(StageStarted(state.name, Stage.CONVERTING))
            if state.state in FINAL:
                self._progress.notify(UnitFinished(state.name, (report_of(state, submission.sessionsfolder),)))
        if state.state in FINAL:
            self._unfinished.pop((submission, state.number), None)
        else:
            self._unfinished[submission, state.number] = state
