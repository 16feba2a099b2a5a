"""Separates the parts of several scans by the times at which the parts started (docs/numbers.md)."""

from bisect import bisect_right, insort
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

DAY_SECONDS = 86400.0
LONGEST_GAP = 60.0
"""Largest gap between the starts of two consecutive parts of one scan, in seconds."""
SMALL_GAP = 5.0
"""A gap of at most this many seconds never counts as large, whatever the other gaps are."""
LARGEST_RATIO = 5
"""Largest ratio of a gap to the median of the gaps."""


class Start(NamedTuple):
    """A date and time in a header."""

    day: int | None
    """Day number; None when the date is unknown."""
    second: float
    """Seconds since midnight."""

    @property
    def sort_key(self) -> tuple[int, float]:
        """Return the sort key within one part."""
        return (self.day or 0, self.second)


Starts = tuple[Start | None, ...]
"""The starts of the acquisition, the series and the content; None for an unknown one."""
NO_STARTS: Starts = (None, None, None)
EVENLY_SPACED_COUNT = 2
"""How many of the `Starts` are evenly spaced within one scan: the first two, acquisition and series.

The content is reconstructed later.
"""


class Timeline(NamedTuple):
    """The starts of all parts, from one source."""

    seconds: tuple[float, ...]
    """One for each part, on a common axis."""
    has_dates: bool
    """Whether each start has a date."""
    is_evenly_spaced: bool
    """Whether the starts of this source are evenly spaced within one scan, so that an uneven gap separates two scans."""


def earlier_starts(starts: Starts | None, other: Starts) -> Starts:
    """Return the earlier start of each source; None for a source in which one of the two is unknown.

    `starts` is None for the first file; then return `other`.
    """
    if starts is None:
        return other
    return tuple(
        None if a is None or b is None else min(a, b, key=lambda start: start.sort_key)
        for a, b in zip(starts, other, strict=True)
    )


def timeline(starts: Sequence[Starts]) -> Timeline | None:
    """Return the parts' starts from the first source that all parts have, preferably one with different starts."""
    complete_sources = []
    for source, column in enumerate(zip(*starts, strict=True)):
        values = [start for start in column if start is not None]
        if len(values) == len(starts):
            complete_sources.append((source, values))
    if not complete_sources:
        return None
    source, values = next(
        (candidate for candidate in complete_sources if len(set(candidate[1])) > 1), complete_sources[0]
    )
    has_dates = all(start.day is not None for start in values)
    return Timeline(_seconds(values), has_dates, source < EVENLY_SPACED_COUNT)


def _seconds(starts: Sequence[Start]) -> tuple[float, ...]:
    """Return the starts in seconds. Without different dates, the day starts after the longest pause: a scan can cross midnight."""
    days = [start.day for start in starts if start.day is not None]
    if len(days) == len(starts) and len(set(days)) > 1:
        return tuple((day - min(days)) * DAY_SECONDS + start.second for day, start in zip(days, starts, strict=True))
    times = sorted({start.second for start in starts})
    pauses = [(after - before, after) for before, after in pairwise((*times, times[0] + DAY_SECONDS))]
    first = max(pauses)[1]
    return tuple((start.second - first) % DAY_SECONDS for start in starts)


def groups_by_time(times: Timeline, volumes: Sequence[Hashable]) -> list[list[int]]:
    """Return the indices of the parts between the large gaps, in order of time.

    `volumes` names the volume of each part. The gap between two slices can be short and the gap between two volumes longer,
    so gaps within a volume are compared with each other, and gaps between the starts of volumes likewise.
    """
    seconds = sorted(times.seconds)
    seconds_of_volume: dict[Hashable, list[float]] = {}
    for volume, second in zip(volumes, times.seconds, strict=True):
        seconds_of_volume.setdefault(volume, []).append(second)
    gaps = [(a, b) for a, b in pairwise(seconds) if b - a > LONGEST_GAP]
    if times.is_evenly_spaced:
        gaps += _large_gaps([min(within) for within in seconds_of_volume.values()])
        for within in seconds_of_volume.values():
            gaps += _large_gaps(within)
    cuts: list[float] = []
    for gap in gaps:
        if bisect_right(cuts, gap[0]) == bisect_right(cuts, gap[1]):
            insort(cuts, _cut(seconds, gap))
    groups: list[list[int]] = [[] for _ in range(len(cuts) + 1)]
    for index, second in enumerate(times.seconds):
        groups[bisect_right(cuts, second)].append(index)
    return groups


def _large_gaps(seconds: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Yield the gaps that are much larger than the others."""
    pairs = list(pairwise(sorted(seconds)))
    if len(pairs) > 1:
        gaps = sorted(b - a for a, b in pairs)
        longest = max(SMALL_GAP, LARGEST_RATIO * gaps[(len(gaps) - 1) // 2])
        yield from ((a, b) for a, b in pairs if b - a > longest)


def _cut(seconds: Sequence[float], gap: tuple[float, float]) -> float:
    """Return the time at which to cut: the end of the longest pause in a gap.

    `gap` is between the starts of two parts. `seconds` are the sorted starts of all parts; other parts may start in the gap.
    """
    within = seconds[bisect_right(seconds, gap[0]) - 1 : bisect_right(seconds, gap[1])]
    return max(pairwise(within), key=lambda pair: pair[1] - pair[0])[1]
