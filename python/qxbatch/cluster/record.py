"""What a submission keeps of a run: its options, and what it found."""

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from qxbatch.cluster.state import State, UnitState
from qxbatch.discover.units import Unit
from qxbatch.model import Candidate, Report, SessionId, SessionReport, Verdict
from qxbatch.problems import Code, Problem, Severity
from qxbatch.session.summary_parts import problem_value
from qxbatch.settings.model import Settings

_NOT_KEPT = frozenset(
    ("scheduler", "container", "wait", "print_script", "config", "log_file", "json_file", "test", "check", "quiet")
)
"""Options of the run that submits, and not of the tasks."""


def record_of(settings: Settings, given: Mapping[str, str], report: Report) -> dict[str, object]:
    """Return the record of a submission."""
    return {
        "created": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "host": socket.gethostname(),
        "cwd": os.getcwd(),  # noqa: PTH109 - as text
        "options": {key: value for key, value in given.items() if key not in _NOT_KEPT},
        "typed": sorted(key for key, _ in settings.given),
        "bids_app": settings.bids_app,
        "scheduler": given["scheduler"],
        "container": None if settings.container is None else str(settings.container),
        "binds": [str(path) for path in binds(settings)],
        "found": [_found(each) for each in report.candidates if each.verdict is not Verdict.READY],
    }


def binds(settings: Settings) -> list[Path]:
    """Return the folders and files that a container needs, which are at the same paths in it."""
    named = [settings.sessionsfolder, settings.masterinbox, settings.work_dir, settings.dicm2nii_dir]
    named += [
        settings.logfile.path if settings.logfile else None,
        settings.passwords.path if settings.passwords else None,
    ]
    given = dict(settings.given)
    named.append(Path(os.path.abspath(given["protocol"])) if given.get("protocol") else None)  # noqa: PTH100 - links stay
    return list(dict.fromkeys(path for path in named if path is not None))


def _found(candidate: Candidate) -> dict[str, object]:
    problem = candidate.problem
    return {
        "path": str(candidate.path),
        "verdict": str(candidate.verdict),
        "note": candidate.note,
        "problem": None if problem is None else problem_value(problem),
    }


def candidates_of(record: Mapping[str, object]) -> list[Candidate]:
    """Return what a run found besides what was ready, for the page of the study."""
    values = record.get("found")
    found = []
    for value in values if isinstance(values, list) else []:
        problem = value.get("problem")
        found.append(
            Candidate(
                Path(value["path"]),
                Verdict(value["verdict"]),
                note=value["note"],
                problem=None if problem is None else problem_of(problem),
            )
        )
    return found


def problem_of(value: Mapping[str, str]) -> Problem:
    """Return a problem that `problem_value` wrote."""
    return Problem(
        Code(value["code"]),
        value["subject"],
        value["message"],
        value.get("hint", ""),
        Severity(value.get("severity", Severity.ERROR)),
        value.get("command", ""),
    )


def report_of(state: UnitState, sessionsfolder: Path) -> SessionReport:
    """Return what became of a unit as an import tells it."""
    problems = () if state.problem is None else (problem_of(state.problem),)
    there = state.state is State.DONE and not state.series
    if there:
        problems = (Problem(Code.EXISTS, ", ".join(state.packets), state.reason, severity=Severity.WARNING),)
    return SessionReport(
        ", ".join(state.packets),
        SessionId(state.unit, folder=state.unit),
        sessionsfolder / state.unit if state.published and not there else None,
        problems,
        state.series,
        state.images,
        state.seconds,
        unit=state.unit,
    )


def unit_state(number: int, unit: Unit, packets: tuple[str, ...]) -> UnitState:
    """Return the first state of a unit."""
    return UnitState(number, unit.name, packets, unit.size)


def refused_state(number: int, candidate: Candidate) -> UnitState:
    """Return the state of a packet that was refused where it was found."""
    name = candidate.path.name
    problem = candidate.problem
    unit = name if candidate.session is None else candidate.session.id
    reason = "" if problem is None else " ".join(filter(None, (problem.message, problem.hint, problem.command)))
    value = None if problem is None else problem_value(problem)
    return UnitState(number, unit, (name,), 0, State.FAILED, reason, problem=value)
