"""The number n of each series: `dicom/<n>`, and n + k for its images.

Numbers are assigned after all input of a session was read, so that they depend only on the data. The start is the date and time at
which the scan of a series started:

1. each series that is the first of its SeriesNumber, by (start, UIDs): n = 10 x number;
2. each later series of a SeriesNumber, in (number, start, UIDs) order: the lowest free n of 10 x (number + 10000 j), j = 1, 2, ...;
3. those without a number: the lowest free 10 x m, m from 9001 up.

DICOM series get numbers before PAR/REC; PAR/REC are ordered by path instead of start and UIDs. If a DICOM series has the n of the
first PAR/REC of a SeriesNumber, that PAR/REC counts as a later one.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

STEP = 10000
"""Distance between the numbers that a later series of a SeriesNumber may get: rule 2."""
FIRST_UNNUMBERED = 9001
"""First number of the series without a SeriesNumber: rule 3."""


class NumberRequest(NamedTuple):
    """What decides about the n of a series."""

    number: int | None
    """SeriesNumber; None if the series has none."""
    order: tuple[str, ...]
    """Orders the series with the same number: (start, UIDs) or (path,)."""

    @property
    def sort_key(self) -> tuple[bool, tuple[str, ...]]:
        """Return the sort key within one number; an unknown start comes last."""
        return (self.order[0] == "", self.order)


def assign_numbers(dicom: Sequence[NumberRequest], parrec: Sequence[NumberRequest] = ()) -> tuple[list[int], list[int]]:
    """Return n for each request, in the order of the requests given."""
    used_numbers: set[int] = set()
    return _assign(dicom, used_numbers), _assign(parrec, used_numbers)


def _assign(requests: Sequence[NumberRequest], used_numbers: set[int]) -> list[int]:
    """Return n for each request, and add these to `used_numbers`."""
    numbers: dict[int, int] = {}
    """The n of each request, by its index."""
    later: list[int] = []
    numbered = sorted(
        (i for i, request in enumerate(requests) if request.number is not None),
        key=lambda i: (requests[i].number or 0, requests[i].sort_key),
    )
    for position, i in enumerate(numbered):
        is_first = position == 0 or requests[numbered[position - 1]].number != requests[i].number
        n = 10 * (requests[i].number or 0)
        if is_first and n not in used_numbers:
            numbers[i] = n
            used_numbers.add(n)
        else:
            later.append(i)
    for i in later:
        number = requests[i].number or 0
        numbers[i] = take_lowest_free(possible_numbers(number, first_step=1), used_numbers)
    unnumbered = (i for i, request in enumerate(requests) if request.number is None)
    for i in sorted(unnumbered, key=lambda i: requests[i].sort_key):
        numbers[i] = take_lowest_free(possible_numbers(None), used_numbers)
    return [numbers[i] for i in range(len(requests))]


def take_lowest_free(candidates: Iterable[int], used_numbers: set[int]) -> int:
    """Return the first unused one of these ascending candidates, and mark it as used."""
    n = next(candidate for candidate in candidates if candidate not in used_numbers)
    used_numbers.add(n)
    return n


def possible_numbers(number: int | None, first_step: int = 0) -> Iterator[int]:
    """Yield the n that a SeriesNumber may get: 10 x (number + 10000 j), j = `first_step`, `first_step` + 1, ...

    None, zero and negative numbers count as missing.
    """
    numbered = number is not None and number > 0
    start, step = (number or 0, STEP) if numbered else (FIRST_UNNUMBERED, 1)
    return (10 * m for m in count(start + first_step * step, step))
