"""Converts one PAR/REC series with the selected converter, and compares its images with the pair."""

from qxbatch.convert.attempt import ConversionPaths, attempt_conversion
from qxbatch.convert.available import AvailableConverters, converter_for
from qxbatch.convert.conversions import par_conversion
from qxbatch.convert.par_checks import disagreement_problems, pair_problems, par_evidence
from qxbatch.convert.par_choice import convert_par, failed_attempt
from qxbatch.convert.par_pair import read_pair
from qxbatch.convert.par_times import write_missing_times
from qxbatch.convert.run import Cancel
from qxbatch.model import Conversion, Series
from qxbatch.problems import Problem
from qxbatch.settings.model import Settings, Tool


def convert_par_series(
    series: Series, settings: Settings, paths: ConversionPaths, available: AvailableConverters, cancel: Cancel
) -> Conversion:
    """Convert one series and return the result.

    Raises CancelledError, OSError when a file cannot be read or written, and ValueError when an image was readable after its
    conversion, but is not any more.
    """
    try:
        pair = read_pair(series.folder, cancel)
    except (ValueError, OSError) as error:
        return par_conversion(series, failed_attempt(series, error), [])
    other_problems: list[Problem] = []
    if available.used_tool is Tool.AUTO:
        attempt = convert_par(series, pair, paths, available.converters, settings.timeout, cancel)
    else:
        converter = converter_for(series.kind, available)
        attempt = attempt_conversion(series, converter, paths, par_evidence(pair), settings.timeout, cancel)
        other_problems += disagreement_problems(series, pair, converter.name, attempt.judgement.outputs, cancel)
    if attempt.judgement.outputs:
        other_problems += pair_problems(series, pair)
        write_missing_times(pair, attempt.judgement.outputs)
    return par_conversion(series, attempt, other_problems)
