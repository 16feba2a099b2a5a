"""Tables of a data set (tab-separated), merged with the rows and columns that people added."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from qxbatch.counted import counted

ABSENT = "n/a"


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
    """Return the table in a text; None where it is not a table. Lines end with LF or CR LF."""
    lines = [line.removesuffix("\r").split("\t") for line in text.lstrip("\ufeff").split("\n") if line.strip()]
    if not lines or len(set(lines[0])) != len(lines[0]) or any(len(line) > len(lines[0]) for line in lines):
        return None
    return Table(tuple(lines[0]), tuple(dict(zip(lines[0], line, strict=False)) for line in lines[1:]))


def merge_tables(existing: Table, ours: Table, is_kept: Callable[[str], bool]) -> Table:
    """Return our rows, and those other rows of the existing table that `is_kept` keeps.

    `is_kept` gets the name of a row: its cell in the column `ours.key_column`.
    """
    existing_rows = {row[ours.key_column]: row for row in existing.rows if row.get(ours.key_column)}
    our_rows = {row[ours.key_column]: row for row in ours.rows}
    kept_rows = [row for name, row in existing_rows.items() if name not in our_rows and is_kept(name)]
    return Table(ours.columns, _sort_rows([*our_rows.values(), *kept_rows], ours.key_column))


def merge_edited(text: str, columns: Sequence[str], ours: Table, is_kept: Callable[[str], bool]) -> str:
    """Return the text of a table that people edited, with our new rows at its end.

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


class OtherValue(NamedTuple):
    """A value of an edited table that differs from ours."""

    row: str
    """The name of the row."""
    column: str
    value: str
    our_value: str


def other_values(edited: Table, ours: Table) -> list[OtherValue]:
    """Return the values of an edited table that differ from ours, in the order of our rows.

    Cells that are empty or `n/a` in one of the tables are not compared. If several rows have a name, one of them has to agree.
    """
    rows: dict[str, list[Mapping[str, str]]] = {}
    for row in edited.rows:
        rows.setdefault(row.get(ours.key_column, ""), []).append(row)
    columns = [column for column in ours.columns[1:] if column in edited.columns]
    found = []
    for row in ours.rows:
        for column in columns:
            values = [_cell(each.get(column, "")) for each in rows.get(row[ours.key_column], [])]
            ours_in_row = _cell(row.get(column, ""))
            if values and not any(_agree(column, value, ours_in_row) for value in values):
                found.append(OtherValue(row[ours.key_column], column, values[0], ours_in_row))
    return found


def other_values_text(values: Sequence[OtherValue]) -> str:
    """Return the first of these values and how many others there are: `age of sub-1 is 30, but the session has 55`."""
    row, column, value, our_value = values[0]
    others = len(values) - 1
    more = f" (and {counted(others, 'other difference')})" if others else ""
    return f"{column} of {row} is {value}, but the session has {our_value}{more}"


def _agree(column: str, value: str, other: str) -> bool:
    """Return whether two cells agree, or one of them is absent. Ages agree if they differ by at most 1 year."""
    if ABSENT in (value, other) or value.casefold() == other.casefold():
        return True
    try:
        if column == "acq_time":
            return datetime.fromisoformat(value) == datetime.fromisoformat(other)
        return abs(float(value) - float(other)) <= (1 if column == "age" else 0)
    except (TypeError, ValueError):
        return False


def _lines(text: str) -> list[str]:
    """Return the lines of a text with their ends; only LF ends a line."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _name(line: str, index: int) -> str:
    """Return the name of a row, in the cell of this index; empty without such a cell."""
    cells = line.removesuffix("\n").removesuffix("\r").split("\t")
    return cells[index] if index < len(cells) else ""


def _append_rows(text: str, table: Table) -> str:
    """Return the text with the rows of a table after it, in new lines with the line end of the text."""
    end = "\r\n" if "\r\n" in text else "\n"
    rows = table.text().split("\n")[1:-1]
    return "".join([text, end if rows and not text.endswith("\n") else "", *(f"{row}{end}" for row in rows)])


def _sort_rows(rows: Sequence[Mapping[str, str]], key: str) -> tuple[Mapping[str, str], ...]:
    """Return rows by time where they have one, else by name."""
    return tuple(sorted(rows, key=lambda row: (row.get("acq_time", ABSENT), row[key])))
