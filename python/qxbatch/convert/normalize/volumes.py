"""Assigns the frames at each slice position to volumes."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from qxbatch.convert.normalize.errors import CannotNormalizeError
from qxbatch.convert.normalize.grid import Places
from qxbatch.convert.normalize.model import Frame

Key = Callable[[Frame], Any]
Volume = dict[int, Frame]
"""Frames by the index of their position."""


def _trigger(frame: Frame) -> Any:
    return frame.timing.trigger


def _gradient(frame: Frame) -> Any:
    gradient = frame.timing.gradient
    return None if gradient is None else (gradient.b_value, gradient.directionality, gradient.orientation)


KEYS: tuple[tuple[str, Key], ...] = (
    ("TemporalPositionIndex", lambda frame: frame.timing.temporal_position),
    ("FrameAcquisitionNumber", lambda frame: frame.timing.frame_acquisition),
    ("AcquisitionNumber", lambda frame: frame.timing.acquisition),
    ("TemporalPositionIdentifier", lambda frame: frame.timing.temporal_identifier),
    ("TriggerTime", _trigger),
    ("DiffusionBValue", _gradient),
    ("AcquisitionTime", lambda frame: frame.timing.acquired or None),
    ("FrameReferenceDateTime", lambda frame: frame.timing.referenced or None),
    ("ContentTime", lambda frame: frame.timing.content or None),
    ("InstanceNumber", lambda frame: frame.timing.instance),
)
"""Elements that distinguish frames at the same position, the most reliable first."""


def assign_volumes(grouped: Places) -> tuple[list[Volume], list[Volume]]:
    """Return the complete volumes of a stack, and the incomplete ones, both in the order of acquisition.

    Raises CannotNormalizeError when frames at the same position cannot be distinguished, when no volume is complete, when it
    is unknown which volume lacks slices, or when a volume between the first and the last lacks slices, unless each volume has
    its own SeriesInstanceUID.
    """
    key = next((key for _, key in KEYS if _distinguishes(grouped, key)), None)
    if key is None:
        most = max(map(len, grouped))
        raise CannotNormalizeError(f"{most} frames at one place differ in no element that numbers or times them")
    all_volumes = _by_value(grouped, key) if _shared(grouped, key) else _by_rank(grouped, key)
    complete = [volume for volume in all_volumes if len(volume) == len(grouped)]
    incomplete = [volume for volume in all_volumes if len(volume) < len(grouped)]
    if incomplete and not complete:
        raise CannotNormalizeError(f"none of {len(all_volumes)} volumes has an image at each of {len(grouped)} places")
    ends = (all_volumes[0], all_volumes[-1])
    if any(volume not in ends for volume in incomplete) and not _have_separate_series(all_volumes):
        sizes = ", ".join(str(len(volume)) for volume in incomplete)
        raise CannotNormalizeError(
            f"{len(incomplete)} of {len(all_volumes)} volumes have {sizes} of {len(grouped)} slices"
        )
    return complete, incomplete


def _have_separate_series(all_volumes: Sequence[Volume]) -> bool:
    """Return whether each volume has its own SeriesInstanceUID, as some exporters write them."""
    series = [{frame.series_uid for frame in volume.values()} for volume in all_volumes]
    return all(len(uids) == 1 for uids in series) and len(set().union(*series)) == len(all_volumes)


def _distinguishes(grouped: Places, key: Key) -> bool:
    for place in grouped:
        values = [key(frame) for frame in place]
        if len(place) > 1 and (None in values or len(set(values)) < len(values)):
            return False
    return True


def _shared(grouped: Places, key: Key) -> bool:
    """Return whether each volume has one value of the key, at all positions."""
    values = {key(frame) for place in grouped for frame in place}
    return None not in values and len(values) == max(map(len, grouped))


def _by_value(grouped: Places, key: Key) -> list[Volume]:
    by_value: dict[Any, Volume] = {}
    for index, place in enumerate(grouped):
        for frame in place:
            by_value.setdefault(key(frame), {})[index] = frame
    if key is _gradient:  # directions have no order; the numbers of their images do
        return sorted(by_value.values(), key=lambda volume: min(_order(frame) for frame in volume.values()))
    return [by_value[value] for value in sorted(by_value)]


def _order(frame: Frame) -> tuple[tuple[int, ...], str, tuple[int, int], tuple[str, int]]:
    return frame.timing.dimensions, frame.timing.acquired, frame.timing.instance or (0, 0), frame.source


def _by_rank(grouped: Places, key: Key) -> list[Volume]:
    """Return volumes by the order of the key at each position; positions with fewer frames have none in the last volume.

    Raises CannotNormalizeError unless these positions are the last ones in the order of the key, with equal numbers of frames.
    """
    ranked = [sorted(place, key=key) if len(place) > 1 else place for place in grouped]
    most = max(map(len, ranked))
    incomplete = {index for index, place in enumerate(ranked) if len(place) < most}
    if incomplete:
        _check_tail(ranked, incomplete, key)
    return [{index: place[rank] for index, place in enumerate(ranked) if rank < len(place)} for rank in range(most)]


def _check_tail(ranked: Sequence[Sequence[Frame]], incomplete: set[int], key: Key) -> None:
    first = {index: key(place[0]) for index, place in enumerate(ranked)}
    counts = Counter(map(len, ranked))
    if None not in first.values():
        order = sorted(first, key=lambda index: first[index])
        if set(order[-len(incomplete) :]) == incomplete and len(counts) == 2:  # noqa: PLR2004 (of complete positions, and of incomplete ones)
            return
    sizes = ", ".join(f"{number} places with {count} frames" for count, number in sorted(counts.items()))
    raise CannotNormalizeError(f"the volume that lacks slices is unknown: {sizes}")
