"""Numbers of images: series n gives n + 1 to n + 9, and what is more goes to the next free places (docs/numbers.md)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qxbatch.convert.nifti import read_nifti
from qxbatch.convert.values import whole
from qxbatch.ingest.numbers import FIRST_UNNUMBERED, STEP, lowest_free
from qxbatch.model import Conversion, Image, Output
from qxbatch.problems import Code, Problem, Severity
from qxbatch.record.compress import compressed
from qxbatch.record.json_info import json_info
from qxbatch.record.names import image_name
from qxbatch.session.layout import image_file

EACH = 9
"""Images of one n: the last digit is the image's own."""


@dataclass(frozen=True)
class Placed:
    """A converter's image under its number."""

    image: Image
    output: Output


@dataclass(frozen=True)
class Placement:
    """All images of a session, by number."""

    placed: tuple[Placed, ...]
    further: Mapping[int, int]
    """Each n' that holds further images, to the n of their series."""
    problems: tuple[Problem, ...] = ()

    @property
    def images(self) -> tuple[Image, ...]:
        """Return the images alone."""
        return tuple(placed.image for placed in self.placed)


def shape_of(nifti: Path) -> tuple[int, ...]:
    """Return an image's shape from its header; the image may be compressed already (qxbatch.record.compress)."""
    return read_nifti(nifti if nifti.exists() else compressed(nifti)).shape


def place_images(
    conversions: Iterable[Conversion],
    claimed: Iterable[int],
    *,
    add_image_type: int = 0,
    add_json_info: Sequence[str] = (),
    shape: Callable[[Path], tuple[int, ...]] = shape_of,
) -> Placement:
    """Number the images of a session. `claimed` is every n that a series of the session has, converted or not.

    Further n' are given in series order, never in the order in which conversions ended.
    """
    taken = set(claimed)
    placed: list[Placed] = []
    further: dict[int, int] = {}
    problems: list[Problem] = []
    for conversion in sorted(conversions, key=lambda conversion: conversion.series.n):
        places = _places(conversion, taken, further)
        of = len(conversion.outputs)
        for k, (output, number) in enumerate(zip(conversion.outputs, places, strict=False), 1):
            name = image_name(conversion.series.header, k, of, output.suffix, add_image_type)
            info = json_info(output.sidecars.get("json"), add_json_info, conversion.series)
            files = (image_file(number), *(image_file(number, extension) for extension in sorted(output.sidecars)))
            image = Image(number, conversion.series.n, k, of, name, info, shape(output.nifti), files)
            placed.append(Placed(image, output))
        if of > EACH:
            problems.append(_many(conversion, [n for n, first in further.items() if first == conversion.series.n]))
    placed.sort(key=lambda item: item.image.number)
    return Placement(tuple(placed), further, tuple(problems))


def _places(conversion: Conversion, taken: set[int], further: dict[int, int]) -> Iterator[int]:
    """Yield the numbers of a series' images, claiming a new n' after each ninth."""
    n = conversion.series.n
    while True:
        for k in range(1, EACH + 1):
            yield n + k
        n = lowest_free(_candidates(conversion), taken)
        further[n] = conversion.series.n


def _candidates(conversion: Conversion) -> Iterator[int]:
    number = whole(conversion.series.header, "SeriesNumber")
    step, start = (STEP, number) if number is not None and number > 0 else (1, FIRST_UNNUMBERED)
    while True:
        yield 10 * start
        start += step


def _many(conversion: Conversion, further: Sequence[int]) -> Problem:
    series = conversion.series
    where = ", ".join(f"{n + 1} and up" for n in further)
    return Problem(
        Code.MORE_THAN_NINE,
        f"series {series.n}",
        f"it gave {len(conversion.outputs)} images; those after the ninth have the numbers {where}.",
        "Look at its images before using them.",
        Severity.WARNING,
    )
