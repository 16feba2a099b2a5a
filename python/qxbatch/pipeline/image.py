"""Finishes one converted image: redacts its texts, computes statistics, draws pictures, compresses."""

from pathlib import Path
from typing import NamedTuple

from qxbatch.convert.nifti import Nifti
from qxbatch.core import Statistics, gzip_file
from qxbatch.deidentify import Redact
from qxbatch.inspect.observed import read_sidecar
from qxbatch.inspect.time_series import TimeSeriesFacts, is_time_series
from qxbatch.model import Conversion, Output
from qxbatch.page.picture import write_picture
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.pictures import picture_path, tsnr_picture_path
from qxbatch.record.compress import compressed_path
from qxbatch.record.image_texts import redact_image
from qxbatch.session.summary_parts import ImageStatistics, SizeAndHash

_DIGITS = 5
"""Significant digits of a statistic."""


class FinishedImage(NamedTuple):
    """A compressed image."""

    path: Path
    checksum: SizeAndHash
    statistics: ImageStatistics | None
    """Those of a time series; None for another image, or if they cannot be computed."""


def finish_image(
    context: Context, conversion: Conversion, output: Output, header: Nifti, redact: Redact
) -> FinishedImage:
    """Redact the texts of an image, compute its statistics, draw its pictures, and compress it. Raises OSError, CancelledError."""
    nifti = output.nifti
    redact_image(nifti, header, redact)
    facts = TimeSeriesFacts(
        header.shape,
        conversion.series.header,
        conversion.acquisition,
        read_sidecar(output.sidecars.get("json")),
        output.suffix,
        "bval" in output.sidecars,
    )
    with context.slots.acquire():
        statistics = _draw(context, nifti, header, time_series=is_time_series(facts))
        path = compressed_path(nifti)
        checksum = gzip_file(str(nifti), str(path), level=context.settings.gzip_level, monitor=context.monitor)
        nifti.unlink()
    return FinishedImage(path, checksum, statistics)


def _draw(context: Context, nifti: Path, header: Nifti, *, time_series: bool) -> ImageStatistics | None:
    """Draw the pictures of an image; return the statistics of a time series, None if there are none."""
    statistics = _statistics(context, nifti) if time_series else None
    write_picture(nifti, picture_path(nifti), statistics, tsnr_picture_path(nifti), header)
    return image_statistics(statistics) if statistics else None


def _statistics(context: Context, nifti: Path) -> Statistics | None:
    """Return the statistics of an image; None if it cannot be read or has none, for example because it has too few volumes."""
    try:
        return Statistics.read(str(nifti), monitor=context.monitor)
    except OSError:
        return None


def image_statistics(statistics: Statistics) -> ImageStatistics:
    """Return statistics as the summary has them, with _DIGITS significant digits."""
    return ImageStatistics(
        None if statistics.tsnr is None else _round_digits(statistics.tsnr),
        None if statistics.tsnr_limit is None else _round_digits(statistics.tsnr_limit),
        statistics.dropped_volumes,
        tuple(map(_round_digits, statistics.global_signal)),
    )


def _round_digits(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
