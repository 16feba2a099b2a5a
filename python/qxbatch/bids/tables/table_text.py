"""Tables of a data set (tab-separated), merged with the rows and columns that people added."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

ABSENT = "n/a"


class Table(NamedTuple):
    """A table; the first column names the row."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]

    @property
    def key(self) -> str:
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
    """Return the table in a text; None where it is not a table."""
    lines = [line.split("\t") for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if not lines or len(set(lines[0])) != len(lines[0]) or any(len(line) > len(lines[0]) for line in lines):
        return None
    return Table(tuple(lines[0]), tuple(dict(zip(lines[0], line, strict=False)) for line in lines[1:]))


def merge_tables(existing: Table | None, ours: Table, *, edited: bool, is_kept: Callable[[str], bool]) -> Table:
    """Return our table with those rows of the existing one that are kept.

    `is_kept` gets the name of an existing row (its value in the column `ours.key`) and returns whether the row is kept if our
    table does not have it. If people edited the existing table, its columns, values and order are kept, and our new rows follow.
    """
    if existing is None or ours.key not in existing.columns:
        return ours
    existing_rows = {row[ours.key]: row for row in existing.rows if row.get(ours.key)}
    our_rows = {row[ours.key]: row for row in ours.rows}
    if edited:
        rows = [row for name, row in existing_rows.items() if name in our_rows or is_kept(name)]
        return Table(existing.columns, (*rows, *(row for name, row in our_rows.items() if name not in existing_rows)))
    kept_rows = [row for name, row in existing_rows.items() if name not in our_rows and is_kept(name)]
    return Table(ours.columns, _sorted([*our_rows.values(), *kept_rows], ours.key))


def _sorted(rows: Sequence[Mapping[str, str]], key: str) -> tuple[Mapping[str, str], ...]:
    """Return rows by time where they have one, else by name."""
    return tuple(sorted(rows, key=lambda row: (row.get("acq_time", ABSENT), row[key])))
