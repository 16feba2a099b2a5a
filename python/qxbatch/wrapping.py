"""Wraps text at spaces to the width of the terminal, or to 80 columns if there is no terminal."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

WIDTH = 80
"""Width without a terminal."""
ROWS = 24
"""Height without a terminal."""
_NARROWEST = 20
"""The least width of text, also for a narrower terminal."""
_NARROWEST_COLUMN = 6
"""Columns of a table are not wrapped to less than this width."""


def text_width(stream: "TextIO | None" = None) -> int:
    """Return the width of text for a stream (None: standard output): $COLUMNS, else that of its terminal, else 80; at least 20."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return max(_NARROWEST, int(columns))
    return terminal_width(sys.stdout if stream is None else stream)


def terminal_width(stream: "TextIO") -> int:
    """Return the current width of a stream's terminal, at least 20; 80 without a terminal."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return WIDTH
    return max(_NARROWEST, columns) if columns else WIDTH


def terminal_rows(stream: "TextIO") -> int:
    """Return the current height of a stream's terminal; 24 without a terminal."""
    try:
        return os.get_terminal_size(stream.fileno()).lines or ROWS
    except (OSError, ValueError, AttributeError):
        return ROWS


def display_width(text: str) -> int:
    """Return how many columns a text takes: wide characters take two, combining ones none.

    >>> display_width("abc"), display_width("日本"), display_width("e\\u0301")
    (3, 4, 1)
    """
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(text: str, width: int, first: str = "", later: str = "") -> list[str]:
    """Return the lines of a text, broken at spaces; `first` and `later` precede the first line and the others.

    A word that is longer than a line is not broken: it may be a path that the user copies.

    >>> wrapped("one two three", 9, "- ", "  ")
    ['- one two', '  three']
    """
    lines: list[str] = []
    line, empty = first, True
    for word in text.split(" "):
        if not empty and display_width(line) + 1 + display_width(word) > width:
            lines.append(line)
            line, empty = later, True
        line = f"{line}{word}" if empty else f"{line} {word}"
        empty = False
    return [*lines, line.rstrip()]


def cut(text: str, width: int, mark: str = "...") -> str:
    """Return the text if it has at most `width` columns, else its beginning and the mark. `width` is at least that of the mark.

    >>> cut("abcdefgh", 8), cut("abcdefgh", 6)
    ('abcdefgh', 'abc...')
    """
    if display_width(text) <= width:
        return text
    head, room = "", width - len(mark)
    for character in text:
        room -= display_width(character)
        if room < 0:
            break
        head += character
    return head + mark


def table(rows: "Sequence[Sequence[str]]", width: int, flexible_count: int, indent: str = "  ") -> list[str]:
    """Return the lines of a table of at least one row.

    If it is wider than `width`, its last columns, `flexible_count` of them, are wrapped, the widest first. It stays wider if a
    column would get less than 6 characters.

    >>> table([("1", "a b", "c"), ("20", "long text here", "d")], 16, 2)
    ['  1   a b      c', '  20  long     d', '      text', '      here']
    """
    widths = [max(display_width(row[k]) for row in rows) for k in range(len(rows[0]))]
    excess = len(indent) + sum(widths) + 2 * (len(widths) - 1) - width
    for k in sorted(range(len(widths) - flexible_count, len(widths)), key=lambda k: -widths[k]):
        narrower = max(min(_NARROWEST_COLUMN, widths[k]), widths[k] - max(0, excess))
        excess -= widths[k] - narrower
        widths[k] = narrower
    lines = []
    for row in rows:
        cells = [_cell(text, room) for text, room in zip(row, widths, strict=True)]
        for n in range(max(map(len, cells))):
            texts = [_padded(cell[n] if n < len(cell) else "", room) for cell, room in zip(cells, widths, strict=True)]
            lines.append((indent + "  ".join(texts)).rstrip())
    return lines


def _cell(text: str, width: int) -> list[str]:
    """Return a cell's lines; a word that is too long for it is broken."""
    lines = []
    for line in wrapped(text, width):
        remaining = line
        while display_width(remaining) > width:
            head = cut(remaining, width, "")
            lines.append(head)
            remaining = remaining[len(head) :]
        lines.append(remaining)
    return lines


def _padded(text: str, width: int) -> str:
    return text + " " * (width - display_width(text))
