"""Start, end and duration of a series, and the interval between its volumes."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from qxbatch.inspect.observed import ObservedSeries

_DAY = 86400.0
"""Seconds of a day."""
_FIRST_DAY = -305
"""Ordinal (datetime.date) of 1 March of the year 0, the first day of the core's count."""


class Timing(NamedTuple):
    """Times; None for unknown ones."""

    started: str | None = None
    """ISO 8601, like `ended`."""
    ended: str | None = None
    duration_s: float | None = None
    observed_tr_ms: float | None = None


def timing(observed: ObservedSeries) -> Timing:
    """Return start, end and duration, from the acquisition times of all frames, and the interval of volumes.

    The end is the last acquisition time: the beginning of the last slice or volume. Only the end of a single volume follows from
    AcquisitionDuration if the header has it, since all its slices may start within a short time. For several volumes, that element
    contains the planned duration. Without acquisition times, the start is that of the series.
    """
    first_and_last_time = observed.acquired_stacks.first_and_last_time
    if first_and_last_time is None:
        return Timing(started=_series_start(observed), observed_tr_ms=observed_tr(observed))
    first, last = first_and_last_time
    day = "" if first >= _DAY else _day(observed)
    main = observed.main_stack
    volume_duration = observed.number("AcquisitionDuration") if main is not None and main.volumes == 1 else None
    duration = volume_duration or last - first
    ended = iso(first + duration, day) if duration else None
    return Timing(iso(first, day), ended, round(duration, 3) if duration else None, observed_tr(observed))


def observed_tr(observed: ObservedSeries) -> float | None:
    """Return the median interval of one slice over consecutive volumes in ms; None if it is not known.

    The source is the acquisition times, else the time offsets of the volumes, else the trigger times (GE without gating).
    """
    main = observed.main_stack
    if main is None:
        return None
    acquired, offset, trigger = main.intervals
    is_ge = (observed.text("Manufacturer") or "").upper().startswith("GE")
    is_gated = (observed.number("CardiacNumberOfImages") or 0) > 1
    return acquired or offset or (trigger if is_ge and not is_gated else None)


def iso(seconds: float, day: str = "") -> str | None:
    """Return ISO 8601 for seconds since the core's first day, or since midnight of `day` (YYYYMMDD); None if out of range.

    Without `day`, less than a day counts from midnight of an unknown day: only the time is returned.
    """
    days, second_of_day = divmod(round(seconds, 3), _DAY)
    clock = timedelta(seconds=round(second_of_day, 3))
    if seconds < _DAY and not day:
        return _iso_text(datetime.min + clock).partition("T")[2]
    try:
        start = date.fromordinal(int(days) + _FIRST_DAY) if not day else date.fromisoformat(day) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return _iso_text(datetime.combine(start, time()) + clock)


def _iso_text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").removesuffix(".000")


def _day(observed: ObservedSeries) -> str:
    """Return the date of the acquisition, else of the series, else of the study, as YYYYMMDD; empty if none is valid."""
    dates = (observed.header_text(f"{prefix}Date").replace(".", "") for prefix in ("Acquisition", "Series", "Study"))
    return next((day for day in dates if _is_date(day)), "")


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return text.isdigit()


def _series_start(observed: ObservedSeries) -> str | None:
    """Return SeriesDate and SeriesTime in ISO 8601; None unless both are valid."""
    clock = observed.header_text("SeriesTime").replace(":", "")
    day = observed.header_text("SeriesDate").replace(".", "")
    if not _is_date(day) or not clock[:6].isdecimal() or len(clock) < 6:  # noqa: PLR2004 - HHMMSS
        return None
    seconds = int(clock[:2]) * 3600 + int(clock[2:4]) * 60 + int(clock[4:6])
    return iso(seconds, day) if seconds < _DAY else None
