"""Judges a conversion by its output and the headers: a successful exit status alone is not trusted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qxbatch.convert.agreement import image_findings, slice_count_findings
from qxbatch.convert.comparison import Findings, compare_images
from qxbatch.convert.converter import Converter
from qxbatch.convert.converter_warnings import gradient_warnings_of, warnings_of
from qxbatch.convert.evidence import Evidence
from qxbatch.convert.nifti import Nifti, read_nifti
from qxbatch.convert.run import ProcessResult
from qxbatch.convert.series_problems import note_problem, review_problem, subject
from qxbatch.convert.sop import has_slices_of_body, is_secondary_capture, non_image_kind
from qxbatch.model import Output, Series, State
from qxbatch.os_error import error_text
from qxbatch.problems import Code, Problem, Severity
from qxbatch.session.layout import DICOM, converter_log_name

_FAILURE_WORDS = re.compile(
    r"error|warning|illegal|unsupported|unable|corrupt|missing|fail|skipp|exception|not ", re.IGNORECASE
)
_MAX_EXCERPT = 300
"""Maximum number of characters of an excerpt of a log."""
_SOME_FAILED, _INCOMPLETE = 8, 10
"""Exit statuses of dcm2niix with usable output: some files failed, incomplete volumes found."""


@dataclass(frozen=True)
class Judgement:
    """The state of a series and its usable outputs."""

    state: State
    outputs: tuple[Output, ...] = ()
    problems: tuple[Problem, ...] = ()
    faults: tuple[str, ...] = ()
    """Where images differ from their headers, or why there are no images: another conversion may be better."""
    incomplete_problem: Problem | None = None
    """The converter's own message about incomplete volumes; the message of an INCOMPLETE verdict replaces it."""


def judge(
    series: Series, converter: Converter, result: ProcessResult, outputs: Sequence[Output], evidence: Evidence
) -> Judgement:
    """Judge the images (`outputs`) that `converter` wrote for one series. Raises OSError when a file cannot be read."""
    nothing_to_convert = _nothing_to_convert(series, evidence)
    if result.stop_reason:
        return failure(series, converter.name, f"was stopped: {result.stop_reason}.", result.stdout)
    if not converter.accepts(result.exit_status):
        return _judge_failure(series, converter, result, nothing_to_convert)
    images, unusable = _read_headers(outputs)
    if not images:
        return _judge_no_image(series, converter, result, nothing_to_convert, unusable)
    problems = [
        _partial_problem(series, f"{converter.name} left an image that is not usable: {output.nifti.name}: {reason}.")
        for output, reason in unusable
    ]
    compared = compare_images(images, replace(evidence, frames=None) if nothing_to_convert else evidence)
    images = [images[index] for index in compared.order]
    if result.exit_status == _SOME_FAILED:
        problems.append(
            _partial_problem(
                series, f"{converter.name} says that some files were not converted: {excerpt(result.stdout)}"
            )
        )
    problems += _header_problems(series, images, nothing_to_convert, evidence, compared)
    has_positions = has_slices_of_body(evidence.classes) and not is_secondary_capture(evidence.classes)
    as_notes = compared.are_slices_proven or evidence.frames is None or not has_positions
    problems += _converter_warnings(
        series, converter, result, as_notes=as_notes, gradients_as_notes=compared.are_directions_proven
    )
    partial = any(problem.code is Code.CONVERT_PARTIAL for problem in problems)
    state = State.PARTIAL if partial else State.CONVERTED
    text = f"{converter.name} found incomplete volumes: {excerpt(result.stdout)}"
    incomplete = review_problem(series, text) if result.exit_status == _INCOMPLETE else None
    return Judgement(state, tuple(output for output, _ in images), tuple(problems), compared.faults, incomplete)


def _header_problems(
    series: Series,
    images: Sequence[tuple[Output, Nifti]],
    nothing_to_convert: Problem | None,
    evidence: Evidence,
    compared: Findings,
) -> list[Problem]:
    """Return where images and headers disagree."""
    missing, surplus = ([], []) if nothing_to_convert else slice_count_findings(images, evidence)
    problems = [_partial_problem(series, text) for text in missing]
    is_capture = is_secondary_capture(evidence.classes)
    if is_capture:
        problems.append(review_problem(series, "it is a secondary capture (screen save), not a measured image."))
    # If missing slices were found by the number of voxels, the comparison's message about them is left out.
    faults = (
        *surplus,
        *(text for text in compared.faults if not (missing and text in compared.count_faults)),
        *compared.doubts,
    )
    for k, (output, image) in enumerate(images, 1):
        name = f"image {k}" if len(images) > 1 else "its image"
        faults += tuple(f"{name}: {text}" for text in image_findings(output, image, evidence))
    problems += [review_problem(series, text) for text in faults]
    return problems + [note_problem(series, text) for text in compared.notes if not is_capture]


