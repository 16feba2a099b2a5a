"""The times of series after midnight, if all headers of a DICOM study have one date, as after anonymization."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from qxbatch.acquisition import Acquisition
from qxbatch.bids.images.acquisition_time import add_seconds
from qxbatch.convert.header_values import text
from qxbatch.model import SeriesKind
from qxbatch.record.names import series_number
from qxbatch.session.summary_parts import SeriesSummary

_HALF_A_DAY = timedelta(hours=12)
_DAY = 86400.0


def continue_after_midnight(series: Sequence[SeriesSummary]) -> tuple[SeriesSummary, ...]:
    """Return the series of a session with times that continue after midnight, in the given order.

    The early series of a study are those that begin less than half a day after the earliest one. They are on the next day if
    all series begin on one date, some series are not early, and the lowest SeriesNumber is that of a series that is not early.
    PAR/REC and series without a start are not compared or moved.
    """
    on_next_day = {n for study in _studies(series) for n in _numbers_after_midnight(study)}
    return tuple(_move_to_next_day(each) if each.n in on_next_day else each for each in series)


def _studies(series: Iterable[SeriesSummary]) -> Iterable[list[SeriesSummary]]:
    """Return the series, grouped by StudyInstanceUID. PAR/REC and series without a start are omitted."""
    studies: dict[str, list[SeriesSummary]] = {}
    for each in series:
        if each.kind is not SeriesKind.PARREC and _time(each, "started") is not None:
            studies.setdefault(text(each.header, "StudyInstanceUID"), []).append(each)
    return studies.values()


def _numbers_after_midnight(study: Sequence[SeriesSummary]) -> list[int]:
    """Return the n of the series of a study that are on the next day; empty if there are none."""
    starts = {each.n: start for each in study if (start := _time(each, "started")) is not None}
    first, last = min(starts.values()), max(starts.values())
    if first.date() != last.date() or last - first < _HALF_A_DAY:
        return []
    early: list[SeriesSummary] = []
    late: list[SeriesSummary] = []
    for each in study:
        (early if starts[each.n] < first + _HALF_A_DAY else late).append(each)
    return [each.n for each in early] if min(map(_number, early)) > min(map(_number, late)) else []


def _number(series: SeriesSummary) -> int:
    """Return the SeriesNumber; for a series without one, n // 10, which is at least 9001 (docs/numbers.md)."""
    number = series_number(series.header)
    return series.n // 10 if number is None else number


def _move_to_next_day(series: SeriesSummary) -> SeriesSummary:
    """Return a series with its times moved to the next day."""
    started, ended = (_next_day_text(_time(series, name)) for name in ("started", "ended"))
    return replace(series, acquisition=replace(series.acquisition or Acquisition(), started=started, ended=ended))


def _next_day_text(time: datetime | None) -> str | None:
    if time is None:
        return None
    return add_seconds(time, _DAY).isoformat(timespec="milliseconds").removesuffix(".000")


def _time(series: SeriesSummary, name: str) -> datetime | None:
    """Return a time of the acquisition facts without time zone; None if it is not known or not a valid date and time."""
    value = getattr(series.acquisition, name, None)
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None) if value else None
    except ValueError:
        return None
