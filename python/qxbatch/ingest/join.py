"""Detects series that are parts of one scan but have different UIDs or numbers from an exporter (docs/numbers.md).

The rule is strict: a scan in parts is still usable, but two scans in one series are an error.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence

from qxbatch.ingest.scan_part import ScanPart, agree
from qxbatch.ingest.stacks import PartSlices, are_interleaved, have_one_geometry, stacks_of, volumes_of
from qxbatch.ingest.starts import NO_STARTS, Timeline, groups_by_time, timeline

MOST_GEOMETRIES = 50
"""If the series of one patient with the same `_family` and `Instance.kind` have more geometries than this, none is joined."""
NUMBER_STEP = 1000
"""Siemens XA gives the parts of series n the numbers n x 1000 + 1, 2, ..."""
FEWEST_UNDATED = 3
"""Without dates, parts of several studies are joined only if they are at least this many volumes."""
LONGEST_VOLUME = 600.0
"""Interleaved slices of one volume start within this many seconds."""


def scans_to_join(parts: Sequence[ScanPart | None]) -> list[tuple[int, ...]]:
    """Return the indices of the parts of each scan with several parts. None marks a part that cannot be joined."""
    indices_by_facts: dict[Hashable, list[int]] = {}
    for index, part in enumerate(parts):
        if part is not None:
            indices_by_facts.setdefault((part.patient, _family(part), part.first.kind), []).append(index)
    joinable = {index: part for index, part in enumerate(parts) if part is not None}
    return sorted(
        scan
        for indices in indices_by_facts.values()
        if len(indices) > 1
        for cluster in _by_measures(indices, joinable)
        for scan in _scans(cluster, joinable)
    )


def _family(part: ScanPart) -> Hashable:
    """Return what the numbers of the parts of one scan have in common: the number itself, or n for n x 1000 + k."""
    n, k = divmod(part.number, NUMBER_STEP)
    return ("thousands", n) if part.may_be_numbered_in_thousands and n and k else part.number


def _by_measures(indices: Sequence[int], parts: dict[int, ScanPart]) -> list[list[int]]:
    """Return the indices of the parts in clusters whose first files agree; empty if there are more than MOST_GEOMETRIES."""
    clusters: list[list[int]] = []
    for index in indices:
        for cluster in clusters:
            if agree(parts[index].first, parts[cluster[0]].first):
                cluster.append(index)
                break
        else:
            clusters.append([index])
        if len(clusters) > MOST_GEOMETRIES:
            return []
    return clusters


def _scans(indices: Sequence[int], parts: dict[int, ScanPart]) -> Iterator[tuple[int, ...]]:
    """Yield the indices of the parts of each scan: all of them, or those within one frame of reference, study, number or time."""
    if len(indices) < 2:  # noqa: PLR2004 - a scan with one part is a series already
        return
    chosen = [parts[index] for index in indices]
    stacks = stacks_of(chosen) if _numbers_agree(chosen) and _frames_of_reference_agree(chosen) else None
    groups = None if stacks is None else _groups_of_scan(chosen, stacks)
    if groups is None:
        groups = _by_key(chosen) or _by_time(chosen, stacks)
    elif len(groups) == 1:
        yield tuple(indices)
    if len(groups) > 1:
        for group in groups:
            yield from _scans([indices[k] for k in group], parts)


def _by_key(parts: Sequence[ScanPart]) -> list[list[int]]:
    """Return the indices of the parts, grouped by frame of reference, study or number, whichever differs first; else empty."""
    keys: tuple[Callable[[ScanPart], Hashable], ...] = (
        lambda part: part.first.frame_of_reference,
        lambda part: part.study,
        lambda part: part.number,
    )
    for key in keys:
        subsets: dict[Hashable, list[int]] = {}
        for index, part in enumerate(parts):
            subsets.setdefault(key(part), []).append(index)
        if len(subsets) > 1:
            return list(subsets.values())
    return []


def _by_time(parts: Sequence[ScanPart], stacks: Sequence[PartSlices] | None) -> list[list[int]]:
    """Return the indices of parts, split at the large gaps in time; empty if no kind of start is known for all parts."""
    times = timeline([part.first.starts for part in parts] if stacks is None else [stack.starts for stack in stacks])
    if times is None:
        return []
    are_volumes = stacks is not None and any(len(stack.positions) > 1 for stack in stacks)
    # single slices of one scan may start at uneven times: only long gaps separate scans then
    return groups_by_time(times if are_volumes else times._replace(is_evenly_spaced=False), range(len(parts)))


def _groups_of_scan(parts: Sequence[ScanPart], stacks: Sequence[PartSlices]) -> list[list[int]] | None:
    """Return the indices of the parts, split at the large gaps in time; one group if they are one scan.

    None if they do not have one geometry, or if their times do not show which parts are one scan.
    """
    first = parts[0].first
    volumes = volumes_of(stacks, first)
    if volumes is None or not have_one_geometry(stacks, first):
        return None
    times = timeline([stack.starts for stack in stacks])
    are_several_studies = len({part.study for part in parts}) > 1
    if times is None:
        have_no_starts = all(stack.starts == NO_STARTS for stack in stacks)
        return [list(range(len(parts)))] if have_no_starts and not are_several_studies else None
    if are_several_studies and not times.has_dates and not _all_differ(times, volumes):
        return None
    groups = groups_by_time(times, volumes)
    if max(times.seconds) - min(times.seconds) <= LONGEST_VOLUME and are_interleaved(stacks, groups):
        return [list(range(len(parts)))]
    return groups


def _all_differ(times: Timeline, volumes: Sequence[Hashable]) -> bool:
    """Return whether there are enough volumes, and no two of them have the same start."""
    starts = set(zip(volumes, times.seconds, strict=True))
    return len(set(volumes)) >= FEWEST_UNDATED and len({second for _, second in starts}) == len(starts)


def _numbers_agree(parts: Sequence[ScanPart]) -> bool:
    """Return whether there is one number, or n x 1000 + 1, 2, ... without a gap."""
    numbers = sorted({part.number for part in parts})
    return len(numbers) == 1 or (
        numbers[0] % NUMBER_STEP == 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    )


def _frames_of_reference_agree(parts: Sequence[ScanPart]) -> bool:
    """Return whether the known frames of reference are equal; in parts of several studies, all must be known."""
    frames_of_reference = {part.first.frame_of_reference for part in parts}
    if len({part.study for part in parts}) > 1 and "" in frames_of_reference:
        return False
    return len(frames_of_reference - {""}) <= 1
