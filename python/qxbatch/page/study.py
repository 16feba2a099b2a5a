"""report.html of a study: sessions with their state, what differs among them, and what was not imported."""

import base64
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from qxbatch.counted import counted
from qxbatch.page.environment import render
from qxbatch.page.strips import Strip, strips_of
from qxbatch.protocol.difference import differences_text
from qxbatch.protocol.scanned import ScannedSession
from qxbatch.session.folder import SessionState
from qxbatch.session.layout import STUDY_SIDECAR, STUDY_TABLE
from qxbatch.session.paths import SessionPaths
from qxbatch.study.comparison import Cell, CellState, Column
from qxbatch.study.exports import DataSet
from qxbatch.study.groups import FEWEST_SESSIONS
from qxbatch.study.study import Study, StudyRow
from qxbatch.textfile import read_bytes

_TILES = {
    SessionState.COMPLETE: ("complete", "good"),
    SessionState.REVIEW: ("to check", "check"),
    SessionState.FAILED: ("failed", "bad"),
    SessionState.SORTED: ("sorted, not converted", "check"),
    SessionState.INCOMPLETE: ("no session.txt or summary", "bad"),
}
"""Maps the states of an existing session to their names on the page and the looks of their badges, in the order of the tiles."""
_MARKS = {
    CellState.PRESENT: ("present", "good"),
    CellState.MISSING: ("missing", "bad"),
    CellState.REPEATED: ("repeated", "check"),
    CellState.INCOMPLETE: ("incomplete", "bad"),
    CellState.DIFFERENT: ("differs", "check"),
    CellState.NOT_EXPECTED: ("", ""),
}
"""Maps each state of a series in a session to its word on the page and the look of its cell."""
_MAX_THUMBNAIL_BYTES = 8192
"""A larger thumbnail is not in the page."""
_MAX_DIFFERENCES = 2
"""Maximum number of differences that a row of the table of sessions names, so that the row stays short."""
_SUMMARY_COLUMNS = ("scanned", "scanner", "series", "images", "failed", "warnings")
COLUMNS = ("", "session", "subject", "state", *_SUMMARY_COLUMNS, "differences", "packets")
"""Headings of the table; the first column has the thumbnails. If there are data sets, `bids` is before the last column."""


class Tile(NamedTuple):
    """A count that filters the tables."""

    name: str
    level: str
    """The look of the badge: `good`, `check` or `bad`; empty for the tile of all sessions."""
    session_count: int
    state: str
    """State of the rows that the tile shows; empty: all rows."""


class SessionRow(NamedTuple):
    """A row of the table of sessions."""

    id: str
    anchor: str
    page_url: str
    """Of the page of the session; empty if the session has no readable summary."""
    thumbnail_url: str
    """Empty if there is no thumbnail."""
    subject: str
    state: str
    """As in the tiles."""
    level: str
    """The look of the badge, as in the tiles."""
    cells: tuple[tuple[str, str], ...]
    """Text and sort key of the columns after the state."""


class MatrixCell(NamedTuple):
    """One series name in one session, compared with what is expected."""

    word: str
    level: str
    """The look of the cell: `good`, `check` or `bad`; empty if the series is not expected."""
    detail: str
    """The parameters that differ, with the actual and the expected value of each."""


class MatrixRow(NamedTuple):
    """A session in the table that compares sessions, with a cell for each series name."""

    id: str
    anchor: str
    state: str
    cells: tuple[MatrixCell, ...]
    note: str
    """Why the session is not compared; empty if it is."""


def study_page(folder: Path, study: Study) -> str:
    """Return the page of a study as HTML, with style, script and thumbnails in it. `folder` is the sessions folder."""
    sessions = [_session(folder, row) for row in study.rows]
    anchors = {session.id: session.anchor for session in sessions}
    return render(
        "study.html",
        title=f"{folder.name} - qxbatch",
        name=folder.name,
        tiles=_tiles(study),
        columns=(*COLUMNS[:-1], *(["bids"] if study.data_sets else []), COLUMNS[-1]),
        sessions=sessions,
        matrix_columns=[_column_name(column) for column in study.comparison.columns],
        matrix=_matrix(study, anchors),
        strips=_strips(study, anchors),
        not_imported=study.not_imported,
        data_sets=[_data_set(data_set) for data_set in study.data_sets],
        table=STUDY_TABLE,
        sidecar=STUDY_SIDECAR,
    )


