"""Converts normalized copies of a folder, and checks the result."""

import threading
from collections.abc import Sequence
from pathlib import Path

from qxbatch.convert.attempt import Attempt, ConversionPaths
from qxbatch.convert.dcm2niix import find
from qxbatch.convert.evidence import Evidence
from qxbatch.convert.normalized import attempt_normalized
from qxbatch.model import Series, SeriesKind, State
from tests.build.slices import Slice, check_image


def normalized(folder: Path) -> Attempt:
    """Convert normalized copies of a folder."""
    dcm2niix = find()
    assert dcm2niix is not None
    files = [path for path in folder.iterdir() if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    series = Series(30, SeriesKind.DICOM, {}, len(files), size, folder)
    paths = ConversionPaths(folder.with_name("work"))
    return attempt_normalized(series, dcm2niix, paths, Evidence(countable=False), None, threading.Event())


def check(attempt: Attempt, *images: Sequence[Slice], suffixes: Sequence[str] = ("",)) -> None:
    """Check that an attempt left these images in this order."""
    assert attempt.judgement.state is State.CONVERTED, attempt.log
    assert [output.suffix for output in attempt.judgement.outputs] == list(suffixes)
    for output, slices in zip(attempt.judgement.outputs, images, strict=True):
        check_image(output.nifti, slices)


def failure_of(attempt: Attempt) -> str:
    """Return why an attempt failed."""
    assert attempt.judgement.state is State.FAILED, attempt.log
    (problem,) = attempt.judgement.problems
    return problem.message
