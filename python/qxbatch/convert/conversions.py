"""The results of series that were converted, or only sorted, with facts, verdict and a message about missing data."""

import os
from collections.abc import Sequence
from dataclasses import replace

from qxbatch.acquisition import SeriesVerdict
from qxbatch.convert.attempt import Attempt
from qxbatch.convert.evidence import Evidence
from qxbatch.convert.par_pair import read_pair
from qxbatch.convert.series_facts import SeriesFacts, dicom_facts, par_facts
from qxbatch.convert.series_problems import review_problem
from qxbatch.convert.truncated import with_truncated_files
from qxbatch.core import SeriesFrames
from qxbatch.inspect.verdict import missing_text
from qxbatch.model import Conversion, Series, SeriesKind, State
from qxbatch.problems import Code, Problem


def dicom_conversion(
    series: Series, attempt: Attempt, other_problems: Sequence[Problem], evidence: Evidence
) -> Conversion:
    """Return the conversion of a DICOM series with its facts and verdict; without both if `evidence` has no frames.

    `other_problems` are problems of the series that the judgement of the attempt does not have. Raises OSError when a file cannot
    be read.
    """
    conversion = with_truncated_files(_conversion(series, attempt, other_problems), evidence.truncated_files)
    facts = None if evidence.frames is None else dicom_facts(evidence.frames, series.header, conversion.outputs)
    return conversion if facts is None else _with_verdict(conversion, facts, attempt.judgement.incomplete_problem)


def par_conversion(series: Series, attempt: Attempt, other_problems: Sequence[Problem]) -> Conversion:
    """Return the conversion of a PAR/REC with facts and verdict; without both if the PAR gives no facts or has no REC."""
    conversion, facts = _conversion(series, attempt, other_problems), _par_facts(series)
    return conversion if facts is None else _with_verdict(conversion, facts, attempt.judgement.incomplete_problem)


def not_requested_conversion(series: Series) -> Conversion:
    """Return the result for a series that is not converted: its facts and verdict, from its headers alone.

    The result has neither if a PAR gives no facts or has no REC. Raises OSError when a DICOM file cannot be read.
    """
    conversion = Conversion(series, State.NOT_REQUESTED, "")
    if series.kind is SeriesKind.PARREC:
        facts = _par_facts(series)
    else:
        names = sorted(os.listdir(series.folder))  # noqa: PTH208 - avoids a Path object per file
        frames = SeriesFrames([f"{series.folder}/{name}" for name in names], pixels=False)
        facts = dicom_facts(frames, series.header)
    return conversion if facts is None else _with_verdict(conversion, facts, None)


def _par_facts(series: Series) -> SeriesFacts | None:
    try:
        return par_facts(read_pair(series.folder).header)
    except (ValueError, OSError):
        return None


def _conversion(series: Series, attempt: Attempt, other_problems: Sequence[Problem]) -> Conversion:
    """Return a conversion without facts and verdict; one of `other_problems` can make it partial."""
    judgement = attempt.judgement
    problems = tuple(dict.fromkeys((*judgement.problems, *other_problems)))
    is_partial = judgement.state is State.CONVERTED and any(
        problem.code is Code.CONVERT_PARTIAL for problem in other_problems
    )
    state = State.PARTIAL if is_partial else judgement.state
    return Conversion(series, state, attempt.tool, judgement.outputs, attempt.log, problems)


def _with_verdict(conversion: Conversion, facts: SeriesFacts, incomplete: Problem | None) -> Conversion:
    """Add facts and verdict, and why the series is not evaluable.

    The message of an INCOMPLETE verdict replaces `incomplete`, the converter's message.
    """
    if facts.verdict is SeriesVerdict.INCOMPLETE:
        incomplete = review_problem(conversion.series, f"incomplete: {missing_text(facts.acquisition)}.")
    problems = (*conversion.problems, incomplete) if incomplete else conversion.problems
    if facts.reason:
        problems = (*problems, review_problem(conversion.series, facts.reason))
    return replace(conversion, problems=problems, verdict=facts.verdict, acquisition=facts.acquisition)
