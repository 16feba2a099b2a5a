"""Converts one series: reads the headers, chooses a converter, runs it, judges its images."""

import os
from pathlib import Path

from qxbatch.convert.attempt import attempt_conversion, conversion_paths
from qxbatch.convert.available import AvailableConverters, converter_for
from qxbatch.convert.conversions import dicom_conversion, not_requested_conversion
from qxbatch.convert.dcm2niix import Dcm2niix
from qxbatch.convert.evidence import Evidence, header_evidence
from qxbatch.convert.gzipped import gzipped_conversion, gzipped_count, partly_gzipped_problem
from qxbatch.convert.header_values import text
from qxbatch.convert.par_series import convert_par_series
from qxbatch.convert.run import Cancel
from qxbatch.convert.second_attempt import convert_again
from qxbatch.core import SeriesFrames
from qxbatch.model import Conversion, Series, SeriesKind
from qxbatch.settings.model import Settings, Stages


def convert_series(
    series: Series,
    settings: Settings,
    work: Path,
    available: AvailableConverters,
    cancel: Cancel,
    *,
    staging: Path | None = None,
    final: Path | None = None,
) -> Conversion:
    """Convert one series in `<work>/<n>` and return the result; outputs remain there until the caller moves them.

    A series that is only sorted has no outputs, but facts and verdict from its headers.

    `staging` is the folder of the session in staging, `final` that of the published session. In logs and messages, paths below
    `staging` and `work` become paths below `final`; without `final` they are unchanged.

    Raises CancelledError when `cancel` is set meanwhile, OSError when a file cannot be read or written, and ValueError when an
    image of a PAR/REC was readable after its conversion, but is not any more.
    """
    if settings.stages is Stages.SORT:
        return not_requested_conversion(series)
    paths = conversion_paths(series, work, staging, final)
    gzipped = gzipped_count(series)
    if gzipped and gzipped >= series.files:
        return gzipped_conversion(series)
    if series.kind is SeriesKind.PARREC:
        return convert_par_series(series, settings, paths, available, cancel)
    evidence = _evidence(series)
    converter = converter_for(series.kind, available)
    attempt = attempt_conversion(series, converter, paths, evidence, settings.timeout, cancel)
    # Copies of so many frames would take too long, and no image could be compared with them.
    can_convert_again = not evidence.frames or not evidence.frames.has_too_many_frames
    has_images = evidence.objects_with_pixels and can_convert_again
    if attempt.judgement.faults and has_images and isinstance(converter, Dcm2niix):
        attempt = convert_again(series, converter, attempt, paths, evidence, settings.timeout, cancel)
    other_problems = [partly_gzipped_problem(series, gzipped)] if gzipped else []
    return dicom_conversion(series, attempt, other_problems, evidence)


def _evidence(series: Series) -> Evidence:
    """Return the facts of the files that are not gzipped."""
    names = sorted(name for name in os.listdir(series.folder) if not name.casefold().endswith(".gz"))  # noqa: PTH208 - avoids a Path object per file
    description = text(series.header, "SeriesDescription") or text(series.header, "ProtocolName")
    return header_evidence(SeriesFrames([f"{series.folder}/{name}" for name in names]), description)
