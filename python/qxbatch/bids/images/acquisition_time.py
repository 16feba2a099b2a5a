"""When an image was acquired, as recorded in the session."""

from datetime import datetime, timedelta
from typing import NamedTuple

from qxbatch.bids.model import ExportImage


class Interval(NamedTuple):
    """When an acquisition began and ended, without time zone."""

    begin: datetime
    end: datetime

    def gap(self, other: "Interval") -> float:
        """Return the seconds between two acquisitions; 0 where they overlap."""
        between = max(other.begin - self.end, self.begin - other.end)
        return max(0.0, between.total_seconds())


def acquisition_interval(image: ExportImage) -> Interval | None:
    """Return when the series of an image was acquired, by its acquisition facts, else by its header; None if neither has a time.

    The time of a PAR/REC is that of the examination.
    """
    facts = image.series.acquisition
    begin = _parse_time(facts.started) if facts and facts.started else None
    begin = begin or _begin_in_header(image)
    if begin is None:
        return None
    end = _parse_time(facts.ended) if facts and facts.ended else None
    if end is None and facts and facts.duration_s:
        end = add_seconds(begin, facts.duration_s)
    return Interval(begin, max(begin, end or begin))


def add_seconds(begin: datetime, seconds: float) -> datetime:
    """Return `begin` plus some seconds; `begin` if the sum is out of the range of dates."""
    try:
        return begin + timedelta(seconds=seconds)
    except OverflowError:
        return begin


def _begin_in_header(image: ExportImage) -> datetime | None:
    """Return the first valid pair of date and time in the header; None if there is none."""
    header = image.series.header
    for kind in ("Acquisition", "Series", "Content", "Study"):
        day, time = (str(header.get(f"{kind}{suffix}") or "") for suffix in ("Date", "Time"))
        digits, _, fraction = time.partition(".")
        if day.isdecimal() and digits.isdecimal():
            moment = _parse_time(f"{day}T{digits.ljust(6, '0')}.{fraction.ljust(6, '0')[:6]}")
            if moment:
                return moment
    return None


def _parse_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
