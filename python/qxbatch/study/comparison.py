"""Compare the sessions of a study with a protocol, or with the majority of the sessions.

The result is the matrix of a study: a row for each session, a column for each series, and differences in the cells.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from qxbatch.os_error import error_text
from qxbatch.protocol.check import EntryCheck, check_session
from qxbatch.protocol.difference import Difference, DifferenceKind
from qxbatch.protocol.model import ExpectedSeries, Protocol, matches_scanner
from qxbatch.protocol.scanned import ScannedSession
from qxbatch.session.folder import SessionFolder
from qxbatch.session.summary import FACTS_SCHEMA, SummaryError
from qxbatch.study.groups import FEWEST_SESSIONS
from qxbatch.study.learn import learn
from qxbatch.study.scanned import scanned_session
from qxbatch.visible import shell_word


class CellState(StrEnum):
    """The state of a series in a session."""

    PRESENT = "present"
    MISSING = "missing"
    """The session has the series less often than expected."""
    REPEATED = "repeated"
    """The session has the series more often than expected."""
    INCOMPLETE = "incomplete"
    """It has too few complete volumes."""
    DIFFERENT = "different"
    """Something else differs."""
    NOT_EXPECTED = "not expected"
    """The series is optional and absent, or not expected on the scanner."""


class Column(NamedTuple):
    """A series that the protocol expects, or that the majority of sessions has."""

    name: str
    kinds: tuple[str, ...]
    """Kinds of its images, such as magnitude."""


class Cell(NamedTuple):
    """One series of one session."""

    state: CellState
    differences: tuple[Difference, ...] = ()


class SessionComparison(NamedTuple):
    """The row of one session."""

    id: str
    scanner: str = ""
    """Manufacturer and model, such as `Siemens Prisma`; empty if the session cannot be compared."""
    cells: Mapping[Column, Cell] | None = None
    """None if nothing is compared: the session cannot be compared, or its scanner has too few sessions."""
    differences: tuple[Difference, ...] = ()
    problem: str = ""
    """Why the session cannot be compared; empty if it can."""


class Comparison(NamedTuple):
    """The rows of all sessions, in the order in which `compare` got them."""

    columns: tuple[Column, ...]
    sessions: tuple[SessionComparison, ...]


class NotCompared(NamedTuple):
    """A session whose series cannot be compared, and why."""

    id: str
    problem: str


ScannedOrNotCompared = ScannedSession | NotCompared


def read_scanned_session(folder: SessionFolder) -> ScannedOrNotCompared:
    """Return the series of a session with their parameters, from its summary, or why they cannot be compared."""
    try:
        session = scanned_session(folder)
    except (SummaryError, OSError) as error:
        return NotCompared(folder.id, error_text(error))
    if session is not None and session.has_facts:
        return session
    if folder.summary is not None and folder.summary.schema >= FACTS_SCHEMA:
        return NotCompared(folder.id, "has no facts: the headers of its series cannot be read, or have none")
    command = f"qxbatch inspect --update {shell_word(str(folder.path))}"
    return NotCompared(folder.id, f"has no facts; `{command}` computes them")


def compare(sessions: Iterable[ScannedOrNotCompared], protocol: Protocol | None = None) -> Comparison:
    """Compare sessions with a protocol; without one, with the majority of at least three sessions of their scanner.

    Without a protocol, a series that the majority does not have is not reported.
    """
    all_sessions = list(sessions)
    scanned = (session for session in all_sessions if isinstance(session, ScannedSession))
    learned = None if protocol else learn(scanned, FEWEST_SESSIONS)
    reference = learned.protocol if learned else protocol
    assert reference is not None
    columns = tuple(dict.fromkeys(map(_column, reference.series)))
    group_scanners = learned and tuple(learned.session_counts)
    return Comparison(columns, tuple(_row(session, reference, columns, group_scanners) for session in all_sessions))


def _row(
    session: ScannedOrNotCompared,
    reference: Protocol,
    columns: Sequence[Column],
    group_scanners: Sequence[str] | None,
) -> SessionComparison:
    """Compare a session. `group_scanners`: without a protocol, the scanners that have a majority; with one, None."""
    if isinstance(session, NotCompared):
        return SessionComparison(session.id, problem=session.problem)
    scanner = session.scanner
    if group_scanners is not None and not any(matches_scanner(name, scanner) for name in group_scanners):
        return SessionComparison(session.id, scanner)
    check = check_session(reference, session)
    checks: dict[Column, list[EntryCheck]] = {column: [] for column in columns}
    for entry_check in check.entry_checks:
        checks[_column(entry_check.entry)].append(entry_check)
    cells = {column: _cell(column_checks) for column, column_checks in checks.items()}
    differences = check.differences
    if group_scanners is not None:
        differences = tuple(difference for difference in differences if difference.kind is not DifferenceKind.EXTRA)
    return SessionComparison(session.id, scanner, cells, differences)


def _column(entry: ExpectedSeries) -> Column:
    return Column(entry.name, tuple(sorted(entry.kinds or ())))


_WORST_FIRST = (CellState.MISSING, CellState.REPEATED, CellState.INCOMPLETE, CellState.DIFFERENT, CellState.PRESENT)


def _cell(checks: Sequence[EntryCheck]) -> Cell:
    """Return the cell of the entries in one column: their worst state, and all differences. Scanners can have separate entries."""
    states = set(map(_state, checks))
    state = next((state for state in _WORST_FIRST if state in states), CellState.NOT_EXPECTED)
    return Cell(state, tuple(difference for check in checks for difference in check.differences))


def _state(check: EntryCheck) -> CellState:
    if len(check.selected_series) < check.entry.count.least:
        return CellState.MISSING
    if check.surplus_series:
        return CellState.REPEATED
    if any(difference.kind is DifferenceKind.VOLUMES for difference in check.differences):
        return CellState.INCOMPLETE
    if check.differences:
        return CellState.DIFFERENT
    return CellState.PRESENT if check.selected_series else CellState.NOT_EXPECTED
