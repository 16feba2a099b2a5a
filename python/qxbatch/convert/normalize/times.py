"""Makes the times of frames comparable as texts: across midnight, and if only some headers have a date."""

import re
from collections.abc import Sequence
from dataclasses import replace

from qxbatch.convert.normalize.model import Frame

_TIME = re.compile(r"(\d{8})?((\d\d)(\d\d)?(\d\d(?:\.\d+)?)?)(?!\d)")
"""A time with or without a date before it: date, time, and its hours, minutes and seconds."""
_NO_DATE = "00010101"
"""In place of a date that no header has."""
_DAY = 86400.0


def with_comparable_times(frames: Sequence[Frame]) -> list[Frame]:
    """Return frames whose acquisition times, and whose content times, are in the order of their texts.

    Times of one date with a gap of at least half a day are those of a scan across midnight: those before the gap get the next
    number as date. Frames without a date get that of the others; if these have several dates, no time keeps its date.
    """
    attributes = [frame.volume_attributes for frame in frames]
    acquisition = _comparable([values.acquisition_time for values in attributes])
    content = _comparable([values.content_time for values in attributes])
    return [
        replace(frame, volume_attributes=replace(values, acquisition_time=acquired, content_time=created))
        for frame, values, acquired, created in zip(frames, attributes, acquisition, content, strict=True)
    ]


def _comparable(texts: list[str]) -> list[str]:
    """Return times, empty ones included, so that they are in the order of their texts; unchanged if one is no time."""
    matches = [_TIME.match(text) for text in texts]
    times = [match for match in matches if match is not None]
    dates = {match[1] for match in times}
    if not times or len(times) < sum(map(bool, texts)) or (len(dates) > 1 and None not in dates):
        return texts
    known = sorted(date for date in dates if date is not None)
    date = known[0] if len(known) == 1 else _NO_DATE
    limit = _next_day_limit([_seconds(match) for match in times])
    next_date = f"{int(date) + 1:08}"
    return [
        "" if match is None else (next_date if limit is not None and _seconds(match) < limit else date) + match[2]
        for match in matches
    ]


def _seconds(match: re.Match[str]) -> float:
    """Return the seconds since midnight of a time that `_TIME` matches."""
    return int(match[3]) * 3600 + int(match[4] or 0) * 60 + float(match[5] or 0)


def _next_day_limit(seconds: Sequence[float]) -> float | None:
    """Return the time of the day below which times are those after midnight; None if the scan ends before midnight."""
    limit = min(seconds) + _DAY / 2
    later = [time for time in seconds if time >= limit]
    earlier = [time for time in seconds if time < limit]
    return limit if later and min(later) - max(earlier) >= _DAY / 2 else None
