"""Converts normalized copies of a folder, and checks the result."""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest.mock import patch

from qxbatch.convert import attempt as attempts
from qxbatch.convert.attempt import Attempt, ConversionPaths
from qxbatch.convert.converter import Command
from qxbatch.convert.dcm2niix import allocator_settings, find
from qxbatch.convert.evidence import Evidence
from qxbatch.convert.normalized import attempt_normalized_conversion
from qxbatch.convert.run import Cancel, ProcessLimits, ProcessResult, environment, run
from qxbatch.model import Series, SeriesKind, State
from tests.build.command_server import CommandServer
from tests.build.slices import Slice, check_image


def normalized(folder: Path) -> Attempt:
    """Convert normalized copies of a folder."""
    dcm2niix = find()
    assert dcm2niix is not None
    files = [path for path in folder.iterdir() if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    series = Series(30, SeriesKind.DICOM, {}, len(files), size, folder)
    paths = ConversionPaths(folder.with_name("work"))
    with normalizing_in_forks():
        return attempt_normalized_conversion(
            series, dcm2niix, paths, Evidence(is_countable=False), None, threading.Event()
        )


MODULE = "qxbatch.convert.normalize"


@contextmanager
def normalizing_in_forks() -> Iterator[None]:
    """Rewrite series in forks of a process that has imported pydicom; other programs run as usual."""
    with patch.object(attempts, "run", _run):
        yield


def _run(command: Command, out: Path, home: Path, limits: ProcessLimits, cancel: Cancel) -> ProcessResult:
    variables = environment(home, command.env)
    if MODULE not in command.argv or not _server().can_run(variables):
        return run(command, out, home, limits, cancel)
    words = command.argv[command.argv.index(MODULE) + 1 :]
    status, printed, errors = _server().run(MODULE, words, variables, out, int(limits.seconds))
    return ProcessResult(status, printed + errors)


@cache
def _server() -> CommandServer:
    """Return this process's server for normalized copies, with the environment of a converter."""
    return CommandServer(
        ("convert.normalize.copies", "convert.normalize.weightings"),
        environment(Path.cwd(), {**allocator_settings(), "PYTHONPATH": ":".join(filter(None, sys.path))}),
    )


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
