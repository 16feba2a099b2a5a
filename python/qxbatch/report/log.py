"""The log of a run (`--log-file`)."""

import logging
import time

from qxbatch.counted import counted
from qxbatch.events import (
    CandidateFound,
    ConverterEnded,
    Event,
    ProblemFound,
    RunFinished,
    RunStarted,
    StageStarted,
    UnitCancelled,
    UnitFinished,
    UnitSorted,
    UnitStarted,
)
from qxbatch.model import Candidate
from qxbatch.report.outcome import outcome_line
from qxbatch.report.packet_names import PacketNames
from qxbatch.settings.model import Settings
from qxbatch.visible import one_line

log = logging.getLogger("qxbatch")
_WIDTH = 1_000_000
"""Columns of the report in a log: nothing is wrapped, since programs search logs by lines."""


class LogObserver:
    """An observer that writes to the logger `qxbatch`, whose handlers qxbatch.cli.messages sets.

    Each event is written when it happens, so the log of a killed run is complete up to that moment.
    """

    def __init__(self, settings: Settings, names: PacketNames | None = None) -> None:
        self._has_log_file = settings.log_file is not None
        self._stages_of_run = settings.stages
        self._names = names or PacketNames(settings)
        log.filters = [NameFilter(self._names)]
        self._stages: dict[str, tuple[str, float]] = {}
        """Maps each unit to its stage and the time (of time.monotonic) at which the stage began."""

    def notify(self, event: Event, /) -> None:
        """Log an event; without a log file only the results of sessions and the exit status."""
        match event:
            case UnitFinished():
                self._leave_stage(event.unit)
                for report in event.reports:
                    self._names.add_of_session(report)
                    self._log_line(outcome_line(report))
            case RunFinished():
                self._log_end(event)
            case _ if self._has_log_file:
                self._log_detail(event)
            case _:
                pass

    def _log_detail(self, event: Event) -> None:
        match event:
            case CandidateFound():
                self._names.add(event.candidate)
                self._log_line(f"found: {self._candidate_text(self._names.redact_candidate(event.candidate))}")
            case RunStarted():
                self._log_line(f"importing {counted(event.units, 'session')} of {event.size} bytes")
            case UnitStarted():
                self._log_line(f"{event.unit}: started, {event.size} bytes")
            case StageStarted():
                self._leave_stage(event.unit)
                self._stages[event.unit] = (event.stage, time.monotonic())
                self._log_line(f"{event.unit}: {event.stage}")
            case UnitCancelled():
                self._leave_stage(event.unit)
                self._log_line(f"{event.unit}: stopped; no session was written")
            case UnitSorted() | ConverterEnded() | ProblemFound():
                self._log_unit_event(event)
            case _:
                pass

    def _log_unit_event(self, event: UnitSorted | ConverterEnded | ProblemFound) -> None:
        match event:
            case UnitSorted():
                self._log_line(f"{event.unit}: {event.series} series of {event.size} bytes")
            case ConverterEnded():
                self._log_line(f"{event.unit}: series {event.n}: {event.state}")
                for command in event.commands:
                    self._log_line(f"{event.unit}: series {event.n}: {command}")
            case ProblemFound():
                problem = self._names.redact_problem(event.problem)
                self._log_line(f"{event.unit}: {problem.severity} ({problem.code}): {problem.text()}")

    def _leave_stage(self, unit: str) -> None:
        stage = self._stages.pop(unit, None)
        if stage is not None:
            self._log_line(f"{unit}: {stage[0]} took {time.monotonic() - stage[1]:.2f} s")

    def _candidate_text(self, candidate: Candidate) -> str:
        """Return a line about a candidate: path, session, verdict, note, size, and problem."""
        session = "" if candidate.session is None else f" -> {candidate.session.id}"
        size = "" if candidate.packet is None else f", {candidate.packet.fingerprint.size} bytes"
        problem = "" if candidate.problem is None else f": {candidate.problem.text()}"
        note = f" ({candidate.note})" if candidate.note else ""
        return f"{candidate.path}{session}: {candidate.verdict}{note}{size}{problem}"

    def _log_end(self, event: RunFinished) -> None:
        if self._has_log_file:
            from qxbatch.report.blocks import TextLayout
            from qxbatch.report.end import final_report

            report = self._names.redact_report(event.report)
            text = final_report(report, TextLayout(_WIDTH, list_all=True), stages=self._stages_of_run)
            for line in filter(None, text.splitlines()):
                self._log_line(line)
        self._log_line(f"exit status {event.status}")

    @staticmethod
    def _log_line(text: str) -> None:
        log.info("%s", one_line(text))


class NameFilter(logging.Filter):
    """Leaves names of packets out of every line of a de-identified log, also out of the errors that end the run."""

    def __init__(self, names: PacketNames) -> None:
        super().__init__()
        self._names = names

    def filter(self, record: logging.LogRecord) -> bool:
        """Leave the names out of the record's texts; return True, since every record is logged."""
        record.msg, record.args = self._names.redact_text(record.getMessage()), None
        if record.exc_info:
            record.exc_text = self._names.redact_text(logging.Formatter().formatException(record.exc_info))
        return True
