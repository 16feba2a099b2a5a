"""The outcome of converting changed files: its warnings, and whether its images are correct."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom

from qxbatch.convert.available import find_converters
from qxbatch.convert.series import convert_series
from qxbatch.model import Conversion, Series, SeriesKind, Value
from qxbatch.problems import Code, Severity
from qxbatch.settings.model import Stages, Tool
from tests.build.normalized import normalizing_in_forks
from tests.build.proof import faults_of
from tests.build.tamper import Change, Files

DOUBTS = (Code.CONVERT_REVIEW, Code.CONVERT_PARTIAL, Code.CONVERT_FAILED)
NUMBER = 30


@dataclass(frozen=True)
class ConverterSettings:
    """The settings for a conversion."""

    tool: Tool = Tool.AUTO
    fallback: Tool | None = None
    dicm2nii_dir: Path | None = None
    timeout: float | None = None
    stages: Stages = Stages.ALL


@dataclass(frozen=True)
class Outcome:
    """A conversion with the files that it read."""

    conversion: Conversion
    files: Files

    @property
    def warnings(self) -> list[str]:
        """Return the messages that ask for a review."""
        return [problem.message for problem in self.conversion.problems if problem.severity is not Severity.INFO]

    @property
    def image_warnings(self) -> list[str]:
        """Return the warnings except the verdict that the scan is incomplete."""
        return [text for text in self.warnings if not text.startswith("incomplete: ")]

    @property
    def notes(self) -> list[str]:
        """Return the remarks that need no action."""
        return [problem.message for problem in self.conversion.problems if problem.severity is Severity.INFO]

    def faults(self, *, places: bool = True) -> list[str]:
        """Return the faults of the images, by pydicom and nibabel alone."""
        images = [output.nifti for output in self.conversion.outputs]
        return faults_of(self.files, images, places=places) if images else ["there is no image"]

    @property
    def is_doubted(self) -> bool:
        """Return whether a warning names the difference with numbers."""
        return any(
            problem.code in DOUBTS and problem.severity is not Severity.INFO and re.search(r"\d", problem.message)
            for problem in self.conversion.problems
        )

    def b_values(self) -> list[list[float]]:
        """Return the b-values of each image that has them."""
        sidecars = [output.sidecars for output in self.conversion.outputs]
        return [[float(b) for b in paths["bval"].read_text().split()] for paths in sidecars if "bval" in paths]


def converted(files: Files, root: Path) -> Outcome:
    """Write files as one series below a folder, and convert it."""
    source = source_folder(root)
    for k, file in enumerate(files):
        file.save_as(source / f"{k:04}.dcm", enforce_file_format=False)
    return converted_source(root)


def source_folder(root: Path) -> Path:
    """Make the folder of a series below a folder, and return it."""
    source = root / "dicom" / str(NUMBER)
    source.mkdir(parents=True)
    return source


def converted_source(root: Path) -> Outcome:
    """Convert the files in `source_folder`."""
    source = root / "dicom" / str(NUMBER)
    files: Files = [pydicom.dcmread(path, force=True) for path in sorted(source.iterdir())]
    settings: Any = ConverterSettings()
    header: dict[str, Value] = {
        "SeriesNumber": str(files[0].get("SeriesNumber", "")),
        "SeriesDescription": str(files[0].get("SeriesDescription", "")),
    }
    size = sum(path.stat().st_size for path in source.iterdir())
    series = Series(NUMBER, SeriesKind.DICOM, header, len(files), size, source)
    with normalizing_in_forks():
        conversion = convert_series(series, settings, root / "work", find_converters(settings), threading.Event())
    return Outcome(conversion, files)


def read_back(data: bytes) -> pydicom.dataset.Dataset:
    """Return a file of the builders as pydicom reads it."""
    return pydicom.dcmread(BytesIO(data), force=True)


def wrong_outcomes(
    original: Callable[[], Files], changes: Mapping[str, Change], root: Path, complete: frozenset[str] = frozenset()
) -> dict[str, tuple[list[str], list[str]]]:
    """Convert a series once for each change, and return the changes with a wrong outcome: faults and warnings.

    An outcome is wrong if an image is wrong without a warning that has numbers, or if there is a warning about a correct
    image and the name of the change is in `complete`. `original()` returns the files again.
    """
    outcomes = {}
    for name, change in changes.items():
        files = change(original())
        if files is None:
            continue
        outcome = converted(files, root / name)
        faults = outcome.faults(places=name != "moved-volume")
        silent = bool(faults) and not outcome.is_doubted
        needless = not faults and name in complete and bool(outcome.image_warnings)
        if silent or needless:
            outcomes[name] = (faults[:2], outcome.warnings)
    return outcomes
