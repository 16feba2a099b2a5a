"""DICOM-Report.txt: the series of a session as a person wants to see them."""

from collections.abc import Iterable, Sequence

from qxbatch.convert.values import numbers, text
from qxbatch.model import Conversion, Series, SeriesKind
from qxbatch.record.names import base_name, safe
from qxbatch.session.dates import calendar_day

_DATES = ("SeriesDate", "AcquisitionDate", "StudyDate")
_TIMES = ("SeriesTime", "AcquisitionTime", "StudyTime")


def dicom_report(session: str, patient: str, conversions: Iterable[Conversion]) -> str:
    """Return the report. `patient` is the patient's id, or the session id where that stands in its place."""
    ordered = sorted(conversions, key=lambda conversion: conversion.series.n)
    first = ordered[0].series if ordered else None
    head = [f"Report for {safe(patient) or session} ({session})"]
    if first is not None:
        head += [f"scanned on {moment}" for moment in [_when(first)] if moment]
    rows = [_row(conversion) for conversion in ordered]
    titles = ("n", "series", "description", "TR ms", "TE ms", "files", "images", "started", "state")
    return "\n".join([*head, "", *_table([titles, *rows])]) + "\n"


def _row(conversion: Conversion) -> tuple[str, ...]:
    series = conversion.series
    name = base_name(series.header)
    return (
        str(series.n),
        safe(text(series.header, "SeriesNumber")) or "-",
        name if series.kind is SeriesKind.DICOM else f"{name} (PAR/REC)",
        _times(series, "RepetitionTime"),
        _times(series, "EchoTime"),
        str(series.files),
        str(len(conversion.outputs)),
        _when(series) or "-",
        conversion.state.value,
    )


def _times(series: Series, field: str) -> str:
    return ", ".join(f"{value:.6g}" for value in numbers(series.header, field)) or "-"


def _when(series: Series) -> str:
    """Return date and time of a series as YYYY-MM-DD HH:MM:SS, as far as its header tells."""
    days = (calendar_day(text(series.header, field)) for field in _DATES)
    day, hour = next((day for day in days if day), ""), _first(series, _TIMES).split(".")[0]
    if day:
        day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    if hour.isdigit():
        hour = ":".join(hour[at : at + 2] for at in range(0, len(hour), 2))
    return f"{day} {hour}".strip()


def _first(series: Series, fields: Sequence[str]) -> str:
    return next((found for field in fields if (found := safe(text(series.header, field)))), "")


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
