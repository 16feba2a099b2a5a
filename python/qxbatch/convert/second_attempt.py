"""A second conversion of a DICOM series that dcm2niix did not convert correctly.

It converts normalized copies: the images, rewritten as classic MR images (qxbatch.convert.normalize).
"""

import errno
import os
import shutil
from dataclasses import replace

from qxbatch.convert.attempt import Attempt, ConversionPaths, with_reworded_count
from qxbatch.convert.dcm2niix import Dcm2niix
from qxbatch.convert.evidence import Evidence
from qxbatch.convert.normalized import NORMALIZED_FOLDER, attempt_normalized_conversion
from qxbatch.convert.run import Cancel
from qxbatch.convert.series_problems import note_problem
from qxbatch.model import Series, State

_MAX_EXCERPT = 1 << 15
"""Number of characters that are kept at the beginning, and at the end, of a long log."""


def convert_again(
    series: Series,
    converter: Dcm2niix,
    first: Attempt,
    paths: ConversionPaths,
    evidence: Evidence,
    timeout: float | None,
    cancel: Cancel,
) -> Attempt:
    """Convert normalized copies of a series, and return that attempt if all its images agree with the headers.

    If the first attempt failed, a second one with only some of the images is accepted too. Otherwise the first attempt is
    returned, with its faults. The log contains both attempts. Raises CancelledError, and OSError for errors of the machine.
    """
    copies_evidence = replace(evidence, is_normalized=True)
    second = attempt_normalized_conversion(series, converter, paths, copies_evidence, timeout, cancel)
    if os.strerror(errno.ENOSPC).lower() in second.log.lower():  # the rewriting process prints its errors
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(paths.series_work))
    faults = " / ".join(first.judgement.faults)
    usable = {State.CONVERTED, State.PARTIAL} if first.judgement.state is State.FAILED else {State.CONVERTED}
    if second.judgement.state in usable and not second.judgement.faults:
        shutil.rmtree(paths.series_work / converter.name, ignore_errors=True)
        log = f"{second.log}\nThe first conversion was not used: {faults}\n{_shorten(first.log)}"
        result = "failed" if first.judgement.state is State.FAILED else "gave wrong images"
        message = f"converted from normalized copies, since {converter.name} alone {result}: {faults}"
        judgement = replace(second.judgement, problems=(*second.judgement.problems, note_problem(series, message)))
        return replace(second, judgement=judgement, log=log)
    why = second.judgement.faults or tuple(problem.message for problem in second.judgement.problems)
    shutil.rmtree(paths.series_work / NORMALIZED_FOLDER, ignore_errors=True)
    reason = f"A second conversion from normalized copies was not used: {' / '.join(why)}"
    return replace(first, log=f"{first.log}\n{reason}\n{_shorten(second.log)}")


def _shorten(log: str) -> str:
    """Return the log of a conversion that was not used, its count of files reworded; the middle of a long log is left out."""
    log = with_reworded_count(log)
    if len(log) <= 2 * _MAX_EXCERPT:
        return log
    return f"{log[:_MAX_EXCERPT]}\n... {len(log) - 2 * _MAX_EXCERPT} characters left out ...\n{log[-_MAX_EXCERPT:]}"
