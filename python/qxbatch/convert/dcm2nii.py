"""dcm2nii: the legacy program of MRIcron, for sites that still have it."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from qxbatch.convert.converter import Command, ConverterJob, Probe
from qxbatch.convert.decompress import decompress_images
from qxbatch.convert.naming import sidecars_of
from qxbatch.convert.par_files import par_and_rec
from qxbatch.model import Output, SeriesKind

VARIABLE = "QXBATCH_DCM2NII"
"""The environment variable with the path of the program."""
_VERSION = re.compile(r"dcm2nii\D{0,40}?(\d[\w.]*)", re.IGNORECASE)
_COPIES = ("co", "o")
"""Prefixes of its cropped and reoriented copies of an image."""


class Dcm2nii:
    """The legacy converter. It writes no JSON, and its file names contain neither series nor echo."""

    name = "dcm2nii"
    max_seconds_per_file = 1.0

    def __init__(self, binary: Path, version: str) -> None:
        self.binary = binary
        self.version = version

    def command(self, job: ConverterJob) -> Command:
        """Return the call. Every flag takes a value. dcm2nii cannot convert a folder with PAR/REC, so the call names the PAR.

        Raises OSError for PAR/REC without exactly one PAR and one REC.
        """
        source = job.source
        if job.series.kind is SeriesKind.PARREC:
            try:
                source = par_and_rec(job.source)[0]
            except ValueError as error:
                raise OSError(str(error)) from error
        return Command((str(self.binary), "-g", "y", "-v", "n", "-o", str(job.out), str(source)))

    def outputs(self, job: ConverterJob) -> Sequence[Output]:
        """Return the images, without cropped and reoriented copies.

        For diffusion, dcm2nii writes the measured volumes again with the prefix `x`, and the tables belong to that image. Then
        `Output.suffix` of the image of the whole series is `_all`, which is not in its file name.
        """
        decompress_images(job.out)
        niftis = sorted(job.out.glob("*.nii"), key=lambda path: path.name.encode())
        stems = {path.stem for path in niftis}
        originals = [path for path in niftis if not _is_copy(path.stem, stems)]
        return [_output(path, stems) for path in originals]

    def accepts(self, exit_status: int) -> bool:
        """Return whether the output is usable."""
        return exit_status == 0


def _is_copy(stem: str, stems: set[str]) -> bool:
    return any(stem.startswith(prefix) and stem.removeprefix(prefix) in stems for prefix in _COPIES)


def _output(path: Path, stems: set[str]) -> Output:
    """Return an image with its suffix and its tables (`Dcm2nii.outputs`); `stems` are those of all images."""
    # dcm2nii adds a capital letter if a name is used already
    name_without_letter = path.stem[:-1] if path.stem[-1:].isupper() and path.stem[:-1] in stems else path.stem
    if f"x{path.stem}" in stems:
        return Output(path, "_all", {}, name_without_letter)
    sidecars = sidecars_of(path, path.stem)
    if path.stem.startswith("x") and path.stem[1:] in stems and not sidecars:
        sidecars = sidecars_of(path, path.stem[1:])
    return Output(path, "", sidecars, name_without_letter)


def candidates() -> list[Path]:
    """Return where the program may be, the preferred location first."""
    if os.environ.get(VARIABLE):
        return [Path(os.environ[VARIABLE])]
    program = shutil.which("dcm2nii")
    return [Path(program)] if program else []


def find() -> Dcm2nii | None:
    """Return the converter, or None if it is absent."""
    for binary in candidates():
        if binary.is_file() and os.access(binary, os.X_OK):
            return Dcm2nii(binary.absolute(), _version(binary))
    return None


def _version(binary: Path) -> str:
    """Return the version in the help that the program prints without arguments; empty if it prints none."""
    try:
        process = subprocess.run(
            [str(binary.absolute())], capture_output=True, stdin=subprocess.DEVNULL, timeout=30, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    match = _VERSION.search(process.stdout.decode("utf-8", "replace"))
    return match[1] if match else ""


def probe() -> Probe:
    """Return the availability of the converter."""
    converter = find()
    return Probe(
        name="dcm2nii",
        purpose="DICOM and PAR/REC (legacy), only with --tool=dcm2nii",
        location=str(converter.binary) if converter else "",
        version=converter.version if converter else "",
        searched_locations=(f"${VARIABLE}", "dcm2nii on PATH"),
        advice="It comes with MRIcron releases up to 2016 (NITRC); dcm2niix is its successor.",
    )
