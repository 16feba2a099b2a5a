"""DICOM-Report.txt: a readable table of the session's series."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.convert.header_values import numbers, text
from qxbatch.inspect.verdict import missing_text
from qxbatch.model import Conversion, Output, Series, SeriesKind
from qxbatch.protocol.scanned import ScannedSession
from qxbatch.record.names import series_name, session_txt_field
from qxbatch.record.scanned import scanned_series
from qxbatch.record.start import earliest_start, series_start
from qxbatch.session.summary import Summary
from qxbatch.session.summary_parts import SeriesSummary


def dicom_report(session: str, patient: str, conversions: Iterable[Conversion]) -> str:
    """Return the report. `patient` is the patient's id; if it is empty, the report has the session id instead."""
    by_n = sorted(conversions, key=lambda conversion: conversion.series.n)
    head = [f"Report for {session_txt_field(patient) or session} ({session})"]
    start = earliest_start((conversion.series.header, conversion.acquisition) for conversion in by_n)
    return _report([*head, f"scanned on {start}"] if start else head, by_n)


def _report(head: Sequence[str], conversions: Sequence[Conversion]) -> str:
    rows = [_row(conversion) for conversion in conversions]
    return (
        "\n".join([*head, *_scanners(conversions), *_session_verdict(conversions), "", *_table([_TITLES, *rows])])
        + "\n"
    )


def refreshed_report(report: str, old: Summary, new: Summary) -> str | None:
    """Return a report with the facts of the summary `new` below the lines that name the session.

    Return None if qxbatch did not write `report`, or if somebody edited it: it has a line or a cell that follows neither from the
    summary `old`, with which it was written, nor from `new`.
    """
    title, *lines = report.split("\n")
    if not (title.startswith("Report for ") and title.endswith(f"({new.session.id})")):
        return None
    head = [title, *(line for line in lines[:1] if line.startswith("scanned on "))]
    reports = [_report(head, [_conversion(series) for series in summary.series]) for summary in (old, new)]
    return reports[1] if _is_unedited(report, reports) else None


def _is_unedited(report: str, reports: Sequence[str]) -> bool:
    """Return whether each line above the table, and each cell of the table, is in one of `reports`.

    Columns may be missing in `report`: older versions wrote fewer.
    """
    above, _, table = report.partition("\n\n")
    known_lines = {line for text in reports for line in text.partition("\n\n")[0].split("\n")}
    rows = _cells(table)
    known_rows = [
        [dict(zip(_TITLES, row, strict=False)) for row in _cells(text.partition("\n\n")[2])] for text in reports
    ]
    titles = rows[0]
    return (
        bool(titles)
        and known_lines.issuperset(above.split("\n"))
        and table.endswith("\n")
        and all(len(rows) == len(known) for known in known_rows)
        and all(
            cell in [row.get(name) for row in same_rows]
            for cells, *same_rows in zip(rows, *known_rows, strict=True)
            for name, cell in zip(titles, cells, strict=True)
        )
    )


def _cells(table: str) -> list[list[str]]:
    """Return the cells of each line of a table. A column begins where its title begins: a name may have several spaces."""
    lines = table.removesuffix("\n").split("\n")
    starts = [0, *(match.end() for match in re.finditer(" {2,}", lines[0]))]
    ends = [*starts[1:], None]
    return [[line[start:end].rstrip(" ") for start, end in zip(starts, ends, strict=True)] for line in lines]


def _conversion(series: SeriesSummary) -> Conversion:
    """Return a conversion that has only the facts of a series that the report shows; its paths lead nowhere."""
    nowhere = Path()
    return Conversion(
        Series(series.n, series.kind, series.header, series.files, series.size, nowhere),
        series.state,
        series.tool,
        tuple(Output(nowhere, "", {}) for _ in series.images),
        verdict=series.verdict,
        acquisition=series.acquisition,
    )


_TITLES = (
    *("n", "series", "started", "name", "TR ms", "TE ms", "matrix", "voxel mm", "volumes", "PE", "acceleration"),
    *("verdict", "files", "images", "state"),
)


