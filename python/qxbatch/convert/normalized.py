"""dcm2niix on normalized (rewritten) copies of a series, if it misreads the original headers."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qxbatch.convert.attempt import Attempt, ConversionPaths, attempt_conversion
from qxbatch.convert.converter import Command, ConverterJob
from qxbatch.convert.dcm2niix import Dcm2niix, allocator_settings
from qxbatch.convert.evidence import Evidence
from qxbatch.convert.naming import sidecars_of, suffix_of
from qxbatch.convert.normalize.names import COPIES_FOLDER, PROGRAM_VARIABLE, STACKS_FILE, stack_name
from qxbatch.convert.run import Cancel
from qxbatch.model import Output, Series

NORMALIZED_FOLDER = "normalized"
"""Name of the folder of this attempt in the work folder of the series."""
_SECONDS_PER_FRAME = 0.5
"""Copies take 0.01 s each; a slow disk and a busy CPU take more."""
_MODULE = "qxbatch.convert.normalize"


class NormalizedDcm2niix:
    """Rewrites a DICOM series as regular classic copies (qxbatch.convert.normalize), and passes these to dcm2niix."""

    def __init__(self, dcm2niix: Dcm2niix, frames_per_file: float = 1.0) -> None:
        self.dcm2niix = dcm2niix
        self.max_seconds_per_file = dcm2niix.max_seconds_per_file + _SECONDS_PER_FRAME * frames_per_file
        self.name = dcm2niix.name
        self.version = dcm2niix.version

    def command(self, job: ConverterJob) -> Command:
        """Return the call of the process that rewrites the series, and runs dcm2niix on each stack."""
        folders = (str(job.source), str(job.home / COPIES_FOLDER), str(job.out))
        argv = (sys.executable, "-P", "-m", _MODULE, *folders, "-g", "i", "-z", "n", "-b", "y", "-ba", "y")
        paths = {"PYTHONPATH": ":".join(filter(None, sys.path)), PROGRAM_VARIABLE: str(self.dcm2niix.binary)}
        return Command(argv, {**allocator_settings(), **paths})

    def outputs(self, job: ConverterJob) -> Sequence[Output]:
        """Rename the images to the number of the series and their suffix, and return them in the order of the stacks."""
        path = job.home / STACKS_FILE
        suffixes = json.loads(path.read_text(encoding="ascii")) if path.is_file() else []
        outputs = [
            output
            for k, suggested_suffix in enumerate(suffixes, start=1)
            for output in _stack_outputs(job.out, k, suggested_suffix)
        ]
        return [_rename(output, str(job.series.n), job.out) for output in outputs]

    def accepts(self, exit_status: int) -> bool:
        """Return whether the output is usable after the exit status of dcm2niix or of the rewriting process."""
        return self.dcm2niix.accepts(exit_status)


def attempt_normalized_conversion(
    series: Series,
    dcm2niix: Dcm2niix,
    paths: ConversionPaths,
    evidence: Evidence,
    timeout: float | None,
    cancel: Cancel,
) -> Attempt:
    """Convert normalized copies of a DICOM series in `<series_work>/normalized`, and judge the result.

    An earlier attempt in `<series_work>/dcm2niix` is unchanged. A series that cannot be normalized is a failed attempt, whose
    problem contains the reason.

    Raises CancelledError, and OSError for errors of the machine, as `attempt_conversion` does.
    """
    normalized_paths = ConversionPaths(paths.series_work / NORMALIZED_FOLDER, paths.replacements)
    announced = min(evidence.slices, series.size)  # a frame has at least one byte, whatever NumberOfFrames says
    frames = max(1.0, announced / max(1, series.files))
    return attempt_conversion(series, NormalizedDcm2niix(dcm2niix, frames), normalized_paths, evidence, timeout, cancel)


def _stack_outputs(folder: Path, k: int, suggested_suffix: str) -> list[Output]:
    """Return the images of one stack. An image without a suffix of dcm2niix gets the suggested one."""
    name = stack_name(k)
    niftis = sorted(folder.glob(f"{name}*.nii"), key=lambda path: path.name.encode())
    stems = [path.stem for path in niftis]
    return [
        Output(path, _suffix(suffix_of(path.stem, name, stems), suggested_suffix), sidecars_of(path, path.stem))
        for path in niftis
    ]


def _suffix(suffix: str, suggested_suffix: str) -> str:
    """Return the suffix of dcm2niix, or the suggested one if dcm2niix added none.

    If the suggested suffix has an echo (`_e2`) and that of dcm2niix has none, the echo is put before it.
    """
    if not suffix:
        return suggested_suffix
    echo = suggested_suffix[: suggested_suffix.find("_", 1)] if suggested_suffix.find("_", 1) > 0 else suggested_suffix
    return suffix if not echo.startswith("_e") or suffix.startswith("_e") else echo + suffix


def _rename(output: Output, number: str, folder: Path) -> Output:
    """Rename an image and its sidecars to number, suffix and, if that name is in use, a letter."""
    stems = (f"{number}{output.suffix}{_letters(index)}" for index in range(1 << 16))
    stem = next(stem for stem in stems if not (folder / f"{stem}.nii").exists())
    sidecars = {extension: path.rename(folder / f"{stem}.{extension}") for extension, path in output.sidecars.items()}
    return replace(output, nifti=output.nifti.rename(folder / f"{stem}.nii"), sidecars=sidecars)


def _letters(index: int) -> str:
    """Return what dcm2niix appends to a name that is already used `index` times: nothing, a, b, ... z, aa."""
    letters = ""
    while index > 0:
        index, letter = divmod(index - 1, 26)
        letters = chr(ord("a") + letter) + letters
    return letters