def _converter_warnings(
    series: Series, converter: Converter, result: ProcessResult, *, as_notes: bool, gradients_as_notes: bool
) -> list[Problem]:
    """Return the converter's warnings; none after an exit status above 0, which has its own message.

    Warnings about geometry, guesses and missing slices are only notes if `as_notes`: the headers prove number and position of the
    slices, another check decides (PAR/REC), or the slices have no position (screen saves). Those about gradient directions are only
    notes if `gradients_as_notes`: the headers prove all directions.
    """
    if result.exit_status:
        return []
    geometry, gradients = warnings_of(result.stdout), gradient_warnings_of(result.stdout)
    quoted = f"{converter.name} warns: "
    return [
        note_problem(series, quoted + " / ".join(lines))
        if are_notes
        else review_problem(series, quoted + " / ".join(lines))
        for lines, are_notes in ((gradients, gradients_as_notes), (geometry, as_notes))
        if lines
    ]


def failure(series: Series, tool: str, reason: str, log: str, *, has_other_problem: bool = False) -> Judgement:
    """Return a failure with the reason and lines of the log.

    With `has_other_problem`, it is only information: the session has another problem about the same files.
    """
    quoted = excerpt(log)
    message = f"{tool} {reason}" + (f" Its output: {quoted}" if quoted else "")
    hint = f"Its log is {DICOM}/{converter_log_name(series.n)}; the DICOM or PAR/REC files are kept."
    severity = Severity.INFO if has_other_problem else Severity.ERROR
    return Judgement(State.FAILED, (), (Problem(Code.CONVERT_FAILED, subject(series), message, hint, severity),))


def excerpt(log: str) -> str:
    """Return the last three log lines that look like messages of a failure, else the last line, as one short line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    failure_lines = [line for line in lines if _FAILURE_WORDS.search(line)]
    chosen = " / ".join(dict.fromkeys(failure_lines[-3:] or lines[-1:]))
    if len(chosen) <= _MAX_EXCERPT:
        return chosen
    words = chosen[:_MAX_EXCERPT].rpartition(" ")[0]  # a name that is cut could not be redacted
    return f"{words or chosen[:_MAX_EXCERPT]}..."


def _nothing_to_convert(series: Series, evidence: Evidence) -> Problem | None:
    """Return the problem of a series without anything to convert; None if an image is expected.

    A kind of object that never has an image gives information; an image object without pixels gives a warning.
    """
    kind, severity = non_image_kind(evidence.classes), Severity.INFO
    if not kind:
        kind, severity = _text_of_objects_without_pixels(evidence), Severity.WARNING
    message = f"contains {kind}, no image."
    return Problem(Code.NOTHING_TO_CONVERT, subject(series), message, severity=severity) if kind else None


def _text_of_objects_without_pixels(evidence: Evidence) -> str:
    """Return number and SOP classes of the objects in words, if all are complete and none has pixel data; else an empty text."""
    if evidence.objects_with_pixels or not evidence.objects_without_pixels or not evidence.is_countable:
        return ""
    classes = ", ".join(sorted(uid for uid in evidence.classes if uid))
    objects = "1 object" if evidence.objects_without_pixels == 1 else f"{evidence.objects_without_pixels} objects"
    return f"{objects} without pixel data" + (f" (SOP class {classes})" if classes else "")


def _judge_failure(
    series: Series, converter: Converter, result: ProcessResult, nothing_to_convert: Problem | None
) -> Judgement:
    """Return NOTHING if there was nothing to convert, and no signal killed the converter; else FAILED."""
    if nothing_to_convert and result.exit_status >= 0:
        return Judgement(State.NOTHING, (), (nothing_to_convert,))
    how = (
        f"was killed by signal {-result.exit_status}."
        if result.exit_status < 0
        else f"ended with status {result.exit_status}."
    )
    return _for_second_attempt(failure(series, converter.name, how, result.stdout))


def _judge_no_image(
    series: Series,
    converter: Converter,
    result: ProcessResult,
    nothing_to_convert: Problem | None,
    unusable: Sequence[tuple[Output, str]],
) -> Judgement:
    """Return NOTHING if there was nothing to convert, and no image file was written; else FAILED."""
    if unusable:
        output, reason = unusable[0]
        judgement = failure(series, converter.name, f"left {output.nifti.name}, but {reason}.", result.stdout)
    elif nothing_to_convert:
        return Judgement(State.NOTHING, (), (nothing_to_convert,))
    else:
        reason = f"ended with status {result.exit_status} and left no image."
        judgement = failure(series, converter.name, reason, result.stdout)
    return _for_second_attempt(judgement)


def _for_second_attempt(judgement: Judgement) -> Judgement:
    """Return a failure with its problems as faults, so that the series is converted again.

    Not used if qxbatch stopped the converter.
    """
    return replace(judgement, faults=tuple(problem.message for problem in judgement.problems))


def _read_headers(outputs: Sequence[Output]) -> tuple[list[tuple[Output, Nifti]], list[tuple[Output, str]]]:
    """Return the usable images with their headers, and the other images with the reason."""
    images: list[tuple[Output, Nifti]] = []
    unusable: list[tuple[Output, str]] = []
    for output in outputs:
        try:
            images.append((output, read_nifti(output.nifti)))
        except (ValueError, OSError) as error:
            unusable.append((output, error_text(error)))
    return images, unusable


def _partial_problem(series: Series, message: str) -> Problem:
    hint = f"See {DICOM}/{converter_log_name(series.n)}; the source files are kept."
    return Problem(Code.CONVERT_PARTIAL, subject(series), message, hint, Severity.WARNING)
