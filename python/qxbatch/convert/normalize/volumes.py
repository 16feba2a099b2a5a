"""Assigns the frames at each slice position to volumes."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from qxbatch.convert.normalize.errors import CannotNormalizeError
from qxbatch.convert.normalize.grid import FramesByPosition
from qxbatch.convert.normalize.model import Frame

Key = Callable[[Frame], Any]
"""Returns the value of an element that may distinguish volumes; None if the frame has none."""
Volume = dict[int, Frame]
"""Frames by the index of their position."""
_TIME = re.compile(r"(?:\d{8})?(\d\d)(\d\d)(\d\d(?:\.\d+)?)")
"""Matches a time with or without a date: hours, minutes, seconds."""


def _trigger_time(frame: Frame) -> Any:
    return frame.volume_attributes.trigger_time


def _gradient_values(frame: Frame) -> Any:
    gradient = frame.volume_attributes.gradient
    return None if gradient is None else (gradient.b_value, gradient.directionality, gradient.orientation)


def _content_time(frame: Frame) -> Any:
    return frame.volume_attributes.content_time or None


def _instance_number(frame: Frame) -> Any:
    return frame.volume_attributes.instance_number


_NUMBERS: tuple[tuple[str, Key], ...] = (
    ("TemporalPositionIndex", lambda frame: frame.volume_attributes.temporal_position_index),
    ("FrameAcquisitionNumber", lambda frame: frame.volume_attributes.frame_acquisition_number),
    ("AcquisitionNumber", lambda frame: frame.volume_attributes.acquisition_number),
    ("TemporalPositionIdentifier", lambda frame: frame.volume_attributes.temporal_position_identifier),
    ("TriggerTime", _trigger_time),
    ("DiffusionBValue", _gradient_values),
)
"""Elements that may distinguish frames at the same position, the most reliable first. One that counts frames is tried later."""
_TIMES: tuple[tuple[str, Key], ...] = (
    ("AcquisitionTime", lambda frame: frame.volume_attributes.acquisition_time or None),
    ("FrameReferenceDateTime", lambda frame: frame.volume_attributes.reference_time or None),
    ("TemporalPositionTimeOffset", lambda frame: frame.volume_attributes.time_offset),
    ("FrameReferenceTime", lambda frame: frame.volume_attributes.frame_reference_time),
)
"""Elements that are tried after _NUMBERS and DimensionIndexValues."""
_LABELS: tuple[tuple[str, Key], ...] = (
    ("StackID", lambda frame: frame.stack_id or None),
    ("EchoNumbers", lambda frame: frame.echo_number),
    ("(2005,xx63) or (0019,xxA2)", lambda frame: frame.volume_attributes.vendor_numbers[0]),
    ("(2001,xx08)", lambda frame: frame.volume_attributes.vendor_numbers[1]),
)
"""Elements that only label the volumes of some scans: all frames of a volume have one value. They are tried after ContentTime."""


def assign_volumes(frames_by_position: FramesByPosition) -> tuple[list[Volume], list[Volume]]:
    """Return the complete volumes of a stack, and the incomplete ones.

    Both are in the order of the first of the `_keys` that distinguishes frames at the same position; if this is the gradient or a
    label (_LABELS), in the order of acquisition. These are used only if all frames of a volume have exactly the same one.

    Raises CannotNormalizeError when frames at the same position cannot be distinguished, when no volume is complete, or when
    it is unknown which volume lacks slices. Only the first and the last volume may be incomplete; if each volume has its own
    SeriesInstanceUID, any volume may.
    """
    key = next((key for key in _keys(frames_by_position) if _is_usable(frames_by_position, key)), None)
    if key is None:
        frame_count = max(map(len, frames_by_position))
        raise CannotNormalizeError(
            f"{frame_count} frames have the same slice position, and no time or number in their headers distinguishes them"
        )
    all_volumes = (
        _volumes_by_value(frames_by_position, key)
        if _is_one_value_per_volume(frames_by_position, key)
        else _volumes_by_rank(frames_by_position, key)
    )
    complete = [volume for volume in all_volumes if len(volume) == len(frames_by_position)]
    incomplete = [volume for volume in all_volumes if len(volume) < len(frames_by_position)]
    if incomplete and not complete:
        raise CannotNormalizeError(
            f"none of {len(all_volumes)} volumes has an image at each of {len(frames_by_position)} places"
        )
    first_and_last = (all_volumes[0], all_volumes[-1])
    if any(volume not in first_and_last for volume in incomplete) and not _have_separate_series(all_volumes):
        sizes = ", ".join(str(len(volume)) for volume in incomplete)
        raise CannotNormalizeError(
            f"{len(incomplete)} of {len(all_volumes)} volumes have {sizes} of {len(frames_by_position)} slices"
        )
    return complete, incomplete


def _have_separate_series(all_volumes: Sequence[Volume]) -> bool:
    """Return whether each volume has its own SeriesInstanceUID, as some exporters write them."""
    series = [{frame.series_uid for frame in volume.values()} for volume in all_volumes]
    return all(len(uids) == 1 for uids in series) and len(set().union(*series)) == len(all_volumes)


def _keys(frames_by_position: FramesByPosition) -> Iterator[Key]:
    """Yield the keys that may assign the frames to volumes, the most reliable first."""
    counting = [key for _, key in _NUMBERS if _counts_frames(frames_by_position, key)]
    yield from (key for _, key in _NUMBERS if key not in counting)
    by_dimensions = _volume_indices(frames_by_position)
    if _is_one_value_per_volume(frames_by_position, by_dimensions):
        yield by_dimensions
    yield from (key for _, key in _TIMES)
    yield from counting
    yield _content_time
    yield from (key for _, key in _LABELS)
    if not _have_common_numbers(frames_by_position):
        yield _instance_number


def _have_common_numbers(frames_by_position: FramesByPosition) -> bool:
    """Return whether several enhanced objects have the same InstanceNumber and place: the numbers of their frames have no order."""
    names: dict[tuple[int, int], str] = {}
    for frame in (frame for same_position in frames_by_position for frame in same_position):
        number, name = frame.volume_attributes.instance_number, frame.source[0]
        if frame.volume_attributes.numbers_frames and number is not None and names.setdefault(number[:2], name) != name:
            return True
    return False


def _counts_frames(frames_by_position: FramesByPosition, key: Key) -> bool:
    """Return whether the key counts frames and not volumes: each frame at each of several positions has another number."""
    numbers = [key(frame) for same_position in frames_by_position for frame in same_position]
    return len(frames_by_position) > 1 and len(set(numbers)) == len(numbers) and None not in numbers


def _volume_indices(frames_by_position: FramesByPosition) -> Key:
    """Return the key of those DimensionIndexValues that differ between frames at one position; the others number positions."""
    indices_by_position = [
        [frame.volume_attributes.dimension_index_values for frame in same_position]
        for same_position in frames_by_position
    ]
    counts = {len(indices) for same_position in indices_by_position for indices in same_position}
    varying = [
        dimension
        for dimension in range(min(counts))
        if any(len({indices[dimension] for indices in same_position}) > 1 for same_position in indices_by_position)
    ]

    def key(frame: Frame) -> Any:
        indices = frame.volume_attributes.dimension_index_values
        return tuple(indices[dimension] for dimension in varying) if len(counts) == 1 and varying else None

    return key


def _is_usable(frames_by_position: FramesByPosition, key: Key) -> bool:
    """Return whether a key can assign the frames to volumes.

    Gradients and labels that differ between the slices of a volume cannot: they have no order.
    """
    if _has_no_order(key) and not _is_one_value_per_volume(frames_by_position, key):
        return False
    return _distinguishes(frames_by_position, key)


def _has_no_order(key: Key) -> bool:
    """Return whether the values of a key only label the volumes."""
    return key is _gradient_values or any(key is label for _, label in _LABELS)


def _distinguishes(frames_by_position: FramesByPosition, key: Key) -> bool:
    """Return whether frames at the same position all have the key, with different values."""
    for same_position in frames_by_position:
        values = [key(frame) for frame in same_position]
        if len(same_position) > 1 and (None in values or len(set(values)) < len(values)):
            return False
    return True


def _is_one_value_per_volume(frames_by_position: FramesByPosition, key: Key) -> bool:
    """Return whether all frames have the key, with as many different values as there are frames at the fullest position."""
    values = {key(frame) for same_position in frames_by_position for frame in same_position}
    return None not in values and len(values) == max(map(len, frames_by_position))


def _volumes_by_value(frames_by_position: FramesByPosition, key: Key) -> list[Volume]:
    """Return the frames with the same value of the key as a volume, in the order of the values, else of acquisition."""
    by_value: dict[Any, Volume] = {}
    for index, same_position in enumerate(frames_by_position):
        for frame in same_position:
            by_value.setdefault(key(frame), {})[index] = frame
    if _has_no_order(key):  # but the indices, times and numbers of the frames have
        return sorted(
            by_value.values(), key=lambda volume: min(_acquisition_sort_key(frame) for frame in volume.values())
        )
    return [by_value[value] for value in sorted(by_value)]


def _acquisition_sort_key(frame: Frame) -> tuple[tuple[int, ...], str, tuple[int, int, int], tuple[str, int]]:
    return (
        frame.volume_attributes.dimension_index_values,
        frame.volume_attributes.acquisition_time,
        frame.volume_attributes.instance_number or (0, 0, 0),
        frame.source,
    )


def _volumes_by_rank(frames_by_position: FramesByPosition, key: Key) -> list[Volume]:
    """Return volumes: the k-th one has the k-th frame of each position in the order of the key, if the position has k frames.

    Raises CannotNormalizeError unless the positions with fewer frames than others are the last ones in the order of the key, and
    have equal numbers of frames.
    """
    ranked = [
        sorted(same_position, key=key) if len(same_position) > 1 else same_position
        for same_position in frames_by_position
    ]
    frame_count = max(map(len, ranked))
    incomplete = {index for index, same_position in enumerate(ranked) if len(same_position) < frame_count}
    if incomplete:
        _check_tail(ranked, incomplete, key)
    return [
        {index: same_position[rank] for index, same_position in enumerate(ranked) if rank < len(same_position)}
        for rank in range(frame_count)
    ]


def _check_tail(ranked: Sequence[Sequence[Frame]], incomplete: set[int], key: Key) -> None:
    """Raise CannotNormalizeError unless the frames that the incomplete positions lack are the last ones of the scan.

    This is so if these positions have equal numbers of frames, if they are the last ones of the first volume in the order of the
    key, if their last frames precede those of all other positions, and if their first frames cannot be missing instead.
    """
    counts = Counter(map(len, ranked))
    if all(key(same_position[0]) is not None for same_position in ranked):
        order = sorted(range(len(ranked)), key=lambda index: key(ranked[index][0]))
        complete, last = order[: -len(incomplete)], order[-len(incomplete) :]
        precede = max(key(ranked[index][-1]) for index in last) < min(key(ranked[index][-1]) for index in complete)
        are_last = set(last) == incomplete and len(counts) == 2 and precede  # noqa: PLR2004 (one for complete positions, one for all others)
        if are_last and not _may_lack_first_frames(ranked, complete, last, key):
            return
    sizes = ", ".join(f"{number} places with {count} frames" for count, number in sorted(counts.items()))
    raise CannotNormalizeError(f"the volume that lacks slices is unknown: {sizes}")


def _may_lack_first_frames(
    ranked: Sequence[Sequence[Frame]], complete: Sequence[int], last: Sequence[int], key: Key
) -> bool:
    """Return whether the first frames of the scan, and not the last ones, may be missing at the positions `last`.

    Then these positions come first in each volume, and the first volume is incomplete. The pause between two volumes is longer than
    the pauses in a volume, so it shows where a volume begins. If no pause is longer, a regular order of slices decides.
    """
    within = _seconds_between(key(ranked[complete[-1]][0]), key(ranked[last[0]][0]))
    after = _seconds_between(key(ranked[last[-1]][0]), key(ranked[complete[0]][1]))
    if within is not None and after is not None and not after / 2 <= within <= 2 * after:
        return within > after
    others_first = [*last, *complete]
    return others_first in (sorted(others_first), sorted(others_first, reverse=True)) and complete[0] > last[0]


def _seconds_between(time: Any, later: Any) -> float | None:
    """Return the seconds from one time to a later one, less than a day; None if the values are no times."""
    times = [_TIME.match(value) if isinstance(value, str) else None for value in (time, later)]
    seconds = [
        int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3]) if match is not None else None for match in times
    ]
    return None if seconds[0] is None or seconds[1] is None else (seconds[1] - seconds[0]) % 86400
