"""A series as its row in the table of a page and as its card."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.inspect.verdict import missing_text
from qxbatch.model import State
from qxbatch.page.charts import Curve, Dot, curve, sphere
from qxbatch.page.media import Pictures, converter_log_of, gradients_of
from qxbatch.problems import Problem, Severity
from qxbatch.record.names import series_name
from qxbatch.session.fact_text import (
    acceleration_text,
    duration_text,
    moment_text,
    number_text,
    numbers_text,
    phase_encoding_text,
    shells_text,
    volumes_text,
)
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary_parts import ImageSummary, SeriesSummary


class TableCell(NamedTuple):
    """A cell of the table."""

    text: str
    sort_key: float | str
    """The value by which the column is sorted."""


class Sphere(NamedTuple):
    """The directions of a diffusion series, drawn on a sphere."""

    dots: list[Dot]
    shells: tuple[str, ...]
    """The b-value of each shell, for example `b1000`."""
    direction_count: int


class Figure(NamedTuple):
    """An image of a series: its pictures and statistics."""

    number: int
    name: str
    shape: str
    """For example `64 x 64 x 30`."""
    picture_url: str
    """Empty when it has no picture."""
    alt: str
    """Text in place of the picture, for those who cannot see it."""
    signal: Curve | None
    """Global signal."""
    tsnr: float | None
    """Median temporal SNR."""
    tsnr_picture_url: str
    """Of the map of temporal SNR; empty if there is none."""
    tsnr_limit: float | None
    """Temporal SNR of the brightest colour of the map at `tsnr_picture_url`; None if there is none."""
    dropped_volumes: int
    """Volumes at the beginning that are not in the steady state."""


class Card(NamedTuple):
    """What the page shows of a series."""

    anchor: str
    series_number: str
    """The scanner's number; without one, the internal number in parentheses."""
    name: str
    verdict: str
    """Empty if there is none."""
    state: str
    """Whether it was converted: a value of `State`."""
    level: str
    """`good`, `check` or `bad`: how the badge looks."""
    missing_text: str
    """What an incomplete series lacks."""
    cells: tuple[TableCell, ...]
    """The row of the table, in the order of COLUMNS."""
    figures: tuple[Figure, ...]
    sphere: Sphere | None
    shells: str
    """The b-values with the numbers of their volumes."""
    facts: tuple[tuple[str, str], ...]
    """Name and text of the facts that the table does not show."""
    problems: tuple[Problem, ...]
    """Problems that no other series has."""
    log: str
    """The converter's log, shortened if it is long; empty if there is none."""


COLUMNS = (
    *("series", "name", "verdict", "images", "start", "TR (ms)", "TE (ms)", "flip (deg)", "matrix", "voxel (mm)"),
    *("volumes complete", "duration", "PE", "b values", "acceleration", "files"),
)


def card_of(
    series: SeriesSummary,
    images: Mapping[int, ImageSummary],
    paths: SessionPaths,
    pictures: Pictures,
    problems: Sequence[Problem],
) -> Card:
    """Return the card of a series; `problems` are those that no other series has. Raises OSError."""
    acquisition = series.acquisition or Acquisition()
    series_images = [images[number] for number in series.images if number in images]
    gradients = next((item for image in series_images if (item := gradients_of(paths, image))), None)
    name = series_name(series.header)
    return Card(
        anchor=f"s{series.n}",
        series_number=series_number_text(series),
        name=name,
        verdict=series.verdict or "",
        state=series.state,
        level=_level(series),
        missing_text=missing_text(acquisition) if series.verdict is SeriesVerdict.INCOMPLETE else "",
        cells=_cells(series, acquisition, name),
        figures=tuple(_figure(image, name, paths, pictures) for image in series_images),
        sphere=gradients
        and Sphere(
            sphere(gradients.directions, gradients.shell_indexes),
            tuple(f"b{value:g}" for value in gradients.b_values),
            len(gradients.directions),
        ),
        shells=shells_text(acquisition),
        facts=_facts(series, acquisition),
        problems=tuple(problems),
        log=converter_log_of(paths, series),
    )


def series_number_text(series: SeriesSummary) -> str:
    """Return the scanner's number of a series; without one, the internal number in parentheses."""
    number = series.header.get("SeriesNumber")
    return f"({series.n})" if number in (None, "") else str(number)