def _scanners(conversions: Sequence[Conversion]) -> list[str]:
    """Return a line with the scanners of a session that has several; no line for another session."""
    facts = ((each.series.n, each.series.header, each.verdict, each.acquisition) for each in conversions)
    scanners = ScannedSession("", tuple(scanned_series(*each) for each in facts)).scanners
    return [f"scanners: {'; '.join(scanners)}"] if len(scanners) > 1 else []


def _session_verdict(conversions: Sequence[Conversion]) -> list[str]:
    """Return the lines with the worst verdict of a session and the series to check first; none if no series has a verdict."""
    with_verdict = [conversion for conversion in conversions if conversion.verdict is not None]
    if not with_verdict:
        return []
    worst = min(
        with_verdict, key=lambda conversion: _WORST_FIRST.index(conversion.verdict or SeriesVerdict.NOT_EVALUABLE)
    )
    if worst.verdict not in (SeriesVerdict.INCOMPLETE, SeriesVerdict.REPEATED):
        return [f"verdict: {worst.verdict}"]
    count = sum(conversion.verdict is worst.verdict for conversion in with_verdict)
    lines = [f"verdict: {worst.verdict} ({count} of {len(with_verdict)} series)", "look at these series first:"]
    for conversion in with_verdict:
        if conversion.verdict is worst.verdict and conversion.acquisition is not None:
            why = missing_text(conversion.acquisition) or conversion.verdict
            lines.append(f"  {_series_number(conversion.series)} ({_name(conversion.series)}): {why}")
    return lines


_WORST_FIRST = (SeriesVerdict.INCOMPLETE, SeriesVerdict.REPEATED, SeriesVerdict.COMPLETE, SeriesVerdict.NOT_EVALUABLE)


def _row(conversion: Conversion) -> tuple[str, ...]:
    series = conversion.series
    acquisition = conversion.acquisition or Acquisition()
    return (
        str(series.n),
        _series_number(series),
        series_start(series.header, conversion.acquisition) or "-",
        _name(series),
        f"{acquisition.tr_ms:.6g}" if acquisition.tr_ms else _header_numbers(series, "RepetitionTime"),
        ", ".join(f"{time:.6g}" for time in acquisition.te_ms or ()) or _header_numbers(series, "EchoTime"),
        _sides(acquisition.matrix),
        _sides(acquisition.voxel_mm),
        _volumes(acquisition),
        acquisition.phase_encoding_direction or acquisition.phase_encoding_axis or "-",
        _acceleration(acquisition),
        conversion.verdict or "-",
        str(series.files),
        str(len(conversion.outputs)),
        conversion.state.value,
    )


def _series_number(series: Series) -> str:
    return session_txt_field(text(series.header, "SeriesNumber")) or "-"


def _name(series: Series) -> str:
    name = series_name(series.header)
    return name if series.kind is SeriesKind.DICOM else f"{name} (PAR/REC)"


def _sides(sides: Sequence[float] | None) -> str:
    return " x ".join(f"{side:.4g}" for side in sides) if sides else "-"


def _volumes(acquisition: Acquisition) -> str:
    """Return planned and complete volumes: `300/212`."""
    if acquisition.complete_volumes is None:
        return "-"
    return (
        f"{'-' if acquisition.planned_volumes is None else acquisition.planned_volumes}/{acquisition.complete_volumes}"
    )


def _acceleration(acquisition: Acquisition) -> str:
    """Return acceleration in plane and the multiband factor: `2, MB 3`."""
    plane = f"{acquisition.in_plane_acceleration:.3g}" if acquisition.in_plane_acceleration else "-"
    return f"{plane}, MB {acquisition.multiband_factor}" if (acquisition.multiband_factor or 1) > 1 else plane


def _header_numbers(series: Series, field: str) -> str:
    return ", ".join(f"{value:.6g}" for value in numbers(series.header, field)) or "-"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
