"""Tables of a data set (tab-separated), merged with the rows and columns that people added."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

ABSENT = "n/a"
"""A cell without a value, as in BIDS."""
PARTICIPANT_ID = "participant_id"
"""The column of participants.tsv that names the subject."""


class Table(NamedTuple):
    """A table; the first column names the row."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    """The cells of each row, by column."""

    @property
    def key_column(self) -> str:
        """Return the column that names the row."""
        return self.columns[0]

    def text(self) -> str:
        """Return the text of the file."""
        lines = ["\t".join(self.columns)]
        lines += ["\t".join(_cell(row.get(column, "")) for column in self.columns) for row in self.rows]
        return "".join(f"{line}\n" for line in lines)


def _cell(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text).strip() or ABSENT


def read_table(text: str) -> Table | None:
    """Return the table in a text; None where it is not a table. Lines end with LF or CR LF, not with CR alone."""
    lines = [line.removesuffix("\r").split("\t") for line in text.lstrip("\ufeff").split("\n") if line.strip()]
    if any("\r" in cell for line in lines for cell in line):
        return None
    if not lines or len(set(lines[0])) != len(lines[0]) or any(len(line) > len(lines[0]) for line in lines):
        return None
    return Table(tuple(lines[0]), tuple(dict(zip(lines[0], line, strict=False)) for line in lines[1:]))


def merge_tables(existing: Table, ours: Table, is_kept: Callable[[str], bool]) -> Table:
    """Return the rows of `ours`, the table of this export, and those other rows of the existing table that `is_kept` keeps.

    `is_kept` gets the name of a row: its cell in the column `ours.key_column`. Kept rows keep the values of all their columns.
    """
    existing_rows = {row[ours.key_column]: row for row in existing.rows if row.get(ours.key_column)}
    our_rows = {row[ours.key_column]: row for row in ours.rows}
    kept_rows = [row for name, row in existing_rows.items() if name not in our_rows and is_kept(name)]
    columns = _columns_with_values(existing.columns, ours.columns, kept_rows)
    return Table(columns, _sort_rows([*our_rows.values(), *kept_rows], ours.key_column))


def _columns_with_values(
    existing: Sequence[str], ours: Sequence[str], kept_rows: Sequence[Mapping[str, str]]
) -> tuple[str, ...]:
    """Return our columns, and those other existing ones in which a kept row has a value.

    If there are such other columns, the order is that of the existing table; our columns that it does not have are last.
    """
    columns = [name for name in existing if name in ours or any(_has_value(row.get(name, "")) for row in kept_rows)]
    return tuple(ours) if set(columns) <= set(ours) else (*columns, *(name for name in ours if name not in columns))


Cells = Mapping[str, Mapping[str, str]]
"""The cells of rows, by the name of the row and then by column."""


class StaleCell(NamedTuple):
    """A cell of a table that people edited, whose value in the sessions is another one than at the last export."""

    row: str
    column: str
    existing: str
    """The cell of the edited table."""
    value: str
    """What the sessions give now."""
    previous: str
    """What they gave at an earlier export; empty if no export recorded it."""


def stale_cells(existing: Table, ours: Table, previous: Sequence[Cells]) -> list[StaleCell]:
    """Return the cells of an edited table that differ from `ours`, the table of this export, since our value changed.

    A cell for which each earlier export had our value is left out: the user edited it. `previous` are the cells in the record,
    and in the journal of an interrupted export.
    """
    existing_rows = {row[ours.key_column]: row for row in existing.rows if row.get(ours.key_column)}
    return [
        StaleCell(name, column, cell, value, earlier_values[0])
        for name, cells in cells_of(ours).items()
        for column, value in cells.items()
        if (cell := existing_rows.get(name, {}).get(column, value)) != value
        and (earlier_values := [text for text in _earlier_values(name, column, previous, cell) if text != value])
    ]


def _earlier_values(row: str, column: str, previous: Sequence[Cells], existing: str) -> list[str]:
    """Return the values that earlier exports recorded for a cell.

    If none did, an existing value can be of any session: it counts as changed, and the result is one empty text.
    """
    recorded = [each[row][column] for each in previous if column in each.get(row, {})]
    return recorded or ([""] if _has_value(existing) else [])


def rows_with_edits(existing: Table, key_column: str, previous: Cells) -> list[str]:
    """Return the names of rows of an edited table that have a value other than in `previous`, the cells of the last export."""
    return [
        name
        for row in existing.rows
        if (name := row.get(key_column, "")) and _has_edit(row, key_column, previous.get(name, {}))
    ]


def _has_edit(row: Mapping[str, str], key_column: str, previous: Mapping[str, str]) -> bool:
    return any(
        _has_value(cell) and cell != previous.get(column) for column, cell in row.items() if column != key_column
    )


def _has_value(cell: str) -> bool:
    return cell.strip() not in ("", ABSENT)


def cells_of(table: Table) -> dict[str, dict[str, str]]:
    """Return the cells of a table as its text has them."""
    return {
        row[table.key_column]: {column: _cell(row.get(column, "")) for column in table.columns[1:]}
        for row in table.rows
    }


def merge_edited(text: str, columns: Sequence[str], ours: Table, is_kept: Callable[[str], bool]) -> str:
    """Return the text of a table that people edited, with the new rows of `ours`, the table of this export, at its end.

    A row stays if it has no name, if our table has its name, or if `is_kept` returns True for it. These lines are not changed.
    `columns` are those of the edited table.
    """
    our_names = {row[ours.key_column] for row in ours.rows}
    index = columns.index(ours.key_column)
    lines = _lines(text)
    header = next(k for k, line in enumerate(lines) if line.lstrip("\ufeff").strip())
    names = ["" if k <= header else _name(line, index) for k, line in enumerate(lines)]
    kept = (line for line, name in zip(lines, names, strict=True) if not name or name in our_names or is_kept(name))
    new = tuple(row for row in ours.rows if row[ours.key_column] not in names)
    return _append_rows("".join(kept), Table(tuple(columns), new))


def _lines(text: str) -> list[str]:
    """Return the lines of a text with their ends; only LF ends a line."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _name(line: str, index: int) -> str:
    """Return the name of a row, in the cell of this index; empty without such a cell."""
    cells = line.removesuffix("\n").removesuffix("\r").split("\t")
    return cells[index] if index < len(cells) else ""


def _append_rows(text: str, table: Table) -> str:
    """Return the text with the rows of a table after it, in new lines with the line end of the text.

    If its last line has no end, it gets one; after CR, only the LF is missing.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    rows = table.text().split("\n")[1:-1]
    missing_end = "" if text.endswith("\n") or not rows else "\n" if text.endswith("\r") else end
    return "".join([text, missing_end, *(f"{row}{end}" for row in rows)])


def _sort_rows(rows: Sequence[Mapping[str, str]], key: str) -> tuple[Mapping[str, str], ...]:
    """Return rows by time, those without a time last, and then by name."""
    return tuple(sorted(rows, key=lambda row: (row.get("acq_time", ABSENT), row[key])))
