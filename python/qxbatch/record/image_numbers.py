"""The rule for image numbers: series n gives n + 1 to n + 9.

Images after the ninth are numbered in the same way from another unused n, called n' (docs/numbers.md).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qxbatch.convert.header_values import whole_number
from qxbatch.ingest.numbers import possible_numbers, take_lowest_free
from qxbatch.model import Series
from qxbatch.problems import LOOK_AT_IMAGES, Code, Problem, Severity

IMAGES_PER_N = 9
"""The last digit of an image's number counts the images of one n: 1 to 9."""


class ImageNumbers(NamedTuple):
    """The numbers of a series' images."""

    numbers: tuple[int, ...]
    extra_ns: tuple[int, ...] = ()
    """The n of the images after the ninth, one n for up to nine images (in docs/numbers.md: n')."""

    def problem(self, series: Series) -> Problem | None:
        """Return the warning about a series with more than nine images; None for another series."""
        if not self.extra_ns:
            return None
        where = ", ".join(f"{n + 1} and up" for n in self.extra_ns)
        return Problem(
            Code.MORE_THAN_NINE,
            f"series {series.n}",
            f"it was converted to {len(self.numbers)} images; those after the ninth have the numbers {where}.",
            LOOK_AT_IMAGES,
            Severity.WARNING,
        )


def image_numbers(series: Series, count: int, used_numbers: set[int]) -> ImageNumbers:
    """Return numbers for the images of a series; adds each n' to `used_numbers`, which contains every n of the session.

    >>> from qxbatch.model import SeriesKind
    >>> from pathlib import Path
    >>> series = Series(30, SeriesKind.DICOM, {"SeriesNumber": 3}, 1, 1, Path())
    >>> image_numbers(series, 11, {30}).numbers[-3:]
    (39, 100031, 100032)
    """
    extra_ns: list[int] = []
    series_number = whole_number(series.header, "SeriesNumber")
    for _ in range((count - 1) // IMAGES_PER_N):
        extra_ns.append(take_lowest_free(possible_numbers(series_number, first_step=0), used_numbers))
    return ImageNumbers(tuple(_numbers([series.n, *extra_ns], count)), tuple(extra_ns))


def _numbers(bases: Sequence[int], count: int) -> Iterator[int]:
    return (bases[k // IMAGES_PER_N] + k % IMAGES_PER_N + 1 for k in range(count))
