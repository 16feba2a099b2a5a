"""When a series and a session started."""

from collections.abc import Iterable, Sequence

from qxbatch.acquisition import Acquisition
from qxbatch.convert.header_values import text
from qxbatch.model import HeaderLike
from qxbatch.record.names import session_txt_field
from qxbatch.session.dates import calendar_day
from qxbatch.session.fact_text import moment_text

_DATES = ("SeriesDate", "AcquisitionDate", "StudyDate")
_TIMES = ("SeriesTime", "AcquisitionTime", "StudyTime")


def earliest_start(series: Iterable[tuple[HeaderLike, Acquisition | None]]) -> str:
    """Return the start of the series that started first; empty if none is known. Series are given by header and facts."""
    starts = [start for header, acquisition in series if (start := series_start(header, acquisition))]
    return min(starts, key=_order, default="")


def _order(start: str) -> tuple[bool, str, bool, str]:
    """Return the sort key of a start: those without a day are last, and on one day those without a time."""
    return start[4:5] != "-", start[:10], len(start) <= len("YYYY-MM-DD"), start


def series_start(header: HeaderLike, acquisition: Acquisition | None) -> str:
    """Return date and time of a series as YYYY-MM-DD HH:MM:SS, as far as its facts or its header have them."""
    if acquisition is not None and acquisition.started:
        return moment_text(acquisition.started)
    days = (calendar_day(text(header, field)) for field in _DATES)
    day, time = next((day for day in days if day), ""), _first_value(header, _TIMES).split(".")[0]
    if day:
        day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    if time.isdigit():
        time = ":".join(time[i : i + 2] for i in range(0, len(time), 2))
    return f"{day} {time}".strip()


def _first_value(header: HeaderLike, fields: Sequence[str]) -> str:
    return next((content for field in fields if (content := session_txt_field(text(header, field)))), "")
