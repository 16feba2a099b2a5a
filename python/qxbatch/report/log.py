"""What the log keeps of a run (`--log-file`): what was found, each stage with its time, converters, problems, the end."""

import logging
import time
from dataclasses import replace

from qxbatch.events import (
    ConverterEnded,
    Event,
    PacketFound,
    ProblemFound,
    RunFinished,
    RunStarted,
    StageStarted,
    UnitCancelled,
    UnitFinished,
    UnitSorted,
    UnitStarted,
)
from qxbatch.model import Candidate, Report, Verdict
from qxbatch.problems import Problem
from qxbatch.report.after import outcome_line
from qxbatch.settings.model import Settings

log = logging.getLogger("qxbatch")
NAMELESS = "(name left out)"
_WIDTH = 1_000_000
"""Nothing is wrapped in a log: programs search it by lines."""


class LogObserver:
    """An observer that writes to the logger `qxbatch`, whose handlers qxbatch.cli.messages sets.

    Each line is written when it happens, so the log of a killed run is complete up to that moment.
    """

    def __init__(self, settings: Settings) -> None:
        self._deidentified = settings.deidentified
        self._whole = settings.log_file is not None
        self._stages: dict[str, tuple[str, float]] = {}
        """Of each unit: what it is at, and since when."""

    def notify(self, event: Event, /) -> None:
        """Log an event; without a log file only how each session and the run ended."""
        match event:
            case UnitFinished():
                self._leave_stage(event.unit)
                for report in event.reports:
                    log.info("%s", outcome_line(report))
            case RunFinished():
                self._finished(event)
            case _ if self._whole:
                self._detail(event)
            case _:
                pass

    def _detail(self, event: Event) -> None:
        match event:
            case PacketFound():
                log.info("found: %s", self._found(event.candidate))
            case RunStarted():
                log.info("importing %d packets of %d bytes", event.units, event.size)
            case UnitStarted():
                log.info("%s: started, %d bytes", event.unit, event.size)
            case StageStarted():
                self._leave_stage(event.unit)
                self._stages[event.unit] = (event.stage, time.monotonic())
                log.info("%s: %s", event.unit, event.stage)
            case UnitCancelled():
                self._leave_stage(event.unit)
                log.info("%s: stopped; nothing of it was published", event.unit)
            case UnitSorted() | ConverterEnded() | ProblemFound():
                self._of_unit(event)
            case _:
                pass

    def _of_unit(self, event: UnitSorted | ConverterEnded | ProblemFound) -> None:
        match event:
            case UnitSorted():
                log.info("%s: %d series of %d bytes", event.unit, event.series, event.size)
            case ConverterEnded():
                log.info("%s: series %d: %s", event.unit, event.series, event.state)
                for command in event.commands:
                    log.info("%s: series %d: %s", event.unit, event.series, command)
            case ProblemFound():
                problem = event.problem
                log.info("%s: %s (%s): %s", event.unit, problem.severity, problem.code, problem.text())

    def _leave_stage(self, unit: str) -> None:
        stage = self._stages.pop(unit, None)
        if stage is not None:
            log.info("%s: %s took %.2f s", unit, stage[0], time.monotonic() - stage[1])

    def _found(self, candidate: Candidate) -> str:
        """Return a line about a candidate; its name may be the patient's, and no header was read yet."""
        session = "" if candidate.session is None else f" -> {candidate.session.id}"
        size = "" if candidate.packet is None else f", {candidate.packet.fingerprint.size} bytes"
        if self._deidentified:
            return f"{NAMELESS}{session}: {candidate.verdict}{size}"
        problem = "" if candidate.problem is None else f": {candidate.problem.text()}"
        note = f" ({candidate.note})" if candidate.note else ""
        verdict = candidate.verdict if candidate.verdict is not Verdict.READY else "ready"
        return f"{candidate.path}{session}: {verdict}{note}{size}{problem}"

    def _finished(self, event: RunFinished) -> None:
        if self._whole:
            from qxbatch.report.blocks import Form
            from qxbatch.report.end import after

            report = _nameless(event.report) if self._deidentified else event.report
            for line in filter(None, after(report, Form(_WIDTH, list_all=True)).splitlines()):
                log.info("%s", line)
        log.info("exit status %d", event.status)


def _nameless(report: Report) -> Report:
    """Return a report without the names of what was not read: nobody knows whose they are."""
    read = {session.unit for session in report.sessions if session.unit}
    return replace(
        report,
        candidates=tuple(
            each if each.session is not None and each.session.id in read else _without_name(each)
            for each in report.candidates
        ),
    )


def _without_name(candidate: Candidate) -> Candidate:
    problem = candidate.problem
    if problem is not None:
        problem = Problem(problem.code, NAMELESS, f"{candidate.verdict}.")
    return replace(candidate, path=candidate.path.with_name(NAMELESS), note="", problem=problem)
