"""Which series are parts of one scan that an exporter gave different UIDs or numbers (docs/numbers.md).

The rule is strict: a scan that stays in parts can still be used, two scans in one series are an error.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

Vector = tuple[float, ...]

SAME_PLACE = 0.05
"""Positions within so many mm are one: scanners round to 5 or 6 digits."""
SAME_VALUE = 1e-3
"""Direction cosines, mm, ms and degrees that differ by less are equal."""
UNIT_ERROR = 0.01
"""The length of the slice normal differs from 1 by no more."""
LARGEST_STEP_ERROR = 0.1
"""Distances between slices are multiples of the smallest one; as a fraction of it."""
SMALLEST_STEP = 0.9
"""Whole stacks do not interleave closer than this fraction of the slice thickness."""
MOST_GEOMETRIES = 50
"""With more geometries than this under one number and description, nothing is joined."""
THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class Instance:
    """The facts of one file."""

    kind: tuple[Hashable, ...]
    """What must be equal in all files: description, image type, matrix and so on."""
    measures: tuple[Vector, ...]
    """What must agree within SAME_VALUE: pixel spacing, echo time and so on."""
    frame: str
    """FrameOfReferenceUID; empty when absent."""
    orientation: Vector
    """ImageOrientationPatient."""
    position: Vector
    """ImagePositionPatient, in mm."""
    acquisition: int | None
    temporal: int | None
    volume: bool = False
    """The file is a whole volume (a mosaic), as all files of its kind are."""
    thickness: float = 0.0
    """SliceThickness in mm; 0 when absent."""


@dataclass(frozen=True)
class Part:
    """A series as the exporter wrote it: the files of one patient that share both UIDs and SeriesNumber."""

    patient: str
    number: int
    study: str
    first: Instance
    """The facts of its first file."""
    instances: Callable[[], Iterable[Instance | None]]
    """Returns the facts of all its files; None for a file that cannot be joined."""


def scans_to_join(parts: Sequence[Part | None]) -> list[tuple[int, ...]]:
    """Return the indices of the parts of each scan that has several. None stands for a part that cannot be joined."""
    alike: dict[Hashable, list[int]] = {}
    for index, part in enumerate(parts):
        if part is not None:
            alike.setdefault((part.patient, _family(part.number), part.first.kind), []).append(index)
    known = {index: part for index, part in enumerate(parts) if part is not None}
    return sorted(
        scan
        for indices in alike.values()
        if len(indices) > 1
        for cluster in _by_measures(indices, known)
        for scan in _scans(cluster, known)
    )


def _family(number: int) -> Hashable:
    """Numbers that one scan can have: equal ones, or n x 1000 + k of one n."""
    n, k = divmod(number, THOUSAND)
    return ("thousands", n) if n and k else number


def _by_measures(indices: Sequence[int], parts: dict[int, Part]) -> list[list[int]]:
    clusters: list[list[int]] = []
    for index in indices:
        for cluster in clusters:
            if _agree(parts[index].first, parts[cluster[0]].first):
                cluster.append(index)
                break
        else:
            clusters.append([index])
        if len(clusters) > MOST_GEOMETRIES:
            return []
    return clusters


def _agree(one: Instance, other: Instance) -> bool:
    return one.kind == other.kind and all(
        len(some) == len(others) and all(abs(a - b) < SAME_VALUE for a, b in zip(some, others, strict=True))
        for some, others in zip((one.orientation, *one.measures), (other.orientation, *other.measures), strict=True)
    )


def _scans(indices: Sequence[int], parts: dict[int, Part]) -> Iterator[tuple[int, ...]]:
    """Yield all these parts as one scan; if they are not one, the scans within a frame of reference, study or number."""
    if len(indices) < 2:  # noqa: PLR2004 - a scan of one part is a series already
        return
    chosen = [parts[index] for index in indices]
    if _numbers_agree(chosen) and _frames_agree(chosen) and _one_scan(chosen):
        yield tuple(indices)
        return
    keys: tuple[Callable[[Part], Hashable], ...] = (
        lambda part: part.first.frame,
        lambda part: part.study,
        lambda part: part.number,
    )
    for key in keys:
        subsets: dict[Hashable, list[int]] = {}
        for index in indices:
            subsets.setdefault(key(parts[index]), []).append(index)
        if len(subsets) > 1:
            for subset in subsets.values():
                yield from _scans(subset, parts)
            return


def _numbers_agree(parts: Sequence[Part]) -> bool:
    """Whether there is one number, or n x 1000 + 1, 2, ... without a gap."""
    numbers = sorted({part.number for part in parts})
    return len(numbers) == 1 or (
        numbers[0] % THOUSAND == 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    )


def _frames_agree(parts: Sequence[Part]) -> bool:
    """Whether frames of reference do not differ; between studies they must be known as well."""
    frames = {part.first.frame for part in parts}
    if len({part.study for part in parts}) > 1 and "" in frames:
        return False
    return len(frames - {""}) <= 1


@dataclass(frozen=True)
class _Stack:
    """The slices of a part, which is at most one volume. A slice has the same index in each list."""

    places: list[float] = field(default_factory=list)
    """Positions along the slice normal, in mm."""
    acquisitions: list[int | None] = field(default_factory=list)
    temporals: list[int | None] = field(default_factory=list)


def _one_scan(parts: Sequence[Part]) -> bool:
    first = parts[0].first
    normal = _normal(first.orientation)
    if abs(math.hypot(*normal) - 1) > UNIT_ERROR:
        return False
    stacks = []
    for part in parts:
        stack = _stack(part, first, normal)
        if stack is None:
            return False
        stacks.append(stack)
    same = _same_places(place for stack in stacks for place in stack.places)
    stacks = [replace(stack, places=[same[place] for place in stack.places]) for stack in stacks]
    return (
        all(len(set(stack.places)) == len(stack.places) for stack in stacks)
        and _distinct(stacks)
        and _one_geometry(stacks, first)
    )


def _stack(part: Part, first: Instance, normal: Vector) -> _Stack | None:
    """Return the slices of a part; None when they are more than one volume or do not agree with the scan's first file."""
    stack = _Stack()
    seen: set[float] = set()
    for instance in part.instances():
        if instance is None or instance.frame != part.first.frame or not _agree(instance, first):
            return None
        away = [a - b for a, b in zip(instance.position, first.position, strict=True)]
        place = sum(a * n for a, n in zip(away, normal, strict=True))
        across = math.hypot(*(a - place * n for a, n in zip(away, normal, strict=True)))
        if across > SAME_PLACE or place in seen or (instance.volume and seen):
            return None
        seen.add(place)
        stack.places.append(place)
        stack.acquisitions.append(instance.acquisition)
        stack.temporals.append(instance.temporal)
    return stack


