"""Groups the frames of a series into stacks that form one image each."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, pairwise

import numpy as np

from qxbatch.convert.normalize.contrast import echo_numbers, split_by_contrast
from qxbatch.convert.normalize.errors import CannotNormalizeError
from qxbatch.convert.normalize.grid import (
    MAX_PARALLEL_ANGLE,
    FramesByPosition,
    Grid,
    along_normal,
    angle,
    axes,
    even_grid,
    group_by_position,
    is_even,
    normal,
    slabs,
)
from qxbatch.convert.normalize.model import Frame
from qxbatch.convert.normalize.motion import ContrastVolumes, moved_volumes_by_contrast
from qxbatch.convert.normalize.volumes import Volume, assign_volumes

_COMPONENTS = (
    ("", ()),
    ("_real", ("R", "REAL")),
    ("_imaginary", ("I", "IMAGINARY")),
    ("_ph", ("P", "PHASE", "PHASE MAP")),
)
"""Suffixes of dcm2niix, and the values of ImageType and ComplexImageComponent that they represent."""


@dataclass(frozen=True)
class StackPlan:
    """A stack before it is written."""

    volumes: tuple[tuple[Frame, ...], ...]
    """The frames of each volume, slice by slice."""
    grid: Grid
    is_incomplete: bool
    """Whether it contains slices of an incomplete volume."""
    echo: int
    """Number of its echo, counted from 1; 0 for a map without echo time."""
    suffix: str = ""
    """Suggested suffix of its image: `_e2` if the stacks of the series differ by echo, then `_ph` if they differ by kind."""

    @property
    def first_frame(self) -> Frame:
        """Return the first frame of the first volume."""
        return self.volumes[0][0]

    @property
    def frames(self) -> list[Frame]:
        """Return the frames in the order of the copies."""
        return [frame for volume in self.volumes for frame in volume]

    @cached_property
    def triggers_vary(self) -> bool:
        """Return whether frames have different trigger times."""
        return len({frame.volume_attributes.trigger_time for frame in self.frames}) > 1


def plan_stacks(frames: Sequence[Frame]) -> list[StackPlan]:
    """Return the stacks of all frames, sorted by echo, kind, contrast and geometry, complete volumes before incomplete ones.

    Raises CannotNormalizeError when frames cannot be assigned to volumes, or when slices are not on an even grid.
    """
    numbers = echo_numbers(frames)
    plans: list[StackPlan] = []
    for similar in _similar_frames(frames, numbers):
        plans += _plans(similar, numbers[similar[0].echo_time])
    suffixes = _suffixes(plans)
    named = [replace(plan, suffix=suffix) for plan, suffix in zip(plans, suffixes, strict=True)]
    return sorted(named, key=_sort_key)


def _similar_frames(frames: Sequence[Frame], numbers: dict[float | None, int]) -> list[list[Frame]]:
    """Return frames grouped by size, colours, spacing, echo and kind, each group in the order of the input."""
    groups: defaultdict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        spacing = tuple(round(value, 4) for value in frame.spacing)
        size = (frame.rows, frame.columns, frame.samples_per_pixel, frame.photometric_interpretation)
        groups[size, spacing, numbers[frame.echo_time], frame.kind].append(frame)
    return list(groups.values())


def _plans(similar: list[Frame], echo: int) -> list[StackPlan]:
    """Return the stacks of similar frames.

    The frames are first grouped as if no volume moved. If that fails, or gives more stacks than grouping them into volumes that
    moved as a whole, the stacks of the moved volumes are returned.

    Raises CannotNormalizeError if both fail.
    """
    motionless: list[StackPlan] = []
    reason: CannotNormalizeError | None = None
    try:
        motionless = _motionless_plans(similar, echo)
    except CannotNormalizeError as error:
        reason = error
    if len(motionless) == 1:
        return motionless
    moved = [plan for contrast in moved_volumes_by_contrast(similar) for plan in _contrast_plans(contrast, echo)]
    if moved and (reason is not None or len(moved) < len(motionless)):
        return moved
    if reason is not None:
        raise reason
    return motionless


def _motionless_plans(similar: list[Frame], echo: int) -> list[StackPlan]:
    """Return the stacks of similar frames, as if no volume moved. Raises CannotNormalizeError if they do not form stacks."""
    plans: list[StackPlan] = []
    for group in _split_by_orientation(similar):
        for subset in (subset for contrast in split_by_contrast(group) for subset in _split_by_stack_id(contrast)):
            found = slabs(group_by_position(subset))
            _check_temporal_positions(found)
            for slab in found:
                plans += _slab_plans(slab, echo)
    return plans


def _check_temporal_positions(found: Sequence[FramesByPosition]) -> None:
    """Raise CannotNormalizeError if neighbouring places of a slab share no temporal position, but other slabs have all of theirs.

    Then the volumes were moved along the normal, and each slab would have slices of several volumes.
    """
    in_slabs = [[_temporal_positions(same_position) for same_position in slab] for slab in found]
    for index, places in enumerate(in_slabs):
        others = set().union(*(numbers for k, slab in enumerate(in_slabs) if k != index for numbers in slab))
        if any(one and other and not one & other and (one | other) <= others for one, other in pairwise(places)):
            raise CannotNormalizeError("volumes of different temporal positions have different places along the normal")


def _temporal_positions(same_position: Sequence[Frame]) -> set[tuple[int | None, int | None]]:
    """Return TemporalPositionIndex and TemporalPositionIdentifier of the frames at one place that have one of them."""
    numbers = (
        (frame.volume_attributes.temporal_position_index, frame.volume_attributes.temporal_position_identifier)
        for frame in same_position
    )
    return {number for number in numbers if number != (None, None)}


def _contrast_plans(contrast: ContrastVolumes, echo: int) -> list[StackPlan]:
    """Return a stack of the complete volumes, and the stacks of an incomplete last volume."""
    complete = [dict(enumerate(volume)) for volume in zip(*contrast.slab, strict=True)]
    positions = contrast.grid.positions
    if _is_descending(complete[0]):
        complete, positions = [_reverse(volume, len(positions)) for volume in complete], positions[::-1]
    volumes = tuple(tuple(volume[index] for index in sorted(volume)) for volume in complete)
    incomplete = _incomplete_stacks(contrast.incomplete_volume, echo) if contrast.incomplete_volume else []
    return [StackPlan(volumes, replace(contrast.grid, positions=positions), False, echo), *incomplete]


def _split_by_orientation(similar: list[Frame]) -> list[list[Frame]]:
    """Return frames grouped by orientation, each group in the order of the input."""
    groups: list[list[Frame]] = []
    group_of: dict[tuple[float, ...], list[Frame]] = {}
    for frame in similar:
        group = group_of.get(frame.orientation)
        if group is None:
            parallel = (
                candidate
                for candidate in groups
                if angle(candidate[0].orientation, frame.orientation) < MAX_PARALLEL_ANGLE
            )
            group = group_of[frame.orientation] = next(parallel, [])
            if not group:
                groups.append(group)
        group.append(frame)
    return groups


def _split_by_stack_id(group: list[Frame]) -> list[list[Frame]]:
    """Return a group split by StackID, unless each StackID has a frame at every position (PS3.3 C.7.6.16.2.2.4)."""
    by_id: dict[str, list[Frame]] = {}
    for frame in group:
        by_id.setdefault(frame.stack_id, []).append(frame)
    if len(by_id) == 1:
        return [group]
    shared = all(
        {frame.stack_id for frame in same_position} == set(by_id) for same_position in group_by_position(group)
    )
    return [group] if shared else list(by_id.values())


def _slab_plans(slab: FramesByPosition, echo: int) -> list[StackPlan]:
    """Return a stack of the complete volumes of a slab, and the stacks of its incomplete volumes."""
    complete, incomplete = assign_volumes(slab)
    if _is_descending(complete[0]):
        slab = slab[::-1]
        complete, incomplete = ([_reverse(volume, len(slab)) for volume in group] for group in (complete, incomplete))
    volumes = tuple(tuple(volume[index] for index in range(len(slab))) for volume in complete)
    grid = even_grid(slab)
    return [
        StackPlan(volumes, grid, False, echo),
        *(plan for volume in incomplete for plan in _incomplete_stacks(volume, echo)),
    ]


def _is_descending(volume: Volume) -> bool:
    """Return whether the images are numbered against the normal; slice timing of some vendors depends on that order."""
    numbers = [volume[index].volume_attributes.instance_number for index in sorted(volume)]
    instances = [number for number in numbers if number is not None]
    ranks = {number: rank for rank, number in enumerate(sorted(instances))}
    middle = (len(instances) - 1) / 2
    return sum((index - middle) * (ranks[number] - middle) for index, number in enumerate(instances)) < 0


def _reverse(volume: Volume, count: int) -> Volume:
    return {count - 1 - index: frame for index, frame in volume.items()}


def _incomplete_stacks(volume: Volume, echo: int) -> list[StackPlan]:
    """Return the slices of an incomplete volume as evenly spaced stacks."""
    indices = sorted(volume)
    if is_even(along_normal([[volume[index]] for index in indices])):
        index_runs = [indices]
    else:  # index minus rank is constant in a run of successive indices
        index_runs = [
            [index for _, index in run] for _, run in groupby(enumerate(indices), lambda pair: pair[1] - pair[0])
        ]
    frame_runs = [[volume[index] for index in index_run] for index_run in index_runs]
    return [StackPlan((tuple(frames),), even_grid([[frame] for frame in frames]), True, echo) for frames in frame_runs]


def _component_index(plan: StackPlan) -> int:
    """Return the index of a stack's kind in _COMPONENTS: real, imaginary, phase, or 0 for magnitude and any other kind."""
    kind = set(plan.first_frame.kind)
    matching = (index for index, (_, values) in enumerate(_COMPONENTS) if kind & set(values))
    return next(matching, 0)


