"""The number n of each series: `dicom/<n>`, and n + k for its images.

Numbers are assigned after all input of a session was read, so that they depend only on the data:

1. each series that is the first of its SeriesNumber, by (start, SeriesInstanceUID): n = 10 x number;
2. each later series of a SeriesNumber, in (number, start, UID) order: the lowest free n of 10 x (number + 10000 j), j = 1, 2, ...;
3. those without a number: the lowest free 10 x m, m from 9001 up.

DICOM series get numbers before PAR/REC; PAR/REC are ordered by path instead of start and UID.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

STEP = 10000
FIRST_UNNUMBERED = 9001


class NumberRequest(NamedTuple):
    """A series that requests a number. `order` orders series with the same number: (start, UIDs) or (path,)."""

    number: int | None
    order: tuple[str, ...]

    @property
    def rank(self) -> tuple[bool, tuple[str, ...]]:
        """Return the sort key within one number; an unknown start comes last."""
        return (self.order[0] == "", self.order)


def assign_numbers(dicom: Sequence[NumberRequest], parrec: Sequence[NumberRequest] = ()) -> tuple[list[int], list[int]]:
    """Return n for each request, in the order of the requests given."""
    used_numbers: set[int] = set()
    return _assign(dicom, used_numbers), _assign(parrec, used_numbers)


def _assign(requests: Sequence[NumberRequest], used_numbers: set[int]) -> list[int]:
    numbers: dict[int, int] = {}
    later_requests: list[int] = []
    numbered = sorted(
        (i for i, c in enumerate(requests) if c.number is not None),
        key=lambda i: (requests[i].number or 0, requests[i].rank),
    )
    for position, i in enumerate(numbered):
        is_first = position == 0 or requests[numbered[position - 1]].number != requests[i].number
        n = 10 * (requests[i].number or 0)
        if is_first and n not in used_numbers:
            numbers[i] = n
            used_numbers.add(n)
        else:
            later_requests.append(i)
    for i in later_requests:
        number = requests[i].number or 0
        numbers[i] = lowest_free(candidates(number, first=1), used_numbers)
    for i in sorted((i for i, c in enumerate(requests) if c.number is None), key=lambda i: requests[i].rank):
        numbers[i] = lowest_free(candidates(None), used_numbers)
    return [numbers[i] for i in range(len(requests))]


def lowest_free(candidates: Iterable[int], used_numbers: set[int]) -> int:
    """Return the first unused candidate, and mark it as used."""
    n = next(c for c in candidates if c not in used_numbers)
    used_numbers.add(n)
    return n


def candidates(number: int | None, first: int = 0) -> Iterator[int]:
    """Yield the n that a SeriesNumber may get, starting at step `first`. None, zero and negative numbers count as missing."""
    numbered = number is not None and number > 0
    start, step = (number or 0, STEP) if numbered else (FIRST_UNNUMBERED, 1)
    return (10 * m for m in count(start + first * step, step))
