"""PAR/REC with tool=auto: nibabel if dcm2niix is known to be wrong; else dcm2niix, compared with the PAR and the REC.

If dcm2niix fails, or its images differ from the pair or are incomplete, nibabel converts the pair again, with a warning.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from qxbatch.convert import nibabel_converter
from qxbatch.convert.attempt import Attempt, ConversionPaths, attempt_conversion, with_reworded_count
from qxbatch.convert.converter import Converter
from qxbatch.convert.judge import failure
from qxbatch.convert.par_checks import disagreement, disagreement_problems, par_evidence
from qxbatch.convert.par_image import lines_outside_grid
from qxbatch.convert.par_order import IncompleteError, labels_or_phases_alternate
from qxbatch.convert.par_pair import ParPair
from qxbatch.convert.par_stacks import orientation_varies, scaling_varies, stack_number
from qxbatch.convert.run import MACHINE_ERRNOS, Cancel
from qxbatch.convert.series_problems import review_problem
from qxbatch.model import Series, State
from qxbatch.os_error import error_text
from qxbatch.settings.model import Tool

_RELIABLE_VERSION = 4.1
"""First PAR version that dcm2niix converts correctly; it misplaces older ones by some millimetres."""
_REASONS: Sequence[tuple[Callable[[ParPair], bool], str]] = (
    (lambda pair: orientation_varies(pair.table), "the slices are in several planes (a survey)"),
    (lambda pair: scaling_varies(pair.table), "the scaling varies from slice to slice"),
    (
        lambda pair: labels_or_phases_alternate(pair.table, pair.header),
        "labels or cardiac phases alternate in the dynamic scans, and dcm2niix reorders them",
    ),
    (lambda pair: not pair.rec.is_in_line_order, "the images of the REC are not in the order of the PAR's lines"),
)
"""Properties of pairs that dcm2niix does not convert correctly, each with the reason in words."""


def convert_par(
    series: Series,
    pair: ParPair,
    paths: ConversionPaths,
    converters: Mapping[str, Converter],
    timeout: float | None,
    cancel: Cancel,
) -> Attempt:
    """Convert one PAR/REC pair with dcm2niix or nibabel, as the module's docstring says.

    Raises CancelledError and OSError, and ValueError when the header of an image cannot be read.
    """
    evidence = par_evidence(pair)
    why = _why_not_dcm2niix(pair)
    first: Attempt | None = None
    if not why:
        first = attempt_conversion(series, converters[Tool.DCM2NIIX.value], paths, evidence, timeout, cancel)
        if first.judgement.state is State.CONVERTED:
            why = disagreement(pair, first.judgement.outputs, cancel)
        else:
            extent = "completely " if first.judgement.state is State.PARTIAL else ""
            why = f"dcm2niix did not convert it {extent}({_reason(first)})"
        if not why:
            return first
    second = attempt_conversion(series, converters[nibabel_converter.NIBABEL], paths, evidence, timeout, cancel)
    disagreements = disagreement_problems(series, pair, nibabel_converter.NIBABEL, second.judgement.outputs, cancel)
    judgement = replace(second.judgement, problems=(*second.judgement.problems, *disagreements))
    return _usable_attempt(series, first, replace(second, judgement=judgement), why)


def failed_attempt(series: Series, error: Exception) -> Attempt:
    """Return the failed conversion of a pair whose PAR or REC caused `error`. Raises `error` if it is an error of the machine."""
    if isinstance(error, OSError) and error.errno in MACHINE_ERRNOS:
        raise error
    # a single file is a PAR or a REC without the other, which the sorting reports (Code.UNPAIRED)
    judgement = failure(
        series, "PAR/REC", f"could not be read: {error_text(error)}.", "", has_other_problem=series.files == 1
    )
    # run_qa of QuNex reads this line in each log, whatever the format of the series
    count_line = f"Found {series.files} DICOM file(s)\n"
    return Attempt(judgement, "", f"{count_line}{judgement.problems[0].text()}\n")


def _usable_attempt(series: Series, first: Attempt | None, second: Attempt, why: str) -> Attempt:
    """Return the attempt with nibabel, or the one with dcm2niix if only dcm2niix wrote images. The log contains both attempts.

    In the log of the first attempt, "Found N DICOM file(s)" is reworded: run_qa of QuNex needs exactly one such line in a log.
    """
    log = second.log if first is None else f"{with_reworded_count(first.log)}{why}\n{second.log}"
    usable = {State.CONVERTED, State.PARTIAL}
    if first is not None and first.judgement.state in usable and second.judgement.state not in usable:
        message = f"dcm2niix's images are kept, since nibabel did not convert it ({_reason(second)}), but {why}."
        return _with_review(series, replace(first, log=log), message)
    if first is None:
        return replace(second, log=f"{why}\n{log}")
    return _with_review(series, replace(second, log=log), f"converted with nibabel: {why}.")


def _with_review(series: Series, attempt: Attempt, message: str) -> Attempt:
    """Return an attempt with a warning added; a failed one is unchanged."""
    if attempt.judgement.state is State.FAILED:
        return attempt
    problems = (*attempt.judgement.problems, review_problem(series, message))
    return replace(attempt, judgement=replace(attempt.judgement, problems=problems))


def _reason(attempt: Attempt) -> str:
    return attempt.judgement.problems[0].message if attempt.judgement.problems else attempt.judgement.state.value


def _why_not_dcm2niix(pair: ParPair) -> str:
    """Return why dcm2niix is known to be wrong for this PAR; empty if nothing is known."""
    if pair.header.version is None or pair.header.version < _RELIABLE_VERSION:
        return f"nibabel is used: dcm2niix misplaces PAR version {pair.header.version or 'unknown'}"
    try:
        why = next((reason for applies, reason in _REASONS if applies(pair)), "") or _why_irregular(pair)
    except ValueError:
        return ""
    return f"nibabel is used: {why}" if why else ""


def _why_irregular(pair: ParPair) -> str:
    """Return why the slices are not in one regular grid; empty if they are, if volumes moved a little, or if it is unknown."""
    try:
        images = pair.images
    except IncompleteError as error:
        return error_text(error)
    except Exception:  # noqa: BLE001  a damaged table raises any of nibabel's and numpy's exceptions; disagreement() reports it
        return ""
    if any(image.incomplete_volumes_text for image in images):
        return "volumes are incomplete"
    if any(stack_number(image.suffix) for image in images):
        return "the slices are in several stacks"
    outside = [lines for image in images if (lines := lines_outside_grid(pair.table, image)) is not None]
    return "slices are outside of the regular grid" if any(not lines.moved_volume_count for lines in outside) else ""
