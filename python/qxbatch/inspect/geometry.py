"""Matrix, field of view, voxels and plane of a series."""

from collections.abc import Sequence
from itertools import pairwise
from math import hypot, inf
from typing import NamedTuple

from qxbatch.acquisition import Orientation
from qxbatch.inspect.observed import ObservedSeries

_MIN_STRAIGHT_COSINE = 0.8
"""Minimum cosine between the normal and an axis of the patient for a plane that is not oblique."""

Triple = tuple[float, float, float]


class Geometry(NamedTuple):
    """Matrix (columns, rows, slices), sizes in mm, and plane; None for unknown ones."""

    matrix: tuple[int, int, int] | None = None
    fov_mm: Triple | None = None
    voxel_mm: Triple | None = None
    slice_gap_mm: float | None = None
    orientation: Orientation | None = None


def geometry(observed: ObservedSeries, slices: int) -> Geometry:
    """Return sizes and plane of the stack with most frames; `slices` is the number of its slices, 0 without a stack."""
    main = observed.main_stack
    if main is None or not slices:
        return Geometry()
    rows, columns = main.size
    distance = slice_distance(observed)
    thickness = observed.number("SliceThickness")
    gap = None if distance is None or thickness is None else round(distance - thickness, 3) + 0.0  # never -0.0
    depth = distance or (thickness if slices == 1 else None)
    matrix = (columns, rows, slices)
    plane = orientation(main.orientation or [])
    if main.spacing is None or depth is None:
        return Geometry(matrix, slice_gap_mm=gap, orientation=plane)
    between_rows, between_columns = main.spacing
    voxel = (round(between_columns, 4), round(between_rows, 4), round(depth, 4))
    fov = (round(columns * between_columns, 3), round(rows * between_rows, 3), round(slices * depth, 3))
    return Geometry(matrix, fov, voxel, gap, plane)


def slice_distance(observed: ObservedSeries) -> float | None:
    """Return the distance of slice centres in mm: the median by their positions, else SpacingBetweenSlices; None if not known."""
    main = observed.main_stack
    positions = main.slice_positions if main is not None else []
    steps = sorted(after - before for before, after in pairwise(positions))
    return steps[len(steps) // 2] if steps else observed.number("SpacingBetweenSlices")


def orientation(cosines: Sequence[float]) -> Orientation | None:
    """Return the plane of slices with these direction cosines; None if they have no normal."""
    normal = unit_normal(cosines)
    if normal is None:
        return None
    planes = (Orientation.SAGITTAL, Orientation.CORONAL, Orientation.AXIAL)
    sizes = [abs(component) for component in normal]
    largest = max(sizes)
    return planes[sizes.index(largest)] if largest >= _MIN_STRAIGHT_COSINE else Orientation.OBLIQUE


def unit_normal(cosines: Sequence[float]) -> Triple | None:
    """Return the unit normal of slices with these direction cosines, which some writers round to one digit.

    None without cosines, and if the length of their cross product is 0 or not finite.
    """
    if not cosines:
        return None
    a, b, c, d, e, f = cosines
    product = (b * f - c * e, c * d - a * f, a * e - b * d)
    length = hypot(*product)
    return (product[0] / length, product[1] / length, product[2] / length) if 0 < length < inf else None
