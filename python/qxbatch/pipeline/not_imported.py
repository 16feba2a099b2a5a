"""What an import left in the inbox, for the study level."""

import os
from collections.abc import Sequence
from pathlib import Path

from qxbatch.model import Candidate, Report, Verdict
from qxbatch.problems import Problem, Severity
from qxbatch.study.study import NotImported

_NOT_IMPORTED = (Verdict.NO_MATCH_IN_LOG, Verdict.NO_NAME, Verdict.NOT_PARSED, Verdict.STRAY)
"""Verdicts of things in the inbox that no run imports as they are."""


def waiting(
    report: Report | None, listed: Sequence[NotImported], *, deidentified: bool = False
) -> Sequence[NotImported]:
    """Return what was not imported: by a run, or without one, of what was listed before.

    `deidentified`: packets are counted and not named.
    """
    if report is None:
        return _still_there(listed)
    return _counted(report) if deidentified else _not_imported(report, listed)


def _not_imported(report: Report, earlier: Sequence[NotImported]) -> list[NotImported]:
    """Return what was not imported: by this run, and by earlier ones where this run did not look at it.

    Whether an item without a path is still there only its own run knew.
    """
    seen = {candidate.path.name for candidate in report.candidates if candidate.verdict is not Verdict.FILTERED}
    found = [item for item in _still_there(earlier) if item.path and item.item not in seen]
    for candidate in report.candidates:
        problem = candidate.problem
        if problem is not None:
            found.append(_item(candidate.path, problem))
        elif candidate.verdict in _NOT_IMPORTED:
            reason = f"{candidate.verdict}{f': {candidate.note}' if candidate.note else ''}"
            found.append(NotImported(candidate.path.name, reason, path=str(candidate.path)))
    for session in report.sessions:
        problem = next((each for each in session.problems if each.severity is Severity.ERROR), None)
        if session.folder is None and problem is not None:
            path = next((c.path for c in report.candidates if c.path.name in session.packet.split(", ")), None)
            found.append(_item(path or Path(session.packet), problem))
    return sorted(dict.fromkeys(found))


def _counted(report: Report) -> list[NotImported]:
    """Return what this run did not import, without names; messages and commands have names too."""
    reasons = [str(each.problem.code if each.problem else each.verdict) for each in report.candidates if _waits(each)]
    for session in report.sessions:
        codes = [each.code for each in session.problems if each.severity is Severity.ERROR]
        if session.folder is None and codes:
            reasons.append(str(codes[0]))
    return [
        NotImported(f"packet {k}", f"{reason}; the end of the run named it")
        for k, reason in enumerate(sorted(reasons), 1)
    ]


def _waits(candidate: Candidate) -> bool:
    return candidate.problem is not None or candidate.verdict in _NOT_IMPORTED


def _item(path: Path, problem: Problem) -> NotImported:
    reason = " ".join(text for text in (problem.message, problem.hint) if text)
    return NotImported(path.name, reason, problem.command, str(path) if os.path.lexists(path) else "")


def _still_there(items: Sequence[NotImported]) -> list[NotImported]:
    """Return the items that are in the inbox; one without a path has a name that is not that of the file."""
    return [item for item in items if not item.path or os.path.lexists(item.path)]
