"""Counts of the volumes of a series: planned, acquired, complete; and of their missing slices."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf, isclose
from typing import NamedTuple

from qxbatch.core import Stack
from qxbatch.inspect.observed import ObservedSeries
from qxbatch.inspect.planned import planned_slices, planned_volumes

_GAP_RATIO = 1.5
"""A step between neighbours that is longer than this multiple of the usual step is a gap."""
_MAX_GAP = 1e6
"""A gap of more than this multiple of the usual step is an error in a position."""
_MIN_SLICES_FOR_STEP = 4
"""With fewer slices than this (localizers), the usual step is unknown."""
_COSINE_TOLERANCE = 1e-3
"""Direction cosines that differ by less than this are equal."""
_MIN_VOLUMES_FOR_MISSING = 3
"""Minimum number of volumes of a scan in which an echo may lack the last volume."""


class VolumeCounts(NamedTuple):
    """Counts of volumes and slices; None for unknown ones."""

    planned_volumes: int | None
    acquired_volumes: int
    complete_volumes: int
    partial_slices: int | None
    """Slices present in the last volume if it is incomplete, or in each volume of a stack if all of them lack slices; else None."""
    slices_per_volume: int
    """Slices of a complete volume, also if no volume is complete."""
    missing_slices: int
    duplicate_slices: int


def volume_counts(observed: ObservedSeries) -> VolumeCounts | None:
    """Return the counts of the stack with most frames and of those that were acquired with it (echoes, components).

    Duplicate slices are counted in all stacks. None if there is no image.
    """
    main = observed.main_stack
    if main is None or not main.slices:
        return None
    stacks = stacks_of_main(main, observed.acquired_stacks.stacks)
    slices, absent_slices = _slices(main, observed)
    missing = sum(_missing_slices(stack, main) for stack in stacks)
    complete = (
        0
        if absent_slices
        else min(0 if _missing_in_all_volumes(stack, main) else stack.complete_volumes for stack in stacks)
    )
    partial = next(
        (stack.slices_in_partial_volume for stack in stacks if stack.slices_in_partial_volume),
        main.slices if absent_slices else 0,
    )
    partial = partial or next((stack.slices for stack in stacks if _missing_in_all_volumes(stack, main)), 0)
    return VolumeCounts(
        planned_volumes=planned_volumes(observed, stacks, slices),
        acquired_volumes=main.volumes,
        complete_volumes=complete,
        partial_slices=partial or None,
        slices_per_volume=slices,
        missing_slices=missing
        + max(main.missing_volumes, observed.acquired_stacks.missing_mosaics) * slices
        + absent_slices * main.volumes,
        duplicate_slices=sum(stack.duplicate_frames for stack in observed.acquired_stacks.stacks),
    )


def stacks_of_main(main: Stack, stacks: Sequence[Stack]) -> list[Stack]:
    """Return `main` and the stacks whose volumes were acquired with it: its echoes and components.

    They agree with `main` in size, number of volumes and `is_derived`. An echo may lack the last volume.
    """

    def is_of_main(stack: Stack) -> bool:
        missing_volumes = main.volumes - stack.volumes
        is_echo = stack.component == main.component and stack.echo_time != main.echo_time
        return (
            stack.is_derived == main.is_derived
            and stack.size == main.size
            and (
                missing_volumes == 0 or (missing_volumes == 1 and is_echo and main.volumes >= _MIN_VOLUMES_FOR_MISSING)
            )
        )

    return [stack for stack in stacks if stack is main or is_of_main(stack)]


def _missing_slices(stack: Stack, main: Stack) -> int:
    """Return how many slices are missing in the volumes of a stack, compared with those of the main stack."""
    in_last_volume = stack.slices - stack.slices_in_partial_volume if stack.slices_in_partial_volume else 0
    in_missing_volumes = (main.volumes - stack.volumes) * stack.slices
    in_all_volumes = _missing_in_all_volumes(stack, main) * stack.volumes
    return stack.missing_slices_before_last + in_last_volume + in_missing_volumes + in_all_volumes


def _missing_in_all_volumes(stack: Stack, main: Stack) -> int:
    """Return how many slices of the main stack are missing in all volumes of another stack in the same plane."""
    cosines, main_cosines = stack.orientation or [], main.orientation or []
    parallel = len(cosines) == len(main_cosines) and all(
        isclose(*pair, abs_tol=_COSINE_TOLERANCE) for pair in zip(cosines, main_cosines, strict=True)
    )
    return max(main.slices - stack.slices, 0) if parallel else 0


def _slices(main: Stack, observed: ObservedSeries) -> tuple[int, int]:
    """Return the number of slices of a complete volume, and how many of them are missing in all volumes."""
    if main.duplicate_frames == 0 and main.volumes == 1:
        planned = planned_slices(observed)
        if planned is not None and planned > main.slices:
            return planned, planned - main.slices
    gaps = gap_slices(main.slice_positions)
    return main.slices + gaps, gaps


def gap_slices(positions: Sequence[float]) -> int:
    """Return how many slices are missing in the gaps between otherwise evenly spaced positions."""
    if len(positions) < _MIN_SLICES_FOR_STEP:
        return 0
    steps = [after - before for before, after in pairwise(positions)]
    usual = sorted(steps)[len(steps) // 2]
    if not 0 < usual < inf:
        return 0
    gaps = [step / usual for step in steps if step > _GAP_RATIO * usual]
    if len(gaps) > len(steps) // 4 or max(gaps, default=0) > _MAX_GAP:
        return 0
    return sum(round(gap) - 1 for gap in gaps)
