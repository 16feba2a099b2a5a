"""The place of a NIfTI image by its header, which can give it three times: by sform, qform and voxel sizes."""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

Row = tuple[float, float, float, float]
Affine = tuple[Row, Row, Row]
"""The first three rows of the 4 x 4 matrix from voxel to RAS+ mm."""

_CORNER_TOLERANCE = 0.5
"""Accepted distance between the corners of an image by qform and by sform, mm."""
_MAX_COSINE = 1e-3
"""If the cosine of the angle between two axes of a sform is larger, no qform can equal it: axes of a qform have right angles."""
_RELATIVE_SIZE_TOLERANCE = 0.01
"""Accepted relative difference of a voxel size and the length of its axis."""


class Geometry(NamedTuple):
    """What a header says about the place of the voxels."""

    zooms: Sequence[float]
    """Voxel sizes in mm."""
    sform: Affine | None
    qform: Affine | None


def find_contradiction(geometry: Geometry, shape: Sequence[int]) -> str:
    """Return how voxel sizes or qform contradict the sform; empty if they agree, or if there is no sform."""
    if geometry.sform is None:
        return ""
    columns = list(zip(*geometry.sform, strict=True))[:3]
    lengths = [math.hypot(*column) for column in columns]
    sides = (*shape[:3], 1, 1)[:3]
    for zoom, length, side in zip(geometry.zooms, lengths, sides, strict=True):
        if side > 1 and not abs(zoom - length) <= _RELATIVE_SIZE_TOLERANCE * length:
            return f"its header says voxels of {zoom:.4g} mm, and their distance by its affine is {length:.4g} mm"
    cosines = [
        abs(sum(a * b for a, b in zip(columns[i], columns[j], strict=True))) / (lengths[i] * lengths[j])
        for i, j in ((0, 1), (0, 2), (1, 2))
    ]
    if geometry.qform is None or max(cosines) > _MAX_COSINE:
        return ""
    corners = itertools.product(*((0, side - 1) for side in sides))
    distance = max(
        math.dist(_position(geometry.sform, corner), _position(geometry.qform, corner)) for corner in corners
    )
    return (
        ""
        if distance <= _CORNER_TOLERANCE
        else f"the two affines of its header (sform and qform) differ by {distance:.1f} mm"
    )


def _position(affine: Affine, voxel: Sequence[int]) -> list[float]:
    return [sum(a * b for a, b in zip(row, (*voxel, 1), strict=True)) for row in affine]


def affine_from_zooms(zooms: Sequence[float]) -> Affine:
    """Return the affine by the voxel sizes alone."""
    x, y, z = zooms
    return (x, 0.0, 0.0, 0.0), (0.0, y, 0.0, 0.0), (0.0, 0.0, z, 0.0)


def affine_from_quaternion(quatern: Sequence[float], zooms: Sequence[float]) -> Affine:
    """Return the affine of a qform.

    `quatern` contains b, c and d of the quaternion and the offset (mm), `zooms` the sign of the third axis (qfac) and the voxel
    sizes (mm).
    """
    b, c, d, *offset = quatern
    a = math.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    rotation = (
        (a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)),
        (2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)),
        (2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c),
    )
    x, y, z = zooms[1], zooms[2], zooms[3] * (-1 if zooms[0] < 0 else 1)
    first, second, third = (
        (row[0] * x, row[1] * y, row[2] * z, end) for row, end in zip(rotation, offset, strict=True)
    )
    return first, second, third
