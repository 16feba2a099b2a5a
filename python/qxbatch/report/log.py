"""What the log keeps of a run (`--log-file`): what was found, each stage with its time, converters, problems, the end."""

import logging
import time

from qxbatch.counted import counted
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
from qxbatch.model import Candidate, Verdict
from qxbatch.report.after import outcome_line
from qxbatch.settings.model import Settings
from qxbatch.visible import one_line

log = logging.getLogger("qxbatch")
NAMELESS = "(name left out)"
_SHORTEST = 3
"""Shorter names are in many a word."""
_WIDTH = 1_000_000
"""Nothing is wrapped in a log: programs search it by lines."""


class LogObserver:
    """An observer that writes to the logger `qxbatch`, whose handlers qxbatch.cli.messages sets.

    Each line is written when it happens, so the log of a killed run is complete up to that moment.
    """

    def __init__(self, settings: Settings) -> None:
        self._deidentified = settings.deidentified
        self._whole = settings.log_file is not None
        self._names: list[str] = []
        """What is left out of each line."""
        self._stages: dict[str, tuple[str, float]] = {}
        """Of each unit: what it is at, and since when."""

    def notify(self, event: Event, /) -> None:
        """Log an event; without a log file only how each session and the run ended."""
        match event:
            case UnitFinished():
                self._leave_stage(event.unit)
                for report in event.reports:
                    self._say(outcome_line(report))
            case RunFinished():
                self._finished(event)
            case _ if self._whole:
                self._detail(event)
            case _:
                pass

    def _detail(self, event: Event) -> None:
        match event:
            case PacketFound():
                if self._deidentified:
                    self._keep_name(event.candidate)
                self._say(f"found: {self._found(event.candidate)}")
            case RunStarted():
                self._say(f"importing {counted(event.units, 'packet')} of {event.size} bytes")
            case UnitStarted():
                self._say(f"{event.unit}: started, {event.size} bytes")
            case StageStarted():
                self._leave_stage(event.unit)
                self._stages[event.unit] = (event.stage, time.monotonic())
                self._say(f"{event.unit}: {event.stage}")
            case UnitCancelled():
                self._leave_stage(event.unit)
                self._say(f"{event.unit}: stopped; nothing of it was published")
            case UnitSorted() | ConverterEnded() | ProblemFound():
                self._of_unit(event)
            case _:
                pass

    def _of_unit(self, event: UnitSorted | ConverterEnded | ProblemFound) -> None:
        match event:
            case UnitSorted():
                self._say(f"{event.unit}: {event.series} series of {event.size} bytes")
            case ConverterEnded():
                self._say(f"{event.unit}: series {event.series}: {event.state}")
                for command in event.commands:
                    self._say(f"{event.unit}: series {event.series}: {command}")
            case ProblemFound():
                problem = event.problem
                self._say(f"{event.unit}: {problem.severity} ({problem.code}): {problem.text()}")

    def _leave_stage(self, unit: str) -> None:
        stage = self._stages.pop(unit, None)
        if stage is not None:
            self._say(f"{unit}: {stage[0]} took {time.monotonic() - stage[1]:.2f} s")

    def _found(self, candidate: Candidate) -> str:
        """Return a line about a candidate, with its path; in a de-identified log its folder is no secret."""
        session = "" if candidate.session is None else f" -> {candidate.session.id}"
        size = "" if candidate.packet is None else f", {candidate.packet.fingerprint.size} bytes"
        problem = "" if candidate.problem is None else f": {candidate.problem.text()}"
        note = f" ({candidate.note})" if candidate.note else ""
        verdict = candidate.verdict if candidate.verdict is not Verdict.READY else "ready"
        return f"{candidate.path}{session}: {verdict}{note}{size}{problem}"

    def _finished(self, event: RunFinished) -> None:
        if self._whole:
            from qxbatch.report.blocks import Form
            from qxbatch.report.end import after

            for line in filter(None, after(event.report, Form(_WIDTH, list_all=True)).splitlines()):
                self._say(line)
        self._say(f"exit status {event.status}")

    def _say(self, text: str) -> None:
        """Log a line. Where logs are de-identified, names of packets are left out: they may be those of patients."""
        for name in self._names:
            text = text.replace(name, NAMELESS)
        log.info("%s", one_line(text))

    def _keep_name(self, candidate: Candidate) -> None:
        """Keep the names of a thing that are not its session's id, the longest first."""
        own = "" if candidate.session is None else candidate.session.id
        names = (candidate.path.name, "" if candidate.packet is None else candidate.packet.name)
        more = [name for name in names if len(name) >= _SHORTEST and name not in (own, *self._names)]
        self._names = sorted([*self._names, *more], key=len, reverse=True)
