"""The packets that an import left in the inbox, for the study level (report.html, study.tsv, study.json)."""

import os
from collections.abc import Sequence
from pathlib import Path

from qxbatch.model import Candidate, Report, Verdict
from qxbatch.problems import Problem, Severity
from qxbatch.study.study import NotImported

_NOT_IMPORTED = (Verdict.NO_MATCH_IN_LOGFILE, Verdict.NO_NAME, Verdict.NOT_PARSED, Verdict.STRAY)
"""Entries of the inbox with these verdicts count as not imported, although they have no `Problem`."""


def items_not_imported(
    report: Report | None, previous_items: Sequence[NotImported], *, deidentified: bool = False
) -> Sequence[NotImported]:
    """Return the items that this run (`report`) did not import, and those of previous runs that this run did not consider.

    Without a report, return the previous items, except those known to be no longer in the inbox. `deidentified`: return only the
    items of this run, which are counted and not named.
    """
    if report is None:
        return _in_inbox(previous_items)
    return _unnamed_items(report) if deidentified else _named_items(report, previous_items)


def _named_items(report: Report, previous_items: Sequence[NotImported]) -> list[NotImported]:
    """Return the items that this run did not import, and those of previous runs that this run did not consider.

    A previous item without a path is dropped: nobody can check whether it is still in the inbox.
    """
    packet_names = {candidate.path.name for candidate in report.candidates if candidate.verdict is not Verdict.FILTERED}
    items = [item for item in _in_inbox(previous_items) if item.path and item.item not in packet_names]
    for candidate in report.candidates:
        problem = candidate.problem
        if problem is not None:
            items.append(_item(candidate.path.name, problem, candidate.path))
        elif candidate.verdict in _NOT_IMPORTED:
            reason = f"{candidate.verdict}{f': {candidate.note}' if candidate.note else ''}"
            items.append(NotImported(candidate.path.name, reason, path=str(candidate.path)))
    for session in report.sessions:
        problem = next((error for error in session.problems if error.severity is Severity.ERROR), None)
        if session.folder is None and problem is not None:
            path = next((each.path for each in report.candidates if each.path.name in session.packet.split(", ")), None)
            items.append(_item(Path(session.packet).name if path is None else path.name, problem, path))
    return sorted(dict.fromkeys(items))


def _unnamed_items(report: Report) -> list[NotImported]:
    """Return what this run did not import, without names; messages and commands can contain names and are omitted, too."""
    reasons = [
        str(candidate.problem.code if candidate.problem else candidate.verdict)
        for candidate in report.candidates
        if was_not_imported(candidate)
    ]
    for session in report.sessions:
        codes = [problem.code for problem in session.problems if problem.severity is Severity.ERROR]
        if session.folder is None and codes:
            reasons.append(str(codes[0]))
    return [
        NotImported(f"packet {k}", f"{reason}; the report at the end of the run named it")
        for k, reason in enumerate(sorted(reasons), 1)
    ]


def was_not_imported(candidate: Candidate) -> bool:
    """Return whether the study level lists an entry of the inbox as not imported, by its verdict alone."""
    return candidate.problem is not None or candidate.verdict in _NOT_IMPORTED


def _item(name: str, problem: Problem, path: Path | None) -> NotImported:
    """Return the item of a packet that was not imported; `path` is its path in the inbox, None if not known."""
    reason = " ".join(text for text in (problem.message, problem.hint) if text)
    return NotImported(name, reason, problem.command, str(path) if path is not None and os.path.lexists(path) else "")


def _in_inbox(items: Sequence[NotImported]) -> list[NotImported]:
    """Return the items that are still in the inbox; those without a path cannot be checked and are kept."""
    return [item for item in items if not item.path or os.path.lexists(item.path)]
