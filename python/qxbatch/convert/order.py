"""The order of a series' images, which determines their numbers: the same on every file system.

It is the byte order of the converter's suffixes, or of its file names if the suffixes alone do not order the images
(`Output.label`), except that digits compare as numbers (`_e2` before `_e10`). Clash letters, which converters add to names that
are already used, only reflect the order in which files were read. Images that differ only in these letters are ordered by geometry
(matrix, voxel size, directions), then by the lowest InstanceNumber, position and file name.
"""

import math
import re
from collections.abc import Sequence

from qxbatch.convert.nifti import Nifti
from qxbatch.model import Output

_DIGITS = re.compile(r"(\d+)")
_LAST = 1 << 62
"""Used in place of None in `lowest_numbers`; larger than every InstanceNumber."""


def image_order(images: Sequence[tuple[Output, Nifti]], lowest_numbers: Sequence[int | None]) -> list[int]:
    """Return the indices of images in the order of their numbers.

    `lowest_numbers` has the lowest InstanceNumber (or frame number) of each image: None if the image was not compared with
    frames, and the largest 64-bit integer if no frame with a number was assigned to it.
    """

    def key(index: int) -> tuple[object, ...]:
        output, image = images[index]
        lowest = lowest_numbers[index]
        return (
            natural_sort_key(output.label or output.suffix),
            *_geometry(image),
            _LAST if lowest is None else lowest,
            tuple(round(row[3], 1) for row in image.affine),
            natural_sort_key(output.nifti.name),
        )

    return sorted(range(len(images)), key=key)


def natural_sort_key(text: str) -> tuple[tuple[int, int, bytes], ...]:
    """Return a sort key that compares numbers by value and all else by its bytes.

    >>> sorted(["_e10", "_e2", "", "_ph"], key=natural_sort_key)
    ['', '_e2', '_e10', '_ph']
    """
    tokens = (token for token in _DIGITS.split(text) if token)
    return tuple((0, int(token), b"") if token.isdecimal() else (1, 0, token.encode()) for token in tokens)


def _geometry(image: Nifti) -> tuple[object, ...]:
    columns = [tuple(row[axis] for row in image.affine) for axis in range(3)]
    sizes = tuple(round(math.hypot(*column), 2) for column in columns)
    directions = tuple(round(component / math.hypot(*column), 2) for column in columns for component in column)
    return (image.shape[:2], sizes, directions)