def _data_set(data_set: DataSet) -> tuple[str, str]:
    """Return the folder of a data set, and the result of its validation."""
    validation = data_set.validation
    if validation is None:
        return str(data_set.path), "not validated since it was written last: qxbatch bids --validate"
    counts = f"{counted(validation.errors, 'error')}, {counted(validation.warnings, 'warning')}"
    return str(data_set.path), f"{counts} ({validation.validator})"


def _tiles(study: Study) -> list[Tile]:
    counts = Counter(_state(row) for row in study.rows)
    tiles = [Tile("sessions", "", len(study.sessions), "")]
    tiles += [Tile(name, level, counts[name, level], name) for name, level in _TILES.values() if counts[name, level]]
    return tiles


def _session(folder: Path, row: StudyRow) -> SessionRow:
    cells = row.cells
    state, level = _state(row)
    paths = SessionPaths(folder / row.session)
    has_summary = row.record.stamp is not None
    page = paths.page.relative_to(folder).as_posix() if has_summary else ""
    differences = "" if cells["differences"] is None else str(cells["differences"])
    words = differences_text(row.differences, _MAX_DIFFERENCES)
    texts = ["" if cells[key] is None else str(cells[key]) for key in _SUMMARY_COLUMNS]
    return SessionRow(
        row.session,
        f"s-{quote(row.session, safe='')}",
        quote(page),
        _thumbnail(paths),
        str(cells["subject"] or ""),
        state,
        level,
        (
            *((_day(text) if index == 0 else text, text) for index, text in enumerate(texts)),
            (f"{differences}: {words}" if words else differences, differences),
            *([] if row.export_state is None else [(row.export_state, row.export_state)]),
            (str(cells["packets"] or ""), ""),
        ),
    )


def _state(row: StudyRow) -> tuple[str, str]:
    """Return the state as the tiles name it, and the look of its badge."""
    state = str(row.cells["state"])
    return _TILES.get(SessionState(state), (state, "")) if state in set(SessionState) else (state, "")


def _day(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 else text  # noqa: PLR2004 - YYYYMMDD


def _thumbnail(paths: SessionPaths) -> str:
    try:
        data = read_bytes(paths.thumbnail, _MAX_THUMBNAIL_BYTES)
    except OSError:
        return ""
    return f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"


def _column_name(column: Column) -> str:
    return (
        f"{column.name} ({', '.join(column.kinds)})" if column.kinds and column.kinds != ("magnitude",) else column.name
    )


def _matrix(study: Study, anchors: dict[str, str]) -> list[MatrixRow]:
    rows = []
    for row in study.rows:
        comparison = row.comparison
        cells = comparison.cells or {}
        note = comparison.problem or (
            ""
            if comparison.cells is not None
            else f"not compared: fewer than {FEWEST_SESSIONS} sessions of its scanner"
        )
        matrix_cells = tuple(_matrix_cell(cells[column]) for column in study.comparison.columns) if cells else ()
        rows.append(
            MatrixRow(row.session, anchors[row.session], _state(row)[0], matrix_cells, "" if matrix_cells else note)
        )
    return rows


def _matrix_cell(cell: Cell) -> MatrixCell:
    word, level = _MARKS[cell.state]
    detail = "; ".join(
        f"{each.field} {each.actual or 'not known'}, expected {each.expected}"
        for each in cell.differences
        if each.field != "count"
    )
    return MatrixCell(word, level, detail)


def _strips(study: Study, anchors: dict[str, str]) -> list[tuple[str, list[Strip]]]:
    """Return the strip plots: temporal SNR and complete volumes by the name of the series."""
    tsnr = [(point.name, point.tsnr, row.session) for row in study.rows for point in row.record.tsnr]
    volumes = [point for row in study.rows for point in _volumes(row)]
    plots = (("Temporal SNR (median)", tsnr), ("Complete volumes", volumes))
    return [(title, strips) for title, points in plots if (strips := strips_of(points, anchors))]


def _volumes(row: StudyRow) -> list[tuple[str, float, str]]:
    """Return the name, the number of complete volumes and the session of each series that has, or should have, several volumes."""
    scanned = row.record.series_facts
    if not isinstance(scanned, ScannedSession):
        return []
    series_facts = [(series.name, series.acquisition) for series in scanned.series if series.acquisition is not None]
    return [
        (name, float(acquisition.complete_volumes or 0), row.session)
        for name, acquisition in series_facts
        if max(acquisition.planned_volumes or 0, acquisition.acquired_volumes or 0) > 1
    ]
