"""A difference between a session and a protocol."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple


class DifferenceKind(StrEnum):
    """The kind of a difference."""

    MISSING = "missing"
    """An entry of the protocol has fewer series than it expects, or none."""
    EXTRA = "extra"
    """A series belongs to no entry."""
    REPEATED = "repeated"
    """A surplus series: its entry has more series than it expects."""
    PARAMETER = "parameter"
    """A parameter, the kinds, the scanner or the software version differs."""
    VOLUMES = "volumes"
    """Too few complete volumes; too many are a PARAMETER difference."""


class Difference(NamedTuple):
    """One difference of a session."""

    kind: DifferenceKind
    series: str = ""
    """Name of the series; for MISSING, of the protocol's entry that lacks series; empty for the session itself."""
    series_number: int | None = None
    """The SeriesNumber; None if the series has none, or if the difference is not about an existing series."""
    n: int | None = None
    """The number of the series in the session folder; None if the difference is not about an existing series."""
    field: str = ""
    """The parameter that was compared, or `count`, `kinds`, `volumes`, `scanner`, `software`."""
    expected: str = ""
    actual: str | None = None
    """The value of the session; None if it is not known."""
    note: str = ""
    """Details, for example how many slices are missing; can be empty."""

    @property
    def text(self) -> str:
        """Return the difference as text.

        >>> Difference(DifferenceKind.PARAMETER, "rest", 5, 50, "tr_ms", "2000 ± 1", "2500").text
        'series 5 (rest): tr_ms is 2500, expected 2000 ± 1'
        """
        note = f" ({self.note})" if self.note else ""
        return f"{self._subject}{self._words}{note}"

    @property
    def _subject(self) -> str:
        if not self.series:
            return ""
        number = self.series_number if self.series_number is not None else self.n
        return f"{self.series}: " if number is None else f"series {number} ({self.series}): "

    @property
    def _words(self) -> str:
        match self.kind:
            case DifferenceKind.MISSING:
                return "missing" if self.actual == "0" else f"found {self.actual}, expected {self.expected}"
            case DifferenceKind.EXTRA:
                return "not expected"
            case DifferenceKind.REPEATED:
                return f"repeated: found {self.actual}, expected {self.expected}"
            case DifferenceKind.VOLUMES:
                return f"complete volumes are {self.actual}, expected {self.expected}"
        return f"{self.field} is {self.actual or 'not known'}, expected {self.expected}"


_MAX_DIFFERENCES = 10
"""Largest number of differences in one message."""


def differences_text(differences: Sequence[Difference], most: int = _MAX_DIFFERENCES) -> str:
    """Return the first `most` differences in one line, and the number of further ones."""
    texts = [difference.text for difference in differences[:most]]
    more = len(differences) - len(texts)
    return "; ".join([*texts, *([f"{more} more"] if more else [])])


def difference_value(difference: Difference) -> dict[str, Any]:
    """Return the JSON value of a difference."""
    return {
        "kind": difference.kind,
        "series": difference.series or None,
        "series_number": difference.series_number,
        "n": difference.n,
        "field": difference.field,
        "expected": difference.expected,
        "found": difference.actual,
        "note": difference.note,
    }
