"""Contrast of frames: decides which echo, repetition and inversion times and flip angles belong to one image."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

from qxbatch.convert.normalize.grid import group_by_position
from qxbatch.convert.normalize.model import Frame

_RELATIVE_TOLERANCE = 0.01
"""Times that differ by at most this fraction are equal: scanners store measured or rounded values."""
_MIN_TOLERANCE = 0.1
"""Times that differ by at most this (ms) are equal."""
_SAME_ECHO_TOLERANCE = 0.02
"""Echo times that differ by at most this (ms) are equal, whatever their EchoNumbers."""


def echo_numbers(frames: Iterable[Frame]) -> dict[float | None, int]:
    """Return the number of the echo, counted from 1, for each echo time; 0 for None, the echo time of maps.

    Times that are equal within the tolerance are one echo; with different EchoNumbers, only within _SAME_ECHO_TOLERANCE.
    """
    numbers_of_time: defaultdict[float, set[int]] = defaultdict(set)
    for frame in frames:
        if frame.echo_time is not None:
            numbers_of_time[frame.echo_time] |= set() if frame.echo_number is None else {frame.echo_number}
    numbers: dict[float | None, int] = {None: 0}
    number, first = 0, -1.0
    for time in sorted(numbers_of_time):
        has_other_number = bool(numbers_of_time[time] and numbers_of_time.get(first)) and numbers_of_time[
            time
        ].isdisjoint(numbers_of_time[first])
        if number == 0 or not _are_equal(first, time) or (has_other_number and time - first > _SAME_ECHO_TOLERANCE):
            number, first = number + 1, time
        numbers[time] = number
    return numbers


def contrasts(frames: Sequence[Frame]) -> list[Hashable]:
    """Return the contrast of each frame: `time_classes` of its repetition time and inversion time, and its flip angle."""
    repetition = time_classes(frame.repetition_time for frame in frames)
    inversion = time_classes(frame.inversion_time for frame in frames)
    return [(repetition[frame.repetition_time], inversion[frame.inversion_time], frame.flip_angle) for frame in frames]


def split_by_contrast(group: list[Frame]) -> list[list[Frame]]:
    """Return a group split by contrast if each contrast has images at all positions, else as one group.

    Contrasts that vary from slice to slice are measured values, and the slices belong to one image.
    """
    contrast_of = dict(zip((frame.source for frame in group), contrasts(group), strict=True))
    groups: dict[Hashable, list[Frame]] = {}
    for frame in group:
        groups.setdefault(contrast_of[frame.source], []).append(frame)
    if len(groups) == 1:
        return [group]
    everywhere = all(
        {contrast_of[frame.source] for frame in same_position} == set(groups)
        for same_position in group_by_position(group)
    )
    return list(groups.values()) if everywhere else [group]


def _are_equal(first: float, time: float) -> bool:
    return time - first <= max(_MIN_TOLERANCE, _RELATIVE_TOLERANCE * first)


def time_classes(values: Iterable[float | None]) -> dict[float | None, int]:
    """Return the class of each time in ms, a number from 1 (0 for None); a class spans the tolerance from its lowest time."""
    numbers: dict[float | None, int] = {None: 0}
    number, first = 0, -1.0
    for time in sorted({value for value in values if value is not None}):
        if number == 0 or not _are_equal(first, time):
            number, first = number + 1, time
        numbers[time] = number
    return numbers
