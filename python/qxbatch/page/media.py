"""Content of a session's page besides its summary: pictures, converter logs, directions of diffusion."""

import base64
import stat
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary_parts import ImageSummary, SeriesSummary
from qxbatch.textfile import read_bytes, read_text

MAX_EMBEDDED_BYTES = 4_500_000
"""Limit on the bytes of pictures in one page, as base64."""
_MAX_LOG_LENGTH = 20_000
"""Characters of a converter's log that the page contains; of a longer log, half of them from each end."""
_MAX_GRADIENT_BYTES = 1_000_000
"""Maximum size in bytes of a .bval or .bvec whose directions the page shows: some ten thousand volumes."""
_SHELL_GAP = 10.0
"""The b-values of a shell are less than this above its lowest one (s/mm2)."""
_MIN_DIRECTED_B = 50.0
"""A volume with a lower b-value has no direction (s/mm2)."""


class Gradients(NamedTuple):
    """Directions of a diffusion series, in image axes."""

    directions: tuple[tuple[float, float, float], ...]
    """Unit vectors of the volumes with a direction."""
    shell_indexes: tuple[int, ...]
    """For each direction, the index of its shell in `b_values`."""
    b_values: tuple[float, ...]
    """The lowest b-value of each shell in s/mm2, ascending."""


class Pictures:
    """The pictures of a session's images as URLs: the data itself or, beyond MAX_EMBEDDED_BYTES, a path relative to the page."""

    def __init__(self, paths: SessionPaths, numbers: Iterable[int]) -> None:
        self._page_folder = paths.page.parent
        image_numbers = list(numbers)
        pictures = [*map(paths.picture, image_numbers), *map(paths.tsnr_picture, image_numbers)]
        self._sizes = {picture: size for picture in pictures if (size := _size(picture))}
        total, self._embedded = 0, set[Path]()
        for picture, size in self._sizes.items():
            total += size * 4 // 3
            if total <= MAX_EMBEDDED_BYTES:
                self._embedded.add(picture)

    def url(self, picture: Path) -> str:
        """Return the URL of a picture; empty when it does not exist. Raises OSError."""
        if picture not in self._sizes:
            return ""
        if picture not in self._embedded:
            return picture.relative_to(self._page_folder).as_posix()
        return f"data:image/png;base64,{base64.b64encode(read_bytes(picture)).decode('ascii')}"


def _size(path: Path) -> int:
    """Return the size of a picture in bytes; 0 if it is missing, a link or not a regular file."""
    try:
        status = path.lstat()
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def converter_log_of(paths: SessionPaths, series: SeriesSummary) -> str:
    """Return the converter's log of a series, shortened if it is long; empty when there is no log that can be read."""
    try:
        log = read_text(paths.converter_log(series.n), "replace")
    except OSError:
        return ""
    half = _MAX_LOG_LENGTH // 2
    return log if len(log) <= _MAX_LOG_LENGTH else f"{log[:half]}\n[...]\n{log[-half:]}"


def gradients_of(paths: SessionPaths, image: ImageSummary) -> Gradients | None:
    """Return the directions from .bval and .bvec of an image (FSL's form).

    None if a file is missing or too large, if they do not agree, or if no volume has a direction.
    """
    try:
        (b_values,) = _rows(paths.image(image.number, "bval"))
        rows = _rows(paths.image(image.number, "bvec"))
    except (OSError, ValueError):
        return None
    if len(rows) != 3 or any(len(row) != len(b_values) for row in rows):  # noqa: PLR2004 - x, y and z
        return None
    weighted_volumes = [(b, vector) for b, *vector in zip(b_values, *rows, strict=True) if b >= _MIN_DIRECTED_B]
    shells: list[float] = []
    for b, _ in sorted(weighted_volumes):
        if not shells or b - shells[-1] >= _SHELL_GAP:
            shells.append(b)
    directions = [(b, unit) for b, vector in weighted_volumes if (unit := _unit_vector(vector)) is not None]
    if not directions:
        return None
    shell_indexes = [bisect_right(shells, b) - 1 for b, _ in directions]
    return Gradients(tuple(vector for _, vector in directions), tuple(shell_indexes), tuple(shells))


def _rows(path: Path) -> list[list[float]]:
    text = read_text(path, max_bytes=_MAX_GRADIENT_BYTES)
    return [[float(word) for word in line.split()] for line in text.splitlines() if line.split()]


def _unit_vector(vector: list[float]) -> tuple[float, float, float] | None:
    """Return a vector scaled to length 1; None if its length is not about 1."""
    x, y, z = vector
    length = (x * x + y * y + z * z) ** 0.5
    return (x / length, y / length, z / length) if 0.5 < length < 2 else None  # noqa: PLR2004 - a unit vector, roughly
