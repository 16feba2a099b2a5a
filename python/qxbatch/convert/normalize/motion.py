"""Volumes that the scanner moved as a whole, to follow the head (prospective motion correction)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qxbatch.convert.normalize.contrast import contrasts
from qxbatch.convert.normalize.errors import CannotNormalizeError
from qxbatch.convert.normalize.grid import (
    EVEN_TOLERANCE,
    Array,
    FramesByPosition,
    Grid,
    angle,
    axes,
    even_grid,
    normal,
)
from qxbatch.convert.normalize.model import Frame
from qxbatch.convert.normalize.volumes import Volume

_SAME_ORIENTATION = 1e-3
"""Accepted angle (rad) between the orientations of one volume."""
_MAX_MOVEMENT, _MAX_ROTATION = 8.0, 0.15
"""Limits on the movement of a head during a scan (mm, rad)."""
_LEAST_SLICES = 3
"""With fewer slices, a movement cannot be distinguished from other differences."""
_MAX_SIDEWAYS, _MAX_TURN, _MIN_FRACTION = 0.02, 1e-4, 0.25
"""A volume is shifted only along the normal if it moved by less than _MAX_SIDEWAYS (mm) across the normal, and rotated by less
than _MAX_TURN (rad). If all volumes are shifted in this way, and one of them by at least _MIN_FRACTION of the slice distance,
their slices are interleaved, and no volume moved.
"""
_KEYS: tuple[Callable[[Frame], Any], ...] = (
    lambda frame: frame.source[0],
    lambda frame: frame.volume_attributes.temporal_position_index,
    lambda frame: frame.volume_attributes.temporal_position_identifier,
    lambda frame: frame.volume_attributes.acquisition_number,
    lambda frame: frame.volume_attributes.frame_acquisition_number,
    lambda frame: frame.volume_attributes.acquisition_time or None,
    lambda frame: frame.volume_attributes.content_time or None,
)
"""Facts that may distinguish volumes. The first is the file: each file may contain one volume."""


@dataclass(frozen=True)
class ContrastVolumes:
    """Volumes of one contrast in the order of acquisition, each with its slices along the normal."""

    slab: FramesByPosition
    """Frames of the complete volumes by position."""
    grid: Grid
    """Geometry of all volumes if they are at the same place, else of the first volume."""
    incomplete_volume: Volume
    """Slices of the last volume of the scan if it is incomplete, and if this is the last of the contrasts; else empty."""


def moved_volumes_by_contrast(frames: Sequence[Frame]) -> list[ContrastVolumes]:
    """Return the volumes of each contrast, of frames that agree in size, spacing, echo and kind.

    The scanner may have moved each volume as a whole. A complete volume is an even stack with one orientation, and has the same
    number and distance of slices as the first one. It moved by less than _MAX_MOVEMENT and _MAX_ROTATION, and along the normal by
    less than half of the extent of the stack. The last volume may be incomplete.

    Empty if no element distinguishes volumes of this kind.
    """
    for key in _KEYS:
        volumes = _partition(frames, key)
        if volumes and (moved := _split_by_contrast(volumes)):
            return moved
    return []


def _partition(frames: Sequence[Frame], key: Callable[[Frame], Any]) -> list[list[Frame]]:
    """Return the frames with the same value of the key as a volume, the volumes in the order of acquisition.

    Empty if a frame has no value, if there is one volume, or if the volumes have different numbers of slices or fewer than
    _LEAST_SLICES. The last volume may have fewer slices than the others.
    """
    by_value: dict[Any, list[Frame]] = {}
    for frame in frames:
        value = key(frame)
        if value is None:
            return []
        by_value.setdefault(value, []).append(frame)
    by_file = key is _KEYS[0]
    volumes = (
        sorted(by_value.values(), key=_acquisition_sort_key)
        if by_file
        else [by_value[value] for value in sorted(by_value)]
    )
    count = len(volumes[0])
    last_is_not_larger = len(volumes[-1]) <= count
    sizes_agree = all(len(volume) == count for volume in volumes[:-1]) and last_is_not_larger
    return volumes if sizes_agree and len(volumes) > 1 and count >= _LEAST_SLICES else []


def _acquisition_sort_key(volume: Sequence[Frame]) -> tuple[Any, ...]:
    elements = min(volume, key=lambda frame: frame.source).volume_attributes
    numbers = (elements.temporal_position_index, elements.temporal_position_identifier, elements.acquisition_number)
    return (
        *(number or 0 for number in numbers),
        elements.acquisition_time,
        elements.content_time,
        elements.instance_number or (0, 0, 0),
    )


def _split_by_contrast(volumes: list[list[Frame]]) -> list[ContrastVolumes]:
    """Return the volumes of each contrast; empty unless all volumes have the slices of the first one, moved as a whole.

    An incomplete last volume is removed from `volumes`, and assigned to the last contrast. The contrasts are in the order of their
    first volumes.
    """
    count = len(volumes[0])
    incomplete = [] if len(volumes[-1]) == count else volumes.pop()
    ordered = [_in_slice_order(volume) for volume in volumes]
    if not all(_has_one_orientation(volume) for volume in [*ordered, incomplete] if volume):
        return []
    grids = [_grid(volume) for volume in ordered]
    even_grids = [grid for grid in grids if grid is not None]
    if len(even_grids) < len(grids) or not _are_moved_as_wholes(ordered, even_grids):
        return []
    if incomplete and (len(ordered) == 1 or not _is_inside(incomplete, ordered[0], even_grids[0])):
        return []
    by_contrast: dict[Any, list[int]] = {}
    for index, contrast in enumerate(contrasts([volume[0] for volume in ordered])):
        by_contrast.setdefault(contrast, []).append(index)
    last_volume = _index_slices(_in_slice_order(incomplete), even_grids[0].spacing) if incomplete else {}
    last = len(by_contrast) - 1
    return [
        _volumes_of_contrast(
            [ordered[index] for index in indices], even_grids[indices[0]], last_volume if k == last else {}
        )
        for k, indices in enumerate(by_contrast.values())
    ]


def _volumes_of_contrast(volumes: Sequence[Sequence[Frame]], first: Grid, incomplete: Volume) -> ContrastVolumes:
    slab = [list(same_position) for same_position in zip(*volumes, strict=True)]
    return ContrastVolumes(slab, _common_grid(slab, first), incomplete)


def _in_slice_order(volume: Sequence[Frame]) -> list[Frame]:
    unit_normal = normal(axes(volume[0].orientation))
    return sorted(volume, key=lambda frame: (float(np.asarray(frame.position) @ unit_normal), frame.source))


def _index_slices(ordered: Sequence[Frame], spacing: float) -> Volume:
    """Return the slices of an incomplete volume by index, 0 for the first one that exists; missing slices are counted, too."""
    unit_normal = normal(axes(ordered[0].orientation))
    along = np.array([frame.position for frame in ordered]) @ unit_normal
    return dict(zip(np.rint((along - along[0]) / spacing).astype(int).tolist(), ordered, strict=True))


def _has_one_orientation(volume: Sequence[Frame]) -> bool:
    first = volume[0].orientation
    return all(frame.orientation == first or angle(frame.orientation, first) < _SAME_ORIENTATION for frame in volume)


def _grid(volume: Sequence[Frame]) -> Grid | None:
    """Return the even grid of the slices of a volume; None if they are uneven, or closer to each other than EVEN_TOLERANCE."""
    try:
        grid = even_grid([[frame] for frame in volume])
    except CannotNormalizeError:
        return None
    return grid if grid.spacing > EVEN_TOLERANCE else None


def _centres(volume: Sequence[Frame]) -> Array:
    """Return the centre of each slice in mm. Movements are measured there: a rotation moves centres less than corners."""
    first = volume[0]
    half = np.array([(first.columns - 1) * first.spacing[1], (first.rows - 1) * first.spacing[0]]) / 2
    return np.array([np.asarray(frame.position) + half @ axes(frame.orientation) for frame in volume])


def _are_moved_as_wholes(volumes: Sequence[Sequence[Frame]], grids: Sequence[Grid]) -> bool:
    """Return whether all volumes have the slices of the first one, moved a little as a whole, and are not interleaved."""
    first, count = grids[0], len(volumes[0])
    unit_normal = normal(axes(first.orientation))
    start = _centres(volumes[0])
    only_along_normal, largest_along = True, 0.0
    for volume, grid in zip(volumes, grids, strict=True):
        movement = _centres(volume) - start
        rotation = angle(grid.orientation, first.orientation)
        along = float(np.max(np.abs(movement @ unit_normal)))
        across = float(np.max(np.linalg.norm(movement - np.outer(movement @ unit_normal, unit_normal), axis=1)))
        stretched = abs(grid.spacing - first.spacing) * (count - 1)
        if (
            np.max(np.linalg.norm(movement, axis=1)) >= _MAX_MOVEMENT
            or rotation >= _MAX_ROTATION
            or stretched > 2 * EVEN_TOLERANCE
        ):
            return False
        if along >= count * first.spacing / 2:
            return False
        only_along_normal = only_along_normal and across < _MAX_SIDEWAYS and rotation < _MAX_TURN
        largest_along = max(largest_along, along)
    return not (only_along_normal and largest_along >= _MIN_FRACTION * first.spacing)


def _is_inside(incomplete: Sequence[Frame], first: Sequence[Frame], grid: Grid) -> bool:
    """Return whether an incomplete volume is at the position of the first one, except for a movement."""
    unit_normal = normal(axes(grid.orientation))
    along, short_along = _centres(first) @ unit_normal, _centres(incomplete) @ unit_normal
    max_distance = min(_MAX_MOVEMENT, len(first) * grid.spacing / 2)
    inside = short_along.min() > along.min() - max_distance and short_along.max() < along.max() + max_distance
    return bool(inside and angle(incomplete[0].orientation, grid.orientation) < _MAX_ROTATION)


def _common_grid(slab: FramesByPosition, first: Grid) -> Grid:
    """Return the even grid of all volumes if they are at the same place, else that of the first one with tilt and shift of all."""
    try:
        return even_grid(slab)
    except CannotNormalizeError:
        pass
    frames = [frame for same_position in slab for frame in same_position]
    tilt = max(angle(orientation, first.orientation) for orientation in {frame.orientation for frame in frames})
    start = _centres([same_position[0] for same_position in slab])
    shift = max(
        float(np.max(np.linalg.norm(_centres([same_position[volume] for same_position in slab]) - start, axis=1)))
        for volume in range(len(slab[0]))
    )
    return Grid(first.orientation, first.positions, first.spacing, tilt, shift)
