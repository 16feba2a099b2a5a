"""What was inspected, as a table of 80 columns, as one with all facts, and as JSON."""

import json
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.inspect.verdict import lacking
from qxbatch.parts.inspect_series import Inspected, InspectedSeries
from qxbatch.session.acquisition import acquisition_value
from qxbatch.session.summary import SCHEMA
from qxbatch.visible import one_line

WIDTH = 80
_SHORTEST = 12
"""Characters of a name that are always shown."""
Column = tuple[str, Callable[[InspectedSeries, Acquisition], str]]


def as_json(found: Iterable[Inspected]) -> str:
    """Return one document with the series of all sources (docs/schema/inspect-2.json)."""
    series = [_record(each.source, one) for each in found for one in each.series]
    return json.dumps({"schema": SCHEMA, "series": series}, indent=1) + "\n"


def _record(source: str, series: InspectedSeries) -> dict[str, Any]:
    own: dict[str, Any] = {
        "source": source,
        "series_number": series.number,
        "series_description": series.description,
        "study_uid": series.study_uid,
        "series_uid": series.series_uid,
        "files": series.files,
        "verdict": series.verdict,
    }
    known = {name: value for name, value in own.items() if value is not None and value != ""}
    return {**known, **(acquisition_value(series.acquisition) if series.acquisition else {})}


def as_table(found: Iterable[Inspected], *, wide: bool) -> str:
    """Return a table for each source, and what incomplete series lack; lines have 80 columns unless it is wide."""
    return "\n".join(_source(each, wide=wide) for each in found)


def _source(found: Inspected, *, wide: bool) -> str:
    count = "no series" if not found.series else f"{len(found.series)} series"
    head = [f"{one_line(found.source)}: {count}"]
    if not found.series:
        return head[0] + "\n"
    lines = _table(found.series, WIDE if wide else (*NARROW,), None if wide else WIDTH)
    lacks = [line for series in found.series for line in _lacks(series, None if wide else WIDTH)]
    return "\n".join([*head, *lines, *lacks]) + "\n"


def _lacks(series: InspectedSeries, width: int | None) -> list[str]:
    if series.verdict is not SeriesVerdict.INCOMPLETE or series.acquisition is None:
        return []
    text = f"series {_number(series)} ({one_line(series.description)}): {lacking(series.acquisition)}"
    if width is None:
        return [text]
    return textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False)


