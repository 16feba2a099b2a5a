"""Slice positions along the normal of a stack, and the even grid that represents them (PS3.3 C.7.6.2.1.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qxbatch.convert.normalize.errors import CannotNormalizeError
from qxbatch.convert.normalize.model import Frame, Vector

SAME_POSITION = 0.05
"""Positions within this distance (mm) are the same: scanners round to 5 or 6 digits."""
EVEN_TOLERANCE = 0.1
"""Accepted distance (mm) of a slice from an even grid."""
MAX_PARALLEL_ANGLE = 0.01
"""Accepted angle (rad) between the orientations of one stack."""
_KEEP_TOLERANCE = 1e-3
"""The positions of a stack with one orientation are unchanged if all would move by less than this (mm)."""
_MAX_LISTED = 12
"""Maximum number of distances in a message."""
Array = NDArray[np.float64]
FramesByPosition = list[list[Frame]]
"""The frames of each slice position, in the order of the positions along the normal."""


@dataclass(frozen=True)
class Grid:
    """Common orientation and the position of each slice."""

    orientation: tuple[float, ...]
    """ImageOrientationPatient."""
    positions: tuple[Vector, ...]
    """ImagePositionPatient of each slice, in mm."""
    spacing: float
    """Distance between slice centres in mm; 0 for one slice."""
    tilt: float
    """Largest angle (rad) between the orientation of a frame and the mean orientation.

    Of volumes that moved (`motion.py`), the largest angle between the orientation of a frame and that of the first volume.
    """
    shift: float
    """Largest distance (mm) between the ImagePositionPatient of a frame and that of the grid.

    Of volumes that moved (`motion.py`), the largest distance between the centres of a slice in the first volume and in another.
    """


def axes(orientation: Sequence[float]) -> Array:
    """Return the unit vectors along a row and along a column, orthogonal to each other; shape (2, 3)."""
    row, column = np.asarray(orientation, float).reshape(2, 3)
    row = row / np.linalg.norm(row)
    column = column - row * (row @ column)
    return np.stack([row, column / np.linalg.norm(column)])


def angle(orientation: Sequence[float], other: Sequence[float]) -> float:
    """Return the larger of the angles between the rows and between the columns of two orientations, rad."""
    sines = np.linalg.norm(np.cross(axes(orientation), axes(other)), axis=1)
    cosines = np.sum(axes(orientation) * axes(other), axis=1)
    return float(np.max(np.arctan2(sines, cosines)))


def mean_axes(frames: Sequence[Frame]) -> Array:
    """Return the mean orientation of frames, in the form of `axes`."""
    different = dict.fromkeys(frame.orientation for frame in frames)
    counts = dict.fromkeys(different, 0)
    for frame in frames:
        counts[frame.orientation] += 1
    mean = sum(count * axes(orientation) for orientation, count in counts.items())
    return axes(np.asarray(mean).ravel().tolist())


def normal(plane_axes: Array) -> Array:
    """Return the unit normal of an image plane, given its `axes`; slices are counted along the normal."""
    return np.cross(plane_axes[0], plane_axes[1])


def group_by_position(frames: Sequence[Frame]) -> FramesByPosition:
    """Return frames grouped by their position along the normal, ascending."""
    along = np.array([frame.position for frame in frames]) @ normal(mean_axes(frames))
    groups: FramesByPosition = []
    last = 0.0
    for index in np.argsort(along, kind="stable"):
        if not groups or along[index] - last > SAME_POSITION:
            groups.append([])
        groups[-1].append(frames[int(index)])
        last = along[index]
    return groups


def along_normal(frames_by_position: FramesByPosition) -> Array:
    """Return the mean position along the normal, in mm, of the frames at each slice position."""
    unit_normal = normal(mean_axes([frame for same_position in frames_by_position for frame in same_position]))
    return np.array(
        [
            np.mean([np.asarray(frame.position) @ unit_normal for frame in same_position])
            for same_position in frames_by_position
        ]
    )


def is_even(along: Array) -> bool:
    """Return whether all positions are within the tolerance of an even grid."""
    if along.size < 3:  # noqa: PLR2004 (two positions are always even)
        return True
    index = np.arange(along.size)
    slope, start = np.polyfit(index, along, 1)
    return bool(np.max(np.abs(along - (start + slope * index))) <= EVEN_TOLERANCE)


def even_runs(along: Array) -> list[slice]:
    """Return the index range of each run of successive positions whose steps equal the median step, within the tolerance."""
    steps = np.diff(along)
    usual = float(np.median(steps))
    breaks = [0, *(np.flatnonzero(np.abs(steps - usual) > EVEN_TOLERANCE) + 1).tolist(), along.size]
    return [slice(start, stop) for start, stop in pairwise(breaks)]


def slabs(frames_by_position: FramesByPosition) -> list[FramesByPosition]:
    """Return the slabs of a stack: one if its positions are even, else runs of two or more positions with the same step.

    Raises CannotNormalizeError if the positions form neither: no affine describes uneven slices.
    """
    along = along_normal(frames_by_position)
    if is_even(along):
        return [frames_by_position]
    ranges = even_runs(along)
    if any(extent.stop - extent.start < 2 for extent in ranges):  # noqa: PLR2004
        distances = " ".join(f"{distance:.2f}" for distance in (along - along[0])[:_MAX_LISTED])
        more = " ..." if along.size > _MAX_LISTED else ""
        raise CannotNormalizeError(f"{along.size} slices are unevenly spaced: {distances}{more} mm")
    return [frames_by_position[extent] for extent in ranges]


def even_grid(frames_by_position: FramesByPosition) -> Grid:
    """Return the grid of evenly spaced positions.

    Raises CannotNormalizeError if a slice would move by more than the tolerance, for example in a sheared stack.
    """
    frames = [frame for same_position in frames_by_position for frame in same_position]
    plane_axes = mean_axes(frames)
    tilt = max(
        angle(orientation, plane_axes.ravel().tolist()) for orientation in {frame.orientation for frame in frames}
    )
    mean_positions = np.array(
        [np.mean([frame.position for frame in same_position], axis=0) for same_position in frames_by_position]
    )
    step = _step(mean_positions)
    if tilt > 0 and step.any():
        plane_axes = _align_normal(plane_axes, step, tilt)
    step = normal(plane_axes) * float(step @ normal(plane_axes))
    index = np.arange(len(frames_by_position))[:, None]
    fitted = mean_positions.mean(axis=0) + (index - index.mean()) * step
    distances = [
        np.linalg.norm(np.asarray(frame.position) - position)
        for position, same_position in zip(fitted, frames_by_position, strict=True)
        for frame in same_position
    ]
    shift = float(max(distances))
    if shift > EVEN_TOLERANCE:
        raise CannotNormalizeError(f"a slice is {shift:.2f} mm from the even grid of its stack")
    has_one_orientation = len({frame.orientation for frame in frames}) == 1
    orientation = frames[0].orientation if has_one_orientation else tuple(plane_axes.ravel().tolist())
    positions = (
        [same_position[0].position for same_position in frames_by_position]
        if has_one_orientation and shift < _KEEP_TOLERANCE
        else fitted.tolist()
    )
    return Grid(orientation, tuple(map(tuple, positions)), float(np.linalg.norm(step)), tilt, shift)


def _step(positions: Array) -> Array:
    """Return the step vector between slices that fits the positions of all slices best; zero for one slice."""
    if len(positions) == 1:
        return np.zeros(3)
    index = np.arange(len(positions)) - (len(positions) - 1) / 2
    return np.asarray(index @ (positions - positions.mean(axis=0)) / (index @ index))


def _align_normal(plane_axes: Array, step: Array, max_angle: float) -> Array:
    """Return `plane_axes` rotated so that their normal is along the step; unchanged if the angle is larger than `max_angle`."""
    direction = step / np.linalg.norm(step)
    across = np.cross(normal(plane_axes), direction)
    sine = float(np.linalg.norm(across))
    if sine == 0 or sine > max_angle:
        return plane_axes
    axis = across / sine
    turn = float(np.arcsin(sine))
    cosine = np.cos(turn)
    turned = [v * cosine + np.cross(axis, v) * sine + axis * (axis @ v) * (1 - cosine) for v in plane_axes]
    return axes(np.asarray(turned).ravel().tolist())
