"""The sessions of a study compared with a protocol, or with what their majority has.

The result is the matrix of a study: a row for each session, a column for each series, and in a cell what differs.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from qxbatch.os_error import error_text
from qxbatch.protocol.check import Match, check_session
from qxbatch.protocol.difference import Difference, DifferenceKind
from qxbatch.protocol.rules import Expected, Protocol, is_scanner
from qxbatch.protocol.scanned import ScannedSession
from qxbatch.session.folder import SessionFolder
from qxbatch.session.summary import SummaryError
from qxbatch.study.groups import SMALL
from qxbatch.study.learn import learn
from qxbatch.study.scanned import scanned_session
from qxbatch.visible import shell_word


class CellState(StrEnum):
    """What a session has of a series."""

    PRESENT = "present"
    MISSING = "missing"
    REPEATED = "repeated"
    INCOMPLETE = "incomplete"
    DIFFERENT = "different"
    """A parameter differs."""
    NOT_EXPECTED = "not expected"
    """The series is optional or not expected on the scanner, and is not there."""


class Column(NamedTuple):
    """A series that sessions have in common."""

    name: str
    kinds: tuple[str, ...]


class Cell(NamedTuple):
    """One series of one session."""

    state: CellState
    numbers: tuple[int, ...] = ()
    """The n of its series."""
    differences: tuple[Difference, ...] = ()


class SessionComparison(NamedTuple):
    """The row of one session."""

    id: str
    scanner: str = ""
    cells: Mapping[Column, Cell] | None = None
    """None where nothing is compared: the session has no facts, or too few sessions are of its scanner."""
    differences: tuple[Difference, ...] = ()
    problem: str = ""
    """Why the session cannot be compared."""


class Comparison(NamedTuple):
    """All sessions, in the order in which they were given."""

    columns: tuple[Column, ...]
    sessions: tuple[SessionComparison, ...]


class Unreadable(NamedTuple):
    """A session without facts, and why."""

    id: str
    problem: str


Readable = ScannedSession | Unreadable


def read_session(folder: SessionFolder) -> Readable:
    """Return what a session was scanned with, or why that is not known."""
    try:
        session = scanned_session(folder)
    except (SummaryError, OSError) as error:
        return Unreadable(folder.id, error_text(error))
    if session is None or not session.has_facts:
        return Unreadable(
            folder.id, f"has no facts; `qxbatch inspect --update {shell_word(str(folder.path))}` computes them"
        )
    return session


def compare(sessions: Iterable[Readable], protocol: Protocol | None = None) -> Comparison:
    """Compare sessions with a protocol; without one, with the majority of at least three sessions of their scanner.

    Without a protocol, series that few sessions have are no differences.
    """
    every = list(sessions)
    rules = protocol or learn((each for each in every if isinstance(each, ScannedSession)), SMALL).protocol
    columns = tuple(dict.fromkeys(map(_column, rules.series)))
    return Comparison(columns, tuple(_row(session, rules, columns, by_majority=protocol is None) for session in every))


def _row(session: Readable, rules: Protocol, columns: Sequence[Column], *, by_majority: bool) -> SessionComparison:
    if isinstance(session, Unreadable):
        return SessionComparison(session.id, problem=session.problem)
    scanner = session.scanner
    if by_majority and not any(is_scanner(name, scanner) for name in rules.scanners):
        return SessionComparison(session.id, scanner)
    check = check_session(rules, session)
    matches = {_column(match.entry): match for match in check.matches}
    cells = {column: _cell(matches.get(column)) for column in columns}
    differences = check.differences
    if by_majority:
        differences = tuple(each for each in differences if each.kind is not DifferenceKind.EXTRA)
    return SessionComparison(session.id, scanner, cells, differences)


def _column(entry: Expected) -> Column:
    return Column(entry.name, tuple(sorted(entry.kinds or ())))


def _cell(match: Match | None) -> Cell:
    if match is None:
        return Cell(CellState.NOT_EXPECTED)
    numbers = tuple(sorted(series.n for series in (*match.kept, *match.surplus)))
    return Cell(_state(match), numbers, match.differences)


def _state(match: Match) -> CellState:
    if len(match.kept) < match.entry.count.least:
        return CellState.MISSING
    if match.surplus:
        return CellState.REPEATED
    if any(each.kind is DifferenceKind.VOLUMES for each in match.differences):
        return CellState.INCOMPLETE
    if match.differences:
        return CellState.DIFFERENT
    return CellState.PRESENT if match.kept else CellState.NOT_EXPECTED
