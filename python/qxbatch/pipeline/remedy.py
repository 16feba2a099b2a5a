"""Adds the command that fixes a problem."""

from collections.abc import Mapping
from dataclasses import replace

from qxbatch.discover.units import Unit
from qxbatch.model import SessionReport
from qxbatch.problems import Code, Problem, Severity
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
"""Changes to the command for a problem that ended an import; empty: the same command again."""
PUBLISHED: Mapping[Code, Mapping[str, str]] = {
    Code.CHANGED: _OVERWRITE,
    Code.CANNOT_WRITE: {},
    Code.ARCHIVE: {},
    Code.DAMAGED_KEPT: _OVERWRITE,
}
"""The same for a problem of a session that is published."""


def with_commands(report: SessionReport, unit: Unit, settings: Settings) -> SessionReport:
    """Return a report whose problems have the command that fixes them, if one exists."""
    remedies = REMEDIES if report.folder is None else PUBLISHED
    return replace(report, problems=tuple(_fixed(problem, remedies, unit, settings) for problem in report.problems))


def _fixed(problem: Problem, remedies: Mapping[Code, Mapping[str, str]], unit: Unit, settings: Settings) -> Problem:
    changes = remedies.get(problem.code)
    in_linked_folder = problem.code is Code.ARCHIVE and problem.severity is Severity.WARNING
    if changes is None or problem.command or problem.severity is Severity.INFO or in_linked_folder:
        return problem
    return replace(problem, command=command_for(settings, [unit.session.id], changes))
