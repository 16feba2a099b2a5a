"""An observer that writes the state of each unit of a task. A unit is the packets of one session."""

import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from qxbatch.cluster.state import FINAL, ImportState, UnitState
from qxbatch.cluster.submission import Submission
from qxbatch.events import CandidateFound, Event, UnitCancelled, UnitFinished, UnitStarted
from qxbatch.model import Candidate, SeriesLabel, SessionReport, Verdict
from qxbatch.problems import Code, Problem, Severity
from qxbatch.report.outcome import has_failed
from qxbatch.series_labels import label_subject
from qxbatch.session.summary_parts import problem_value

STOPPED_REASON = "it was stopped before its end"
"""The reason of a unit that waits again since its task was stopped."""


class StateWriter:
    """Writes the state files of units. If one cannot be written, the import continues, and the log of the task says so."""

    def __init__(self, submission: Submission, states: Sequence[UnitState], job_and_host: str) -> None:
        """`job_and_host` is recorded as the reason of running units."""
        self._submission = submission
        self._states = {state.number: state for state in states}
        self._job_and_host = job_and_host
        self._candidates: dict[str, Candidate] = {}
        """The entries of the inbox, or in folder mode the session folders, that the task found, by name."""
        self._start_times: dict[str, float] = {}
        """Maps the session id of each unit that was started to the value of the monotonic clock."""

    @property
    def states(self) -> Mapping[int, UnitState]:
        """Return the states by the numbers of their units."""
        return self._states

    def candidates_of(self, state: UnitState) -> list[Candidate]:
        """Return the candidates of a unit: those of its packets that the task found."""
        return [self._candidates[name] for name in state.packets if name in self._candidates]

    def has_ready_packet(self, state: UnitState) -> bool:
        """Return whether a packet of the unit is ready: only then the task imports the unit.

        The name of its session is not enough to know this: packets of one session that were refused at submission are a unit each.
        """
        return any(candidate.verdict is Verdict.READY for candidate in self.candidates_of(state))

    def notify(self, event: Event, /) -> None:
        """Write the states that an event changes."""
        match event:
            case CandidateFound():
                self._candidates[event.candidate.path.name] = event.candidate
            case UnitStarted():
                self._start_times[event.unit] = time.monotonic()
                for state in self._imported_states(event.unit):
                    changes = {"reason": self._job_and_host, "attempts": state.attempts + 1}
                    self.write_changed(state.number, state=ImportState.RUNNING, **changes)
            case UnitFinished():
                for state in self._imported_states(event.unit):
                    self.write_result(state.number, event.reports)
            case UnitCancelled():
                for state in self._imported_states(event.unit):
                    self.write_changed(state.number, state=ImportState.WAITING, reason=STOPPED_REASON)
            case _:
                pass

    def _imported_states(self, session: str) -> list[UnitState]:
        """Return the states of those units of a session that have a ready packet."""
        return [state for state in self._states.values() if state.name == session and self.has_ready_packet(state)]

    def write_result(self, number: int, reports: Sequence[SessionReport]) -> None:
        """Write what became of a unit.

        FAILED: there was an error, or its session was written without one of its packets. WAITING: another run is importing it.
        Else DONE.
        """
        problems = [problem for report in reports for problem in report.problems]
        series, images = sum(report.series for report in reports), sum(report.images for report in reports)
        state = self._states[number] = self._states[number]._replace(series=series, images=images)
        seconds = round(time.monotonic() - self._start_times.get(state.name, time.monotonic()), 3)
        published = any(report.folder is not None for report in reports)
        failure = next(filter(has_failed, reports), None)
        existed = any(problem.code is Code.EXISTS for problem in problems)
        left_out = "" if existed else self._reason_of_left_out(state)
        if failure is not None:
            error = next(problem for problem in failure.problems if problem.severity is Severity.ERROR)
            reason = _reason(error, failure.labels)
            self.write_failed(number, reason, error, published=published, seconds=seconds)
        elif any(problem.code is Code.HELD for problem in problems):
            self.write_changed(number, state=ImportState.WAITING, reason="another run is importing it")
        elif left_out:
            self.write_failed(number, left_out, published=published, seconds=seconds)
        else:
            self.write_done(number, "its session existed already" if existed else "", seconds)

    def _reason_of_left_out(self, state: UnitState) -> str:
        """Return the first packet of an imported unit that was left out, and why; empty if none was."""
        if not self.has_ready_packet(state):
            return ""
        for name in state.packets:
            candidate = self._candidates.get(name)
            if candidate is None or candidate.verdict not in (Verdict.READY, Verdict.ALREADY_THERE):
                why = "it is not in the inbox any more" if candidate is None else reason_of_candidate(candidate)
                return f"its session was written without {name}: {why}"
        return ""

    def write_done(self, number: int, reason: str = "", seconds: float = 0.0) -> None:
        """Write that the session of a unit was written, now or before."""
        self.write_changed(number, state=ImportState.DONE, reason=reason, published=True, problem=None, seconds=seconds)

    def write_failed(self, number: int, reason: str, problem: Problem | None = None, **changes: Any) -> None:
        """Write that a unit cannot be imported, or not completely."""
        value = None if problem is None else problem_value(problem)
        self.write_changed(number, state=ImportState.FAILED, reason=reason, problem=value, **changes)

    def write_changed(self, number: int, **changes: Any) -> None:
        """Write a changed state, unless another task has written a result that it must not replace."""
        self._states[number] = state = self._states[number]._replace(**changes)
        if self._has_result_of_another_task(state):
            return
        try:
            self._submission.write_state(state)
        except OSError as error:
            logging.getLogger("qxbatch").warning("The state of %s cannot be written: %s", state.name, error)

    def _has_result_of_another_task(self, new: UnitState) -> bool:
        """Return whether another task has written a result of the unit that the new state must not replace.

        Two tasks can have the same unit: a task that is stopped can end after its units are submitted again, and write its states
        after those of the later task. So no other state replaces DONE, and WAITING does not replace FAILED.
        """
        results = FINAL if new.state is ImportState.WAITING else (ImportState.DONE,)
        with contextlib.suppress(OSError, ValueError):
            return self._submission.state(new.number).state in results
        return False


def reason_of_candidate(candidate: Candidate) -> str:
    """Return why a candidate is not imported: message and hint of its problem, else its verdict and note."""
    if candidate.problem is not None:
        return f"{candidate.problem.message} {candidate.problem.hint}".strip()
    return f"{candidate.verdict}{f': {candidate.note}' if candidate.note else ''}"


def _reason(problem: Problem, labels: Sequence[SeriesLabel]) -> str:
    """Return the text of a problem. It names the series, but not the packet, whose name is shown next to it."""
    subject = f"{label_subject(problem.subject, labels)}:" if problem.subject.startswith("series ") else ""
    return " ".join(text for text in (subject, problem.message, problem.hint, problem.command) if text)
