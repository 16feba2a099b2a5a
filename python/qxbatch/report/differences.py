"""Differences of sessions from a protocol, as a table for people and as JSON (docs/protocol.md)."""

from collections.abc import Sequence
from typing import Any

from qxbatch.protocol.difference import Difference, difference_value
from qxbatch.study.comparison import Comparison, SessionComparison
from qxbatch.visible import one_line

_TITLES = ("series", "name", "difference", "field", "expected", "found", "note")


def comparison_value(comparison: Comparison) -> dict[str, Any]:
    """Return the JSON value; a session that cannot be compared has a problem."""
    return {"sessions": [_session_value(session) for session in comparison.sessions]}


def _session_value(session: SessionComparison) -> dict[str, Any]:
    value: dict[str, Any] = {
        "session": session.id,
        "scanner": session.scanner or None,
        "differences": [difference_value(difference) for difference in session.differences],
    }
    return {**value, "problem": session.problem} if session.problem else value


def comparison_text(comparison: Comparison) -> str:
    """Return a table for each session that differs, a line for each that cannot be compared, and the numbers of sessions."""
    lines: list[str] = []
    for session in comparison.sessions:
        if session.problem:
            lines += [f"{one_line(session.id)}: cannot be checked: {one_line(session.problem)}", ""]
        elif session.differences:
            count = len(session.differences)
            head = f"{session.id} ({session.scanner}): {count} difference{'s' * (count != 1)}"
            lines += [one_line(head), *_table([_TITLES, *map(_cells, session.differences)]), ""]
    return "\n".join([*lines, counts_text(comparison.sessions)])


def counts_text(sessions: Sequence[SessionComparison]) -> str:
    """Return how many sessions differ: `12 sessions: 9 without differences, 3 with differences`."""
    total = len(sessions)
    problems = sum(bool(session.problem) for session in sessions)
    different = sum(bool(session.differences) for session in sessions)
    phrases = [f"{total - problems - different} without differences"]
    phrases += [f"{different} with differences"] * (different > 0) + [f"{problems} not checked"] * (problems > 0)
    return f"{total} session{'s' * (total != 1)}: {', '.join(phrases)}"


def _cells(difference: Difference) -> tuple[str, ...]:
    number = difference.series_number if difference.series_number is not None else difference.n
    cells = (
        "-" if number is None else str(number),
        difference.series or "-",
        difference.kind.value,
        difference.field or "-",
        difference.expected or "-",
        "not known" if difference.actual is None else difference.actual,
        difference.note,
    )
    return tuple(map(one_line, cells))


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
