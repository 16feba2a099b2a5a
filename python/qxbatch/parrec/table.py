"""General lines and image table of a PAR, and their values as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite

from qxbatch.parrec.columns import Column

_IS_LIMIT = 1 << 31
"""Integers of DICOM (IS) are below this."""


@dataclass(frozen=True)
class ParContent:
    """The text of one PAR: its general values and its image table."""

    version: float | None
    """Version of the export format, such as 4.2; None if the header has none."""
    general_values: Mapping[str, str]
    """By key in lower case without units: `repetition time`, `max. number of slices/locations`."""
    columns: tuple[Column, ...]
    lines: tuple[str, ...] = field(repr=False)
    """The image table, one line per image."""
    unread_reason: str = ""
    """Why the table was not read; empty when it was."""

    def text(self, key: str) -> str:
        """Return the text of a general value; empty when absent."""
        return self.general_values.get(key, "")

    def floats(self, key: str) -> list[float]:
        """Return a general value as numbers, up to the first word that is not a finite number."""
        return _floats(self.text(key).split())

    def integer(self, key: str) -> int | None:
        """Return a general value as an integer; None unless its first word is an integer in the range of IS."""
        values = self.floats(key)
        return int(values[0]) if values and values[0].is_integer() and abs(values[0]) < _IS_LIMIT else None

    @property
    def series_number(self) -> int | None:
        """Return the series number (`par_series_number`); None without an acquisition number, or outside of the range of IS."""
        acquisition, reconstruction = self.integer("acquisition nr"), self.integer("reconstruction nr")
        if acquisition is None:
            return None
        number = par_series_number(acquisition, reconstruction or 0)
        return number if abs(number) < _IS_LIMIT else None

    @cached_property
    def _word_ranges(self) -> dict[str, tuple[int, int]]:
        """Return, by name of the column, the index of its first word in an image line, and that of the first word after it."""
        ranges, first = {}, 0
        for column in self.columns:
            ranges[column.name] = (first, first + column.width)
            first += column.width
        return ranges

    def column(self, name: str) -> list[tuple[float, ...]]:
        """Return one column, a tuple of numbers for each image; an empty list if the PAR has no such column.

        Raises ValueError when a line has a word there that is not a finite number, or too few words.
        """
        if name not in self._word_ranges:
            return []
        first, after = self._word_ranges[name]
        values = []
        for number, line in enumerate(self.lines, 1):
            words = line.split(None, after)[first:after]
            numbers = _floats(words)
            if len(numbers) < len(words):
                raise ValueError(f"image line {number}: {' '.join(words)!r} is not a number ({name})")
            if len(words) < after - first:
                raise ValueError(f"image line {number} is cut short: it ends before '{name}'")
            values.append(tuple(numbers))
        return values


def par_series_number(acquisition: int, reconstruction: int) -> int:
    """Return the series number of a PAR: 100 x acquisition number + reconstruction number."""
    return 100 * acquisition + reconstruction


def _floats(words: list[str]) -> list[float]:
    numbers = []
    for word in words:
        try:
            number = float(word)
        except ValueError:
            break
        if not isfinite(number):
            break
        numbers.append(number)
    return numbers