def _suffixes(plans: Sequence[StackPlan]) -> list[str]:
    """Return the suggested suffix of each stack (`StackPlan.suffix`)."""
    several_echoes = len({plan.echo for plan in plans} - {0}) > 1
    several_kinds = len({_component_index(plan) for plan in plans}) > 1
    return [
        (f"_e{plan.echo}" if several_echoes and plan.echo else "")
        + (_COMPONENTS[_component_index(plan)][0] if several_kinds else "")
        for plan in plans
    ]


def _sort_key(plan: StackPlan) -> tuple[object, ...]:
    plane_axes = axes(plan.grid.orientation)
    along = float(np.asarray(plan.grid.positions[0]) @ normal(plane_axes))
    geometry = (tuple(np.round(plane_axes.ravel(), 2).tolist()), round(along, 1))
    first = plan.first_frame
    contrast = first.repetition_time or 0.0, first.inversion_time or 0.0, first.flip_angle or 0.0
    kind = _component_index(plan), plan.first_frame.kind
    return plan.echo or np.inf, kind, contrast, geometry, plan.is_incomplete, plan.first_frame.source


def check_complete(frames: Sequence[Frame], plans: Sequence[StackPlan]) -> None:
    """Raise CannotNormalizeError unless each frame is in exactly one stack."""
    sources = [frame.source for plan in plans for frame in plan.frames]
    if sorted(sources) != sorted(frame.source for frame in frames):
        raise CannotNormalizeError(f"{len(sources)} of {len(frames)} frames were assigned to a stack")
