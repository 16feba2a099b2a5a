"""Text that fits the terminal: broken at spaces, and as wide as the terminal, or 80 columns where there is none."""

import os
import sys
import unicodedata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

WIDTH = 80
"""Where there is no terminal. The variable COLUMNS says otherwise."""
_NARROWEST = 20


def text_width(stream: "TextIO | None" = None) -> int:
    """Return how wide text for a stream (standard output) may be: COLUMNS, else its terminal's width, else 80."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return max(_NARROWEST, int(given))
    return terminal_width(sys.stdout if stream is None else stream)


def terminal_width(stream: "TextIO") -> int:
    """Return the width of a stream's terminal now; 80 where it is no terminal."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return WIDTH
    return max(_NARROWEST, columns) if columns else WIDTH


def columns_of(text: str) -> int:
    """Return how many columns a text takes: wide characters take two, combining ones none.

    >>> columns_of("abc"), columns_of("日本"), columns_of("e\\u0301")
    (3, 4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(text: str, width: int, first: str = "", later: str = "") -> list[str]:
    """Return the lines of a text, broken at spaces; `first` and `later` stand before the first line and the others.

    A word that is longer than a line stays whole: it may be a path that is to be copied.

    >>> wrapped("one two three", 9, "- ", "  ")
    ['- one two', '  three']
    """
    lines: list[str] = []
    line, empty = first, True
    for word in text.split(" "):
        if not empty and columns_of(line) + 1 + columns_of(word) > width:
            lines.append(line)
            line, empty = later, True
        line = f"{line}{word}" if empty else f"{line} {word}"
        empty = False
    return [*lines, line.rstrip()]


def cut(text: str, width: int, mark: str = "...") -> str:
    """Return text of at most so many columns; where something was cut, it ends with the mark.

    >>> cut("abcdefgh", 8), cut("abcdefgh", 6)
    ('abcdefgh', 'abc...')
    """
    if columns_of(text) <= width:
        return text
    kept, room = "", width - len(mark)
    for character in text:
        room -= columns_of(character)
        if room < 0:
            break
        kept += character
    return kept + mark
