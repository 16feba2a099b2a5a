"""The record of a submission: its options, and the candidates (entries of the inbox, or session folders) that were not ready."""

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qxbatch.cluster.state import ImportState, UnitState
from qxbatch.discover.units import Unit
from qxbatch.model import Candidate, Report, SessionId, SessionReport, Verdict
from qxbatch.problems import Code, Problem, Severity
from qxbatch.session.summary_parts import problem_value
from qxbatch.settings.model import Settings
from qxbatch.settings.paths import absolute_path

_SUBMIT_OPTIONS = frozenset(
    ("scheduler", "container", "wait", "print_script", "config", "log_file", "json_file", "test", "check", "quiet")
)
"""Options of the run that submits, which tasks do not get."""


def record_of(settings: Settings, options: Mapping[str, str], report: Report) -> dict[str, object]:
    """Return the record of a submission; `options` are all given options of the run, also those of a config file."""
    return {
        "created": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "host": socket.gethostname(),
        "cwd": os.getcwd(),  # noqa: PTH109 - as text
        "options": {key: value for key, value in options.items() if key not in _SUBMIT_OPTIONS},
        "typed": sorted(key for key, _ in settings.command_line),  # on the command line, and not in a config file
        "bids_app": settings.bids_app,
        "scheduler": options["scheduler"],
        "container": None if settings.container is None else str(settings.container),
        "binds": [str(path) for path in paths_for_container(settings, options)],
        "found": [  # what was not ready
            _candidate_value(candidate) for candidate in report.candidates if candidate.verdict is not Verdict.READY
        ],
    }


def paths_for_container(settings: Settings, options: Mapping[str, str]) -> list[Path]:
    """Return the folders and files that a container needs; their paths in the container are the same."""
    paths = [settings.sessionsfolder, settings.masterinbox, settings.work_dir, settings.dicm2nii_dir]
    paths += [
        settings.logfile.path if settings.logfile else None,
        settings.passwords.path if settings.passwords else None,
    ]
    paths.append(absolute_path("--protocol", options["protocol"]) if settings.protocol else None)
    return list(dict.fromkeys(path for path in paths if path is not None))


def _candidate_value(candidate: Candidate) -> dict[str, object]:
    problem = candidate.problem
    return {
        "path": str(candidate.path),
        "verdict": str(candidate.verdict),
        "note": candidate.note,
        "problem": None if problem is None else problem_value(problem),
    }


def candidates_of(record: Mapping[str, object]) -> list[Candidate]:
    """Return the candidates of a run that were not ready, for the page of the study."""
    values = record.get("found")
    candidates = []
    for value in values if isinstance(values, list) else []:
        with contextlib.suppress(KeyError, ValueError, TypeError, AttributeError):  # somebody else may have written it
            candidates.append(_candidate_of(value))
    return candidates


def _candidate_of(value: Mapping[str, Any]) -> Candidate:
    problem = value.get("problem")
    return Candidate(
        Path(value["path"]),
        Verdict(value["verdict"]),
        note=str(value["note"]),
        problem=None if problem is None else problem_of(problem),
    )


def problem_of(value: Mapping[str, str]) -> Problem:
    """Return a problem that `problem_value` wrote. Raises KeyError, ValueError."""
    return Problem(
        Code(value["code"]),
        value["subject"],
        value["message"],
        value.get("hint", ""),
        Severity(value.get("severity", Severity.ERROR)),
        value.get("command", ""),
    )


def report_of(state: UnitState, sessionsfolder: Path) -> SessionReport:
    """Return the report of a unit, made from its state file."""
    problems: tuple[Problem, ...] = ()
    if state.problem is not None:
        with contextlib.suppress(KeyError, ValueError):  # a file that somebody else may have written
            problems = (problem_of(state.problem),)
    existed = state.state is ImportState.DONE and not state.series
    if existed:
        problems = (Problem(Code.EXISTS, ", ".join(state.packets), state.reason, severity=Severity.WARNING),)
    return SessionReport(
        ", ".join(state.packets),
        SessionId(state.name, folder=state.name),
        sessionsfolder / state.name if state.published and not existed else None,
        problems,
        state.series,
        state.images,
        state.seconds,
        unit=state.name,
    )


def first_state(number: int, unit: Unit, packets: tuple[str, ...]) -> UnitState:
    """Return the state of a unit when it is submitted: waiting."""
    return UnitState(number, unit.name, packets, unit.size)


def refused_state(number: int, candidate: Candidate) -> UnitState:
    """Return the state of the unit of a packet that the submitting run refused: failed."""
    name = candidate.path.name
    problem = candidate.problem
    unit = name if candidate.session is None else candidate.session.id
    reason = (
        candidate.note if problem is None else " ".join(filter(None, (problem.message, problem.hint, problem.command)))
    )
    value = None if problem is None else problem_value(problem)
    return UnitState(number, unit, (name,), 0, ImportState.FAILED, reason, problem=value)
