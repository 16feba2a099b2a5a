"""What differs in a study, as lines for the terminal."""

from collections.abc import Iterable

<<<<<<< HEAD
from qxbatch.protocol.difference import in_words
from qxbatch.session.layout import STUDY_SIDECAR
from qxbatch.study.study import Row
from qxbatch.visible import one_line

_LISTED, _NAMED = 20, 3
"""So many sessions are listed in the terminal, with so many of their differences."""


=======
from qxbatch.model import State
from qxbatch.problems import Problem, Severity
from qxbatch.protocol.difference import Difference, difference_value, in_words
from qxbatch.session.dates import calendar_day
from qxbatch.session.folder import SessionFolder, SessionState
from qxbatch.session.layout import STUDY_SIDECAR
from qxbatch.session.ledger import Fate
from qxbatch.session.summary_parts import problem_value
from qxbatch.study.comparison import Readable, SessionComparison, compare, read_session
from qxbatch.visible import one_line

_FORMULA = ("=", "+", "-", "@")
_LISTED, _NAMED = 20, 3
"""So many sessions are listed in the terminal, with so many of their differences."""
ABSENT = "n/a"
"""As BIDS tables write what is not known."""
COLUMNS = {
    "session_id": "Name of the session folder",
    "subject": "Subject of the session",
    "session": "Session name, where the id has one",
    "state": "complete; review: there are warnings; failed: a series did not convert; sorted: not converted; "
    "incomplete: session.txt or the summary is missing",
    "scanned": "Day of the earliest study, YYYYMMDD",
    "series": "Series, images or not",
    "converted": "Series that became images",
    "partial": "Series that became images in part",
    "nothing_to_convert": "Series that hold nothing to convert",
    "failed": "Series whose conversion failed",
    "images": "NIfTI images",
    "files": "Files of the packets, those in archives counted",
    "bytes": "Size of the series' DICOM or PAR/REC, in bytes",
    "errors": "Problems that are errors",
    "warnings": "Problems that are warnings",
    "differences": "Series, parameters and volumes that differ from the majority of the study; n/a: not compared",
    "packets": "File names of the packets",
    "qxbatch": "Version that made the session",
}
"""Name to meaning, in the order of the table."""


class Row(NamedTuple):
    """One session."""

    cells: Mapping[str, object]
    """By the names of COLUMNS; None for what is not known."""
    problems: tuple[Problem, ...] = ()
    differences: tuple[Difference, ...] = ()
    """From the majority of the study."""

    @property
    def session(self) -> str:
        """The session's id."""
        return str(self.cells["session_id"])

    @property
    def words(self) -> str:
        """The first differences in one line."""
        return in_words(self.differences)


def session_row(folder: SessionFolder) -> Row:
    """Return the row of a session; one without a summary that can be read is told as incomplete."""
    summary = folder.readable_summary
    if summary is None:
        cells: dict[str, object] = dict.fromkeys(COLUMNS)
        return Row({**cells, "session_id": folder.id, "state": SessionState.INCOMPLETE.value})
    states = Counter(series.state for series in summary.series)
    severities = Counter(problem.severity for problem in summary.problems)
    days = [calendar_day(series.header.get("StudyDate")) for series in summary.series]
    return Row(
        {
            "session_id": folder.id,
            "subject": summary.session.subject,
            "session": summary.session.session,
            "state": folder.state.value,
            "scanned": min((day for day in days if day), default=None),
            "series": len(summary.series),
            "converted": states[State.CONVERTED],
            "partial": states[State.PARTIAL],
            "nothing_to_convert": states[State.NOTHING],
            "failed": states[State.FAILED],
            "images": len(summary.images),
            "files": sum(
                count for fate, count in summary.ledger.fates.items() if fate not in (Fate.NODATA, Fate.OPENED)
            ),
            "bytes": sum(series.size for series in summary.series),
            "errors": severities[Severity.ERROR],
            "warnings": severities[Severity.WARNING],
            "differences": None,
            "packets": ", ".join(packet.name for packet in summary.packets) or None,
            "qxbatch": summary.qxbatch,
        },
        summary.problems,
    )


def study_rows(folders: Iterable[SessionFolder]) -> list[Row]:
    """Return the rows of sessions, each compared with the majority of them; only summaries are read."""
    rows: list[Row] = []
    sessions: list[Readable] = []
    for folder in folders:
        rows.append(session_row(folder))
        sessions.append(read_session(folder))
    return [_compared(row, found) for row, found in zip(rows, compare(sessions).sessions, strict=True)]


def _compared(row: Row, found: SessionComparison) -> Row:
    if found.cells is None:
        return row
    return row._replace(cells={**row.cells, "differences": len(found.differences)}, differences=found.differences)


>>>>>>> main
def differing(rows: Iterable[Row]) -> list[str]:
    """Return a line for each session that differs from the majority, at most so many."""
    different = [row for row in rows if row.differences]
    lines = [f"  {one_line(f'{row.session}: {in_words(row.differences, _NAMED)}')}" for row in different[:_LISTED]]
    more = len(different) - len(lines)
    lines += [f"  {more} more: see {STUDY_SIDECAR}"] if more else []
    return ["differ from the majority of the study:", *lines] if lines else []
<<<<<<< HEAD
=======


def as_tsv(rows: Iterable[Row]) -> str:
    """Return the table; what is not known is `n/a`."""
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(_cell(row.cells[column]) for column in COLUMNS) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    """Return a cell; a text that a spreadsheet would take for a formula gets an apostrophe in front."""
    text = "".join(each if each.isprintable() else " " for each in str(value))
    if isinstance(value, str) and text.startswith(_FORMULA):
        return f"'{text}"
    return ABSENT if value is None or not text else text


def as_json(rows: Iterable[Row]) -> str:
    """Return what the columns mean, and the sessions with all their problems."""
    told = {
        "columns": COLUMNS,
        "sessions": [_value(row) for row in rows],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _value(row: Row) -> dict[str, object]:
    return {
        **row.cells,
        "problems": [problem_value(problem) for problem in row.problems],
        "differences": [difference_value(difference) for difference in row.differences],
    }
>>>>>>> main
