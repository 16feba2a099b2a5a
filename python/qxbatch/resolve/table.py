"""Reads tables: files named .csv with commas, semicolons or tabs as Excel writes them, other files with tabs.

In both, a first line such as `sep=;`, which Excel also writes, names another separator.
"""

import csv
import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from qxbatch.named_file import read_file_or_pipe
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError

Rows = Mapping[int, list[str]]
"""Cells by the number of their row, from 1. Empty rows are omitted, but count; a `sep=` line does not count."""
MAX_TABLE_BYTES = 1 << 26
"""Maximum size of a table; a larger file was named by mistake."""
_SEARCHED_LENGTH = 1 << 16
"""Number of characters that are searched for the separator."""
_QUOTED = re.compile(r'(?<![^,;\t\r\n])"(?:[^"]|"")*"(?![^,;\t\r\n])')
"""A cell in quotes; it may contain separators and line ends."""


def read_rows(path: Path) -> Rows:
    """Return the cells of a table, trimmed. Raises UsageError."""
    try:
        data = read_file_or_pipe(path, MAX_TABLE_BYTES)
    except OSError as error:
        raise UsageError(
            f"The logfile {path} cannot be read: {reason_text(error, path)}.", "Name another one."
        ) from None
    text = decode(data)
    separator = _separator(text) if path.suffix.casefold() == ".csv" else "\t"
    first = StringIO(text, newline="").readline()
    if first.strip().casefold().startswith("sep="):
        # Excel's first line, which names the separator
        separator = first.strip()[4:5] or separator
        text = text[len(first) :]
    # csv refuses very long cells, which no table of names has
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(StringIO(text, newline=""), delimiter=separator)]
    except csv.Error as error:
        raise UsageError(f"The logfile {path} cannot be read: {error}.", "Save it as CSV again.") from None
    return {number: row for number, row in enumerate(rows, 1) if any(row)}


def decode(data: bytes) -> str:
    """Return the text of a table: UTF-8 or UTF-16 by its byte order mark, else UTF-8, else Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _separator(text: str) -> str:
    """Return the most frequent of comma, semicolon and tab in the first line that has any, outside quoted cells; else a comma."""
    bare = _QUOTED.sub("", text[:_SEARCHED_LENGTH])
    first = next((line for line in StringIO(bare, newline="") if any(separator in line for separator in ",;\t")), "")
    return max(",;\t", key=first.count)


def column_of(rows: Rows, column: int | str, path: Path) -> int:
    """Return the 0-based index of a column. `column` is its 1-based number, or its name in the first row.

    A name that differs from `column` only in case counts if no name is equal to it. Raises UsageError.
    """
    if isinstance(column, int):
        if rows and all(len(row) < column for row in rows.values()):
            raise UsageError(f"The logfile {path} has no column {column}.", _widest_row_hint(rows))
        return column - 1
    header = next(iter(rows.values()), [])
    folded = [cell.casefold() for cell in header]
    indices = [index for index, cell in enumerate(header) if cell == column]
    indices = indices or [index for index, cell in enumerate(folded) if cell == column.strip().casefold()]
    if len(indices) == 1:
        return indices[0]
    why = "has no column named" if not indices else f"has {len(indices)} columns named"
    raise UsageError(
        f"The logfile {path} {why} {column!r}.",
        f"Its first row reads: {' | '.join(header) or '(empty)'}.",
        quotes_names=True,
    )


def _widest_row_hint(rows: Rows) -> str:
    width = max(map(len, rows.values()))
    more = " Files without .csv are read as tab-separated." if width == 1 else ""
    return f"Its widest row has {width}.{more}"