def _level(series: SeriesSummary) -> str:
    severities = {problem.severity for problem in series.problems}
    if series.state is State.FAILED or Severity.ERROR in severities:
        return "bad"
    is_doubtful = series.state is State.PARTIAL or series.verdict in (SeriesVerdict.INCOMPLETE, SeriesVerdict.REPEATED)
    return "check" if is_doubtful or Severity.WARNING in severities else "good"


def _cells(series: SeriesSummary, acquisition: Acquisition, name: str) -> tuple[TableCell, ...]:
    numbers = ", ".join(map(str, series.images))
    return (
        TableCell(series_number_text(series), series.n),
        TableCell(name, name.casefold()),
        TableCell(series.verdict or series.state, series.verdict or series.state),
        TableCell(numbers, series.images[0] if series.images else 0),
        TableCell(moment_text(acquisition.started).partition(" ")[2], acquisition.started or ""),
        TableCell(number_text(acquisition.tr_ms), acquisition.tr_ms or 0),
        TableCell(numbers_text(acquisition.te_ms), acquisition.te_ms[0] if acquisition.te_ms else 0),
        TableCell(number_text(acquisition.flip_angle_deg), acquisition.flip_angle_deg or 0),
        TableCell(numbers_text(acquisition.matrix, " x "), _product(acquisition.matrix)),
        TableCell(numbers_text(acquisition.voxel_mm, " x "), _product(acquisition.voxel_mm)),
        TableCell(volumes_text(acquisition), acquisition.complete_volumes or 0),
        TableCell(duration_text(acquisition.duration_s), acquisition.duration_s or 0),
        TableCell(phase_encoding_text(acquisition), phase_encoding_text(acquisition)),
        TableCell(shells_text(acquisition), len(acquisition.b_values or ())),
        TableCell(
            acceleration_text(acquisition),
            (acquisition.in_plane_acceleration or 1) * (acquisition.multiband_factor or 1),
        ),
        TableCell(str(series.files), series.files),
    )


def _product(sides: Sequence[float] | None) -> float:
    product = 1.0
    for side in sides or (0.0,):
        product *= side
    return product


def _facts(series: SeriesSummary, acquisition: Acquisition) -> tuple[tuple[str, str], ...]:
    """Return the facts that the table does not show."""
    facts = (
        ("TI", _with_unit(number_text(acquisition.ti_ms), "ms")),
        ("observed TR", _with_unit(number_text(acquisition.observed_tr_ms), "ms")),
        ("orientation", acquisition.orientation or ""),
        ("field of view", _with_unit(numbers_text(acquisition.fov_mm, " x "), "mm")),
        ("slice gap", _with_unit(number_text(acquisition.slice_gap_mm, 3), "mm")),
        ("partial Fourier", number_text(acquisition.partial_fourier)),
        ("echo spacing", _with_unit(number_text(acquisition.effective_echo_spacing_s), "s")),
        ("total readout time", _with_unit(number_text(acquisition.total_readout_time_s), "s")),
        ("bandwidth", _with_unit(number_text(acquisition.pixel_bandwidth_hz), "Hz/pixel")),
        ("kinds", ", ".join(acquisition.kinds or ())),
        ("sequence", acquisition.sequence_name or ""),
        ("coil", acquisition.coil or ""),
        ("converter", series.tool),
    )
    return tuple((name, text) for name, text in facts if text)


def _with_unit(text: str, unit: str) -> str:
    return f"{text} {unit}" if text else ""


def _figure(image: ImageSummary, name_of_series: str, paths: SessionPaths, pictures: Pictures) -> Figure:
    shape = " x ".join(map(str, image.shape))
    statistics = image.statistics
    mean_of = "the mean of " if statistics else ""
    alt = f"Middle slices of {mean_of}image {image.number}, {name_of_series}" + (f", {shape} voxels" if shape else "")
    return Figure(
        image.number,
        image.name,
        shape,
        pictures.url(paths.picture(image.number)),
        alt,
        curve(statistics.global_signal) if statistics else None,
        statistics.tsnr if statistics else None,
        pictures.url(paths.tsnr_picture(image.number)),
        statistics.tsnr_limit if statistics else None,
        statistics.dropped_volumes if statistics else 0,
    )
