"""The images of a session under their numbers (qxbatch.record.image_numbers) and names."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.convert.nifti import read_nifti
from qxbatch.deidentify import Redact
from qxbatch.model import Conversion, Image, Output, Series, SeriesLabel
from qxbatch.problems import Problem
from qxbatch.record.compress import compressed_path
from qxbatch.record.image_numbers import image_numbers
from qxbatch.record.json_info import json_info
from qxbatch.record.names import description, series_number, session_txt_name
from qxbatch.session.layout import image_file


class NumberedImage(NamedTuple):
    """A converter's image with its number."""

    image: Image
    output: Output


class SessionImages(NamedTuple):
    """All images of a session, by number."""

    numbered_images: tuple[NumberedImage, ...]
    n_by_extra_n: Mapping[int, int]
    """Maps each n', the base number of images after the ninth of a series, to the n of the series (docs/numbers.md)."""
    problems: tuple[Problem, ...] = ()

    @property
    def images(self) -> tuple[Image, ...]:
        """Return only the images."""
        return tuple(item.image for item in self.numbered_images)

    def labels(self, series: Iterable[Series], redact: Redact) -> tuple[SeriesLabel, ...]:
        """Return the label of each series for messages; `redact` redacts identities in descriptions."""
        images: dict[int, list[int]] = {}
        for image in self.images:
            images.setdefault(image.n, []).append(image.number)
        return tuple(
            SeriesLabel(
                item.n,
                series_number(item.header),
                redact(description(item.header)),
                tuple(images.get(item.n, ())),
            )
            for item in series
        )


def shape_of(nifti: Path) -> tuple[int, ...]:
    """Return an image's shape from its header; the image may already be compressed (qxbatch.record.compress)."""
    return read_nifti(nifti if nifti.exists() else compressed_path(nifti)).shape


def number_images(
    conversions: Iterable[Conversion],
    series_ns: Iterable[int],
    *,
    add_image_type: int = 0,
    add_json_info: Sequence[str] = (),
    shape: Callable[[Path], tuple[int, ...]] = shape_of,
) -> SessionImages:
    """Number the images of a session. `series_ns` is every n of a series of the session, converted or not.

    Each n' is assigned in series order, never in the order in which conversions ended.
    """
    used_numbers = set(series_ns)
    numbered: list[NumberedImage] = []
    n_by_extra_n: dict[int, int] = {}
    problems: list[Problem] = []
    for conversion in sorted(conversions, key=lambda conversion: conversion.series.n):
        of = len(conversion.outputs)
        numbers = image_numbers(conversion.series, of, used_numbers)
        n_by_extra_n |= dict.fromkeys(numbers.extra_ns, conversion.series.n)
        for k, (output, number) in enumerate(zip(conversion.outputs, numbers.numbers, strict=True), 1):
            name = session_txt_name(conversion.series.header, k, of, output.suffix, add_image_type)
            info = json_info(output.sidecars.get("json"), add_json_info, conversion.series)
            files = (image_file(number), *(image_file(number, extension) for extension in sorted(output.sidecars)))
            image = Image(number, conversion.series.n, k, of, name, info, shape(output.nifti), files)
            numbered.append(NumberedImage(image, output))
        if problem := numbers.problem(conversion.series):
            problems.append(problem)
    numbered.sort(key=lambda item: item.image.number)
    return SessionImages(tuple(numbered), n_by_extra_n, tuple(problems))
