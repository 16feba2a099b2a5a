"""Inspected series as a table for 80 columns, as a table with all facts, and as JSON."""

import json
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.commands.inspect_series import InspectedSeries, InspectedSource
from qxbatch.inspect.verdict import missing_text
from qxbatch.session.acquisition import acquisition_value
from qxbatch.session.summary import SCHEMA
from qxbatch.visible import one_line

WIDTH = 80
_MIN_CELL_WIDTH = 12
"""No column is made narrower than this; a shortened cell ends in `...`."""
Column = tuple[str, Callable[[InspectedSeries, Acquisition], str]]
"""The title of a column, and the function that returns the text of its cell for a series."""
_NAME_COLUMN = 1
"""Index of the column with the name of the series, in both tables."""


def as_json(sources: Iterable[InspectedSource]) -> str:
    """Return one document with the series of all sources (docs/schema/inspect-2.json)."""
    records = [_record(source.source, series) for source in sources for series in source.series]
    return json.dumps({"schema": SCHEMA, "series": records}, indent=1) + "\n"


def _record(source: str, series: InspectedSeries) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "source": source,
        "series_number": series.series_number,
        "series_description": series.description,
        "study_uid": series.study_uid,
        "series_uid": series.series_uid,
        "files": series.files,
        "verdict": series.verdict,
    }
    non_empty = {name: value for name, value in fields.items() if value is not None and value != ""}
    return {**non_empty, **(acquisition_value(series.acquisition) if series.acquisition else {})}


def as_table(sources: Iterable[InspectedSource], *, wide: bool) -> str:
    """Return a table for each source, and what incomplete series lack. Without `wide`, long cells are shortened for 80 columns."""
    return "\n".join(_source_table(source, wide=wide) for source in sources)


def _source_table(source: InspectedSource, *, wide: bool) -> str:
    count = "no series" if not source.series else f"{len(source.series)} series"
    head = [f"{one_line(source.source)}: {count}"]
    if not source.series:
        return head[0] + "\n"
    lines = _table(source.series, WIDE_COLUMNS if wide else NARROW_COLUMNS, None if wide else WIDTH)
    missing_lines = [line for series in source.series for line in _missing_lines(series, None if wide else WIDTH)]
    return "\n".join([*head, *lines, *missing_lines]) + "\n"


def _missing_lines(series: InspectedSeries, width: int | None) -> list[str]:
    if series.verdict is not SeriesVerdict.INCOMPLETE or series.acquisition is None:
        return []
    text = f"series {_series_number(series)} ({one_line(series.description)}): {missing_text(series.acquisition)}"
    if width is None:
        return [text]
    return textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False)


