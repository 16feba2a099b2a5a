"""The report of a unit: problems with the command that fixes them, and without identities of patients."""

import os
from collections.abc import Mapping
from dataclasses import replace

from qxbatch.deidentify import Redact
from qxbatch.discover.units import Unit
from qxbatch.model import SessionReport
from qxbatch.problems import Code, Problem, Severity
from qxbatch.record.redacted import OMITTED, redacted_problem, redacted_report
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings

_OVERWRITE = {"overwrite": "yes"}
REMEDIES: Mapping[Code, Mapping[str, str]] = {
    Code.DAMAGED: {"on_damaged": "keep"},
    Code.MIXED_PATIENTS: {"on_mixed": "split"},
    Code.EXISTS: _OVERWRITE,
    Code.CHANGED: {},
    Code.UNREADABLE: {},
    Code.CANNOT_WRITE: {},
    Code.VERIFY: {},
    Code.ARCHIVE: {},
}
"""Maps the code of a problem that ended an import to the parameters to change, if any, in the command that repeats the import."""
REMEDIES_AFTER_PUBLISHING: Mapping[Code, Mapping[str, str]] = {
    Code.CHANGED: _OVERWRITE,
    Code.CANNOT_WRITE: {},
    Code.ARCHIVE: {},
    Code.UNPAIRED: _OVERWRITE,
}
"""The same for a problem of a published session."""


def redacted_with_commands(report: SessionReport, unit: Unit, settings: Settings, redact: Redact) -> SessionReport:
    """Return a report without identities, whose problems have the command that fixes them, if one exists."""
    remedies = REMEDIES if report.folder is None else REMEDIES_AFTER_PUBLISHING
    problems = tuple(_with_command(problem, remedies, unit, settings) for problem in report.problems)
    return redacted_report(replace(report, problems=problems), redact)


def refused_report(unit: Unit, problem: Problem, redact: Redact) -> SessionReport:
    """Return the report of a unit that was not imported because of a problem, without identities."""
    return SessionReport(unit.label, unit.session, None, (redacted_problem(problem, redact),))


def _with_command(
    problem: Problem, remedies: Mapping[Code, Mapping[str, str]], unit: Unit, settings: Settings
) -> Problem:
    """Return a problem with the command that fixes it; the problem as it is if it has a command, needs none, or none fixes it."""
    changes = remedies.get(problem.code) if problem.has_remedy else None
    needs_no_command = problem.code in (Code.ARCHIVE, Code.EXISTS) and problem.severity is Severity.WARNING
    is_gone = problem.code is Code.CHANGED and not any(os.path.lexists(packet.path) for packet in unit.packets)
    has_command = bool(problem.command) or OMITTED in problem.hint
    if changes is None or has_command or problem.severity is Severity.INFO or needs_no_command or is_gone:
        return problem
    return replace(problem, command=command_for(settings, [unit.session.id], changes))
