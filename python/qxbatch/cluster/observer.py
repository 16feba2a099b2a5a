"""An observer that writes the state of each unit of a task. A unit is the packets of one session."""

import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from qxbatch.cluster.state import FINAL, State, UnitState
from qxbatch.cluster.submission import Submission
from qxbatch.events import Event, UnitCancelled, UnitFinished, UnitStarted
from qxbatch.model import SeriesLabel, SessionReport
from qxbatch.problems import Code, Problem, Severity
from qxbatch.report.labels import label_subject
from qxbatch.report.outcome import has_failed
from qxbatch.session.summary_parts import problem_value

STOPPED_REASON = "it was stopped before its end"
"""The reason of a unit that waits again since its task was stopped."""


class StateWriter:
    """Writes the state files of units. If one cannot be written, the import continues, and the log of the task says so."""

    def __init__(self, submission: Submission, states: Sequence[UnitState], job_and_host: str) -> None:
        """`job_and_host` is recorded as the reason of running units."""
        self._submission = submission
        self._states = {state.name: state for state in states}
        self._job_and_host = job_and_host
        self._start_times: dict[str, float] = {}
        """Maps the name of each unit that was started to the value of the monotonic clock."""

    @property
    def states(self) -> Mapping[str, UnitState]:
        """Return the states by the names of their units."""
        return self._states

    def notify(self, event: Event, /) -> None:
        """Write the state after an event."""
        match event:
            case UnitStarted():
                self._start_times[event.unit] = time.monotonic()
                before = self._states.get(event.unit)
                attempts = before.attempts + 1 if before else 0
                self.write_changed(event.unit, state=State.RUNNING, reason=self._job_and_host, attempts=attempts)
            case UnitFinished():
                self.write_result(event.unit, event.reports)
            case UnitCancelled():
                self.write_changed(event.unit, state=State.WAITING, reason=STOPPED_REASON)
            case _:
                pass

    def write_result(self, unit: str, reports: Sequence[SessionReport]) -> None:
        """Write the result of a unit. A unit that another run is importing gets the state WAITING."""
        problems = [problem for report in reports for problem in report.problems]
        seconds = round(time.monotonic() - self._start_times.get(unit, time.monotonic()), 3)
        published = any(report.folder is not None for report in reports)
        if unit in self._states:
            series, images = sum(report.series for report in reports), sum(report.images for report in reports)
            self._states[unit] = self._states[unit]._replace(series=series, images=images)
        failure = next(filter(has_failed, reports), None)
        if failure is not None:
            error = next(problem for problem in failure.problems if problem.severity is Severity.ERROR)
            reason, value = _reason(error, failure.labels), problem_value(error)
            self.write_changed(
                unit, state=State.FAILED, reason=reason, problem=value, published=published, seconds=seconds
            )
        elif any(problem.code is Code.HELD for problem in problems):
            self.write_changed(unit, state=State.WAITING, reason="another run is importing it")
        else:
            existed = any(problem.code is Code.EXISTS for problem in problems)
            self.write_done(unit, "its session existed already" if existed else "", seconds)

    def write_done(self, unit: str, reason: str = "", seconds: float = 0.0) -> None:
        """Write that the session of a unit was written, now or before."""
        self.write_changed(unit, state=State.DONE, reason=reason, published=True, problem=None, seconds=seconds)

    def write_failed(self, unit: str, reason: str, problem: Problem | None = None) -> None:
        """Write that a unit cannot be imported."""
        value = None if problem is None else problem_value(problem)
        self.write_changed(unit, state=State.FAILED, reason=reason, problem=value)

    def write_changed(self, unit: str, **changes: Any) -> None:
        """Write a changed state. Units of other tasks are ignored."""
        state = self._states.get(unit)
        if state is None:
            return
        self._states[unit] = state = state._replace(**changes)
        if self._has_result_of_another_task(state):
            return
        try:
            self._submission.write_state(state)
        except OSError as error:
            logging.getLogger("qxbatch").warning("The state of %s cannot be written: %s", unit, error)

    def _has_result_of_another_task(self, new: UnitState) -> bool:
        """Return whether another task has written a result of the unit that the new state must not replace.

        Two tasks can have the same unit: a task that is stopped can end after its units are submitted again, and write its states
        after those of the later task. So DONE is final, and WAITING replaces neither DONE nor FAILED.
        """
        results = FINAL if new.state is State.WAITING else (State.DONE,)
        with contextlib.suppress(OSError, ValueError):
            return self._submission.state(new.number).state in results
        return False


def _reason(problem: Problem, labels: Sequence[SeriesLabel]) -> str:
    """Return the text of a problem. It names the series, but not the packet, whose name is shown next to it."""
    subject = f"{label_subject(problem.subject, labels)}:" if problem.subject.startswith("series ") else ""
    return " ".join(text for text in (subject, problem.message, problem.hint, problem.command) if text)