def _table(series: Sequence[InspectedSeries], columns: Sequence[Column], width: int | None) -> list[str]:
    rows = [[title for title, _ in columns]]
    rows += [[one_line(cell(item, item.acquisition or Acquisition())) for _, cell in columns] for item in series]
    widths = [max(len(row[index]) for row in rows) for index in range(len(columns))]
    if width is not None:
        _fit(rows, widths, width)
    return ["  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip() for row in rows]


def _fit(rows: list[list[str]], widths: list[int], width: int) -> None:
    """Shorten names, then cells of other columns, the widest first, until the lines fit `width` or no cell can be shortened."""
    order = sorted(range(len(widths)), key=lambda index: (index != _NAME_COLUMN, -widths[index]))
    for index in order:
        excess = sum(widths) + 2 * (len(widths) - 1) - width
        if excess <= 0:
            return
        min_width = max(_MIN_CELL_WIDTH, len(rows[0][index]))
        widths[index] = min(widths[index], max(min_width, widths[index] - excess))
        for row in rows:
            row[index] = _shortened(row[index], widths[index])


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _series_number(series: InspectedSeries) -> str:
    return "-" if series.series_number is None else f"{series.series_number}"


def _number(value: float | None, digits: int = 6) -> str:
    return "-" if value is None else f"{value:.{digits}g}"


def _numbers(values: Sequence[float] | None, between: str = ", ", digits: int = 6) -> str:
    return between.join(f"{value:.{digits}g}" for value in values) if values else "-"


def _volumes(acquisition: Acquisition) -> str:
    """Return the numbers of complete and planned volumes, `212/300`; only `212` if the second is unknown, `-` if the first is."""
    if acquisition.complete_volumes is None:
        return "-"
    planned = f"/{acquisition.planned_volumes}" if acquisition.planned_volumes is not None else ""
    return f"{acquisition.complete_volumes}{planned}"


def _phase_encoding(acquisition: Acquisition) -> str:
    return acquisition.phase_encoding_direction or acquisition.phase_encoding_axis or "-"


def _b_values(acquisition: Acquisition) -> str:
    return " ".join(f"{value:g}:{count}" for value, count in acquisition.b_values or ()) or "-"


NARROW_COLUMNS: tuple[Column, ...] = (
    ("series", lambda series, _: _series_number(series)),
    ("name", lambda series, _: series.description or "-"),
    ("TR ms", lambda _, acquisition: _number(acquisition.tr_ms, 5)),
    ("TE ms", lambda _, acquisition: _numbers(acquisition.te_ms and acquisition.te_ms[:1], digits=4)),
    ("matrix", lambda _, acquisition: _numbers(acquisition.matrix, "x")),
    ("volumes", lambda _, acquisition: _volumes(acquisition)),
    ("PE", lambda _, acquisition: _phase_encoding(acquisition)),
    ("verdict", lambda series, _: series.verdict or "-"),
)
"""TE is that of the first echo."""

WIDE_COLUMNS: tuple[Column, ...] = (
    ("series", lambda series, _: _series_number(series)),
    ("name", lambda series, _: series.description or "-"),
    ("verdict", lambda series, _: series.verdict or "-"),
    ("files", lambda series, _: f"{series.files}"),
    ("started", lambda _, acquisition: acquisition.started or "-"),
    ("ended", lambda _, acquisition: acquisition.ended or "-"),
    ("duration s", lambda _, acquisition: _number(acquisition.duration_s, 8)),
    ("planned", lambda _, acquisition: _number(acquisition.planned_volumes, 12)),
    ("acquired", lambda _, acquisition: _number(acquisition.acquired_volumes, 12)),
    ("complete", lambda _, acquisition: _number(acquisition.complete_volumes, 12)),
    ("partial slices", lambda _, acquisition: _number(acquisition.partial_slices, 12)),
    ("slices", lambda _, acquisition: _number(acquisition.slices_per_volume, 12)),
    ("missing", lambda _, acquisition: _number(acquisition.missing_slices, 12)),
    ("duplicate", lambda _, acquisition: _number(acquisition.duplicate_slices, 12)),
    ("TR ms", lambda _, acquisition: _number(acquisition.tr_ms)),
    ("observed TR ms", lambda _, acquisition: _number(acquisition.observed_tr_ms)),
    ("TE ms", lambda _, acquisition: _numbers(acquisition.te_ms)),
    ("TI ms", lambda _, acquisition: _number(acquisition.ti_ms)),
    ("flip deg", lambda _, acquisition: _number(acquisition.flip_angle_deg)),
    ("matrix", lambda _, acquisition: _numbers(acquisition.matrix, "x")),
    ("FOV mm", lambda _, acquisition: _numbers(acquisition.fov_mm, "x")),
    ("voxel mm", lambda _, acquisition: _numbers(acquisition.voxel_mm, "x")),
    ("gap mm", lambda _, acquisition: _number(acquisition.slice_gap_mm)),
    ("orientation", lambda _, acquisition: acquisition.orientation or "-"),
    ("PE", lambda _, acquisition: _phase_encoding(acquisition)),
    ("acceleration", lambda _, acquisition: _number(acquisition.in_plane_acceleration)),
    ("multiband", lambda _, acquisition: _number(acquisition.multiband_factor)),
    ("partial Fourier", lambda _, acquisition: _number(acquisition.partial_fourier)),
    ("echo spacing s", lambda _, acquisition: _number(acquisition.effective_echo_spacing_s)),
    ("readout s", lambda _, acquisition: _number(acquisition.total_readout_time_s)),
    ("bandwidth Hz", lambda _, acquisition: _number(acquisition.pixel_bandwidth_hz)),
    ("b:volumes", lambda _, acquisition: _b_values(acquisition)),
    ("directions", lambda _, acquisition: _number(acquisition.directions)),
    ("kinds", lambda _, acquisition: ", ".join(acquisition.kinds or ()) or "-"),
    ("sequence", lambda _, acquisition: acquisition.sequence_name or "-"),
    ("T", lambda _, acquisition: _number(acquisition.field_strength_t)),
    ("coil", lambda _, acquisition: acquisition.coil or "-"),
    ("software", lambda _, acquisition: acquisition.software or "-"),
)
"""Every fact."""