def _table(series: Sequence[InspectedSeries], columns: Sequence[Column], width: int | None) -> list[str]:
    rows = [[title for title, _ in columns]]
    rows += [[one_line(cell(one, one.acquisition or Acquisition())) for _, cell in columns] for one in series]
    widths = [max(len(row[index]) for row in rows) for index in range(len(columns))]
    if width is not None:
        _fit(rows, widths, width)
    return ["  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip() for row in rows]


def _fit(rows: list[list[str]], widths: list[int], width: int) -> None:
    """Shorten names, and then other long cells from the right, until a line has no more columns than `width`."""
    order = sorted(range(len(widths)), key=lambda index: (index != 1, -widths[index]))
    for index in order:
        over = sum(widths) + 2 * (len(widths) - 1) - width
        if over <= 0:
            return
        least = max(_SHORTEST, len(rows[0][index]))
        widths[index] = min(widths[index], max(least, widths[index] - over))
        for row in rows:
            row[index] = _short(row[index], widths[index])


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _number(series: InspectedSeries) -> str:
    return "-" if series.number is None else f"{series.number}"


def _figure(value: float | None, digits: int = 6) -> str:
    return "-" if value is None else f"{value:.{digits}g}"


def _figures(values: Sequence[float] | None, between: str = ", ", digits: int = 6) -> str:
    return between.join(f"{value:.{digits}g}" for value in values) if values else "-"


def _volumes(known: Acquisition) -> str:
    """Return complete volumes of those that were planned: `212/300`."""
    if known.complete_volumes is None:
        return "-"
    planned = f"/{known.planned_volumes}" if known.planned_volumes is not None else ""
    return f"{known.complete_volumes}{planned}"


def _phase_encoding(known: Acquisition) -> str:
    return known.phase_encoding_direction or known.phase_encoding_axis or "-"


def _b_values(known: Acquisition) -> str:
    return " ".join(f"{value:g}:{count}" for value, count in known.b_values or ()) or "-"


NARROW: tuple[Column, ...] = (
    ("series", lambda one, _: _number(one)),
    ("name", lambda one, _: one.description or "-"),
    ("TR ms", lambda _, known: _figure(known.tr_ms, 5)),
    ("TE ms", lambda _, known: _figures(known.te_ms and known.te_ms[:1], digits=4)),
    ("matrix", lambda _, known: _figures(known.matrix, "x")),
    ("volumes", lambda _, known: _volumes(known)),
    ("PE", lambda _, known: _phase_encoding(known)),
    ("verdict", lambda one, _: one.verdict or "-"),
)
"""With several echoes the first time alone."""

WIDE: tuple[Column, ...] = (
    ("series", lambda one, _: _number(one)),
    ("name", lambda one, _: one.description or "-"),
    ("verdict", lambda one, _: one.verdict or "-"),
    ("files", lambda one, _: f"{one.files}"),
    ("started", lambda _, known: known.started or "-"),
    ("ended", lambda _, known: known.ended or "-"),
    ("duration s", lambda _, known: _figure(known.duration_s, 8)),
    ("planned", lambda _, known: _figure(known.planned_volumes, 12)),
    ("acquired", lambda _, known: _figure(known.acquired_volumes, 12)),
    ("complete", lambda _, known: _figure(known.complete_volumes, 12)),
    ("partial slices", lambda _, known: _figure(known.partial_slices, 12)),
    ("slices", lambda _, known: _figure(known.slices_per_volume, 12)),
    ("missing", lambda _, known: _figure(known.missing_slices, 12)),
    ("duplicate", lambda _, known: _figure(known.duplicate_slices, 12)),
    ("TR ms", lambda _, known: _figure(known.tr_ms)),
    ("observed TR ms", lambda _, known: _figure(known.observed_tr_ms)),
    ("TE ms", lambda _, known: _figures(known.te_ms)),
    ("TI ms", lambda _, known: _figure(known.ti_ms)),
    ("flip deg", lambda _, known: _figure(known.flip_angle_deg)),
    ("matrix", lambda _, known: _figures(known.matrix, "x")),
    ("FOV mm", lambda _, known: _figures(known.fov_mm, "x")),
    ("voxel mm", lambda _, known: _figures(known.voxel_mm, "x")),
    ("gap mm", lambda _, known: _figure(known.slice_gap_mm)),
    ("orientation", lambda _, known: known.orientation or "-"),
    ("PE", lambda _, known: _phase_encoding(known)),
    ("acceleration", lambda _, known: _figure(known.in_plane_acceleration)),
    ("multiband", lambda _, known: _figure(known.multiband_factor)),
    ("partial Fourier", lambda _, known: _figure(known.partial_fourier)),
    ("echo spacing s", lambda _, known: _figure(known.effective_echo_spacing_s)),
    ("readout s", lambda _, known: _figure(known.total_readout_time_s)),
    ("bandwidth Hz", lambda _, known: _figure(known.pixel_bandwidth_hz)),
    ("b:volumes", lambda _, known: _b_values(known)),
    ("directions", lambda _, known: _figure(known.directions)),
    ("kinds", lambda _, known: ", ".join(known.kinds or ()) or "-"),
    ("sequence", lambda _, known: known.sequence_name or "-"),
    ("T", lambda _, known: _figure(known.field_strength_t)),
    ("coil", lambda _, known: known.coil or "-"),
    ("software", lambda _, known: known.software or "-"),
)
"""Every fact."""