def _normal(orientation: Vector) -> Vector:
    a, b, c, d, e, f = orientation
    return (b * f - c * e, c * d - a * f, a * e - b * d)


def _same_places(places: Iterable[float]) -> dict[float, float]:
    """Return a common value for places that are within SAME_PLACE of the lowest of them."""
    same: dict[float, float] = {}
    lowest = -math.inf
    for place in sorted(set(places)):
        if place - lowest > SAME_PLACE:
            lowest = place
        same[place] = lowest
    return same


def _distinct(stacks: Sequence[_Stack]) -> bool:
    """Whether no pair of place and acquisition number, or of place and temporal position, occurs twice."""
    places = [place for stack in stacks for place in stack.places]
    if len(set(places)) == len(places):
        return True
    return any(
        None not in numbers and len(set(zip(places, numbers, strict=True))) == len(places)
        for numbers in (
            [number for stack in stacks for number in stack.acquisitions],
            [number for stack in stacks for number in stack.temporals],
        )
    )


def _one_geometry(stacks: Sequence[_Stack], first: Instance) -> bool:
    """Whether the parts are volumes at the same places, or slices of one regular stack."""
    places = sorted({place for stack in stacks for place in stack.places})
    if len(places) == max(len(stack.places) for stack in stacks):
        return True
    if first.volume:
        return False
    steps = [after - before for before, after in pairwise(places)]
    step = min(steps)
    if any(abs(each / step - round(each / step)) > LARGEST_STEP_ERROR for each in steps):
        return False
    return all(len(stack.places) == 1 for stack in stacks) or step >= SMALLEST_STEP * first.thickness
