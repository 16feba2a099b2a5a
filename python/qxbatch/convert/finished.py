"""Facts and verdict of a converted series, and the message about what it lacks."""

from collections.abc import Sequence
from dataclasses import replace

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.convert.attempt import Attempt
from qxbatch.convert.evidence import Evidence
from qxbatch.convert.par_choice import readable_par
from qxbatch.convert.remarks import review
from qxbatch.convert.sop import no_image, secondary_capture
from qxbatch.convert.truncated import with_truncated
from qxbatch.inspect.facts import facts
from qxbatch.inspect.observed import observe
from qxbatch.inspect.par import par_facts
from qxbatch.inspect.verdict import lacking, verdict
from qxbatch.model import Conversion, Series, State
from qxbatch.problems import Code, Problem


def finished(series: Series, done: Attempt, odd: Sequence[Problem], evidence: Evidence) -> Conversion:
    """Return the conversion of a DICOM series with its facts and verdict.

    Raises OSError when a file cannot be read.
    """
    conversion = with_truncated(_conversion(series, done, odd), evidence.truncated)
    if evidence.frames is None:
        return conversion
    found = facts(observe(evidence.frames.acquired(), series.header, conversion.outputs))
    imageless = conversion.state is State.NOTHING or bool(no_image(evidence.classes))
    evaluable = not imageless and not secondary_capture(evidence.classes)
    return _judged(conversion, done, found, evaluable=evaluable)


def finished_par(series: Series, done: Attempt, odd: Sequence[Problem]) -> Conversion:
    """Return the conversion of a PAR/REC with its facts and verdict; without them where the PAR cannot be read."""
    conversion = _conversion(series, done, odd)
    try:
        found = par_facts(readable_par(series))
    except (ValueError, OSError):
        found = None
    return conversion if found is None else _judged(conversion, done, found, evaluable=True)


def _conversion(series: Series, done: Attempt, odd: Sequence[Problem]) -> Conversion:
    judged = done.judgement
    problems = tuple(dict.fromkeys((*judged.problems, *odd)))
    partial = judged.state is State.CONVERTED and any(problem.code is Code.CONVERT_PARTIAL for problem in odd)
    state = State.PARTIAL if partial else judged.state
    return Conversion(series, state, done.tool, judged.outputs, done.log, problems)


def _judged(conversion: Conversion, done: Attempt, found: Acquisition, *, evaluable: bool) -> Conversion:
    judged = verdict(found, evaluable=evaluable)
    about = done.judgement.incomplete
    if judged is SeriesVerdict.INCOMPLETE:
        about = review(conversion.series, f"incomplete: {lacking(found)}.")
    problems = (*conversion.problems, about) if about else conversion.problems
    return replace(conversion, problems=problems, verdict=judged, acquisition=found)
