"""Judges a conversion by what it left, against the headers: an exit status alone is never believed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qxbatch.convert.agreement import image_findings, total_findings
from qxbatch.convert.before import review, subject
from qxbatch.convert.converter import Converter
from qxbatch.convert.evidence import Evidence
from qxbatch.convert.nifti import Nifti, read_nifti
from qxbatch.convert.run import Ran
from qxbatch.convert.sop import no_image, secondary_capture
from qxbatch.model import Output, Series, State
from qxbatch.problems import Code, Problem, Severity

_TELLING = re.compile(
    r"error|warning|illegal|unsupported|unable|corrupt|missing|fail|skipp|exception|not ", re.IGNORECASE
)
_LONGEST = 300
_SOME_FAILED, _INCOMPLETE = 8, 10


@dataclass(frozen=True)
class Judgement:
    """The state of a series and the outputs that may be used."""

    state: State
    outputs: tuple[Output, ...] = ()
    problems: tuple[Problem, ...] = ()


def judge(series: Series, converter: Converter, ran: Ran, written: Sequence[Output], evidence: Evidence) -> Judgement:
    """Judge what `converter` left behind for one series."""
    kind = no_image(evidence.classes)
    if ran.stopped:
        return failed(series, converter.name, f"was stopped: {ran.stopped}.", ran.words)
    if not converter.believes(ran.exit_status):
        return _refused(series, converter, ran, kind)
    images, broken = _open(written)
    if not images:
        return _empty(series, converter, ran, kind, broken)
    problems = [
        _partial(series, f"{converter.name} left an image that is not usable: {output.nifti.name}: {reason}.")
        for output, reason in broken
    ]
    if ran.exit_status == _SOME_FAILED:
        problems.append(
            _partial(series, f"{converter.name} says that some files were not converted: {words(ran.words)}")
        )
    if ran.exit_status == _INCOMPLETE:
        problems.append(review(series, f"{converter.name} found incomplete volumes: {words(ran.words)}"))
    fewer, odd = ([], []) if kind else total_findings(images, evidence)
    problems += [_partial(series, text) for text in fewer]
    problems += [review(series, text) for text in odd]
    for output, image in images:
        problems += [review(series, text) for text in image_findings(output, image, evidence)]
    if secondary_capture(evidence.classes):
        problems.append(review(series, "it is a secondary capture (screen save), not a measured image."))
    partial = any(problem.code is Code.CONVERT_PARTIAL for problem in problems)
    state = State.PARTIAL if partial else State.CONVERTED
    return Judgement(state, tuple(output for output, _ in images), tuple(problems))


def failed(series: Series, tool: str, reason: str, log: str) -> Judgement:
    """Return a failure that holds the reason and the log's own words."""
    said = words(log)
    message = f"{tool} {reason}" + (f" It said: {said}" if said else "")
    hint = f"Its log is dicom/dcm2niix_{series.n}.log; the DICOM or PAR/REC files are kept."
    return Judgement(State.FAILED, (), (Problem(Code.CONVERT_FAILED, subject(series), message, hint),))


def words(log: str) -> str:
    """Return the lines of a log that tell most about a failure, as one short line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    chosen = " / ".join(dict.fromkeys(telling[-3:] or lines[-1:]))
    return chosen if len(chosen) <= _LONGEST else chosen[:_LONGEST] + "..."


def nothing(series: Series, kind: str) -> Judgement:
    """Return that a series holds nothing to convert, and what it holds."""
    problem = Problem(Code.NOTHING_TO_CONVERT, subject(series), f"it holds {kind}, no image.", "", Severity.WARNING)
    return Judgement(State.NOTHING, (), (problem,))


def _refused(series: Series, converter: Converter, ran: Ran, kind: str) -> Judgement:
    if kind and ran.exit_status >= 0:
        return nothing(series, kind)
    how = (
        f"was killed by signal {-ran.exit_status}." if ran.exit_status < 0 else f"ended with status {ran.exit_status}."
    )
    return failed(series, converter.name, how, ran.words)


def _empty(
    series: Series, converter: Converter, ran: Ran, kind: str, broken: Sequence[tuple[Output, str]]
) -> Judgement:
    if broken:
        output, reason = broken[0]
        return failed(series, converter.name, f"left {output.nifti.name}, but {reason}.", ran.words)
    if kind:
        return nothing(series, kind)
    return failed(series, converter.name, f"ended with status {ran.exit_status} and left no image.", ran.words)


def _open(written: Sequence[Output]) -> tuple[list[tuple[Output, Nifti]], list[tuple[Output, str]]]:
    images: list[tuple[Output, Nifti]] = []
    broken: list[tuple[Output, str]] = []
    for output in written:
        try:
            images.append((output, read_nifti(output.nifti)))
        except (ValueError, OSError) as error:
            broken.append((output, str(error)))
    return images, broken


def _partial(series: Series, message: str) -> Problem:
    hint = f"See dicom/dcm2niix_{series.n}.log; the source files are kept."
    return Problem(Code.CONVERT_PARTIAL, subject(series), message, hint, Severity.WARNING)
