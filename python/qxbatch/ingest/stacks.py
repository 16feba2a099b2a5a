"""The slices of parts of one scan: their positions, volumes and geometry (docs/numbers.md)."""

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from qxbatch.ingest.scan_part import Instance, ScanPart, Vector, agree
from qxbatch.ingest.starts import NO_STARTS, Starts, earlier_starts

SAME_POSITION = 0.05
"""Positions within this distance (mm) are the same: scanners round to 5 or 6 digits."""
UNIT_ERROR = 0.01
"""Largest deviation of the length of the slice normal from 1."""
LARGEST_STEP_ERROR = 0.1
"""Distances between slices must be multiples of the smallest one, within this fraction of it."""
SMALLEST_STEP = 0.9
"""Smallest distance between the slices of stacks that are joined, as a fraction of the slice thickness.

If the slices of two stacks together are closer than this, the stacks overlap, and count as two scans.
"""


@dataclass(frozen=True)
class PartSlices:
    """The slices of a part, at most one volume. A slice has the same index in each list."""

    positions: list[float] = field(default_factory=list)
    """Positions along the slice normal, in mm."""
    acquisition_numbers: list[int | None] = field(default_factory=list)
    temporal_positions: list[int | None] = field(default_factory=list)
    starts: Starts = NO_STARTS
    """The earliest starts of its files."""


def stacks_of(parts: Sequence[ScanPart]) -> list[PartSlices] | None:
    """Return the slices of each part.

    None if a part has more than one volume, or if its files do not agree or are shifted within the plane of the slices. None also
    if the directions of rows and columns are not perpendicular unit vectors.
    """
    first = parts[0].first
    normal = _normal(first.orientation)
    if abs(math.hypot(*normal) - 1) > UNIT_ERROR:
        return None
    stacks = []
    for part in parts:
        stack = _stack(part, first, normal)
        if stack is None:
            return None
        stacks.append(stack)
    merged = _merged_positions(position for stack in stacks for position in stack.positions)
    stacks = [replace(stack, positions=[merged[position] for position in stack.positions]) for stack in stacks]
    return stacks if all(len(set(stack.positions)) == len(stack.positions) for stack in stacks) else None


def _stack(part: ScanPart, first: Instance, normal: Vector) -> PartSlices | None:
    """Return the slices of a part; None if they are more than one volume or disagree with the scan's first file."""
    stack = PartSlices()
    positions: set[float] = set()
    starts: Starts | None = None
    for instance in part.instances():
        if (
            instance is None
            or instance.frame_of_reference != part.first.frame_of_reference
            or not agree(instance, first)
        ):
            return None
        offset = [a - b for a, b in zip(instance.position, first.position, strict=True)]
        position = sum(a * n for a, n in zip(offset, normal, strict=True))
        in_plane = math.hypot(*(a - position * n for a, n in zip(offset, normal, strict=True)))
        if in_plane > SAME_POSITION or position in positions or (instance.is_volume and positions):
            return None
        positions.add(position)
        stack.positions.append(position)
        stack.acquisition_numbers.append(instance.acquisition_number)
        stack.temporal_positions.append(instance.temporal_position)
        starts = earlier_starts(starts, instance.starts)
    return replace(stack, starts=starts or NO_STARTS)


def _normal(orientation: Vector) -> Vector:
    """Return the cross product of the row and column directions; its length is 1 if they are perpendicular unit vectors."""
    a, b, c, d, e, f = orientation
    return (b * f - c * e, c * d - a * f, a * e - b * d)


def _merged_positions(positions: Iterable[float]) -> dict[float, float]:
    """Map each position (mm) to the lowest one of its cluster. A cluster extends at most SAME_POSITION from there."""
    merged: dict[float, float] = {}
    lowest = -math.inf
    for position in sorted(set(positions)):
        if position - lowest > SAME_POSITION:
            lowest = position
        merged[position] = lowest
    return merged


def volumes_of(stacks: Sequence[PartSlices], first: Instance) -> Sequence[Hashable] | None:
    """Return for each part a key of its volume. If each part is one slice, the parts of one volume have the same key.

    None if positions repeat, and neither acquisition numbers nor temporal positions distinguish the repeated slices.
    """
    positions = [position for stack in stacks for position in stack.positions]
    keys: Sequence[Hashable] | None = [0] * len(stacks) if len(set(positions)) == len(positions) else None
    for column in ([stack.acquisition_numbers for stack in stacks], [stack.temporal_positions for stack in stacks]):
        values = [number for numbers_of_part in column for number in numbers_of_part]
        if keys is None and None not in values and len(set(zip(positions, values, strict=True))) == len(positions):
            keys = [numbers_of_part[0] for numbers_of_part in column]
    has_volumes = first.is_volume or any(len(stack.positions) > 1 for stack in stacks)
    return range(len(stacks)) if has_volumes and keys is not None else keys


def have_one_geometry(stacks: Sequence[PartSlices], first: Instance) -> bool:
    """Return whether the parts are volumes at the same positions, or slices of one regular stack."""
    positions = sorted({position for stack in stacks for position in stack.positions})
    if len(positions) == max(len(stack.positions) for stack in stacks):
        return True
    if first.is_volume:
        return False
    steps = [after - before for before, after in pairwise(positions)]
    step = min(steps)
    multiples = [round(distance / step) for distance in steps]
    if any(abs(distance / step - k) > LARGEST_STEP_ERROR for distance, k in zip(steps, multiples, strict=True)):
        return False
    are_single_slices = all(len(stack.positions) == 1 for stack in stacks)
    return are_single_slices or (max(multiples) == 1 and step >= SMALLEST_STEP * first.thickness)


def are_interleaved(stacks: Sequence[PartSlices], groups: Sequence[Sequence[int]]) -> bool:
    """Return whether no position occurs twice, and the ranges of positions of all groups of parts overlap."""
    positions = [[position for index in group for position in stacks[index].positions] for group in groups]
    all_positions = [position for group in positions for position in group]
    return len(set(all_positions)) == len(all_positions) and max(map(min, positions)) < min(map(max, positions))
