"""Gradient tables and the order of diffusion volumes that a converter changed are reported: United Imaging and classic GE."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from qxbatch.convert.comparison import compare_images
from qxbatch.convert.evidence import header_evidence
from qxbatch.convert.nifti import read_nifti
from qxbatch.core import SeriesFrames
from qxbatch.model import Output
from tests.build.normalized import normalized
from tests.build.outcome import NUMBER, Outcome, converted
from tests.build.sample_series import CLASSIC, MOSAICS
from tests.build.tamper import Files, store

pytestmark = pytest.mark.data

Rows = list[list[float]]
NEGATED: dict[str, Callable[[Rows], Rows]] = {
    "first axis negated": lambda rows: [[-value for value in rows[0]], *rows[1:]],
    "second axis negated": lambda rows: [rows[0], [-value for value in rows[1]], rows[2]],
    "third axis negated": lambda rows: [*rows[:2], [-value for value in rows[2]]],
}
INCONSISTENT: dict[str, Callable[[Rows], Rows]] = {
    "first axes swapped": lambda rows: [rows[1], rows[0], rows[2]],
    "last axes swapped": lambda rows: [rows[0], rows[2], rows[1]],
    "axes rolled": lambda rows: [rows[2], rows[0], rows[1]],
    "volumes rotated": lambda rows: [row[-1:] + row[:-1] for row in rows],
    "two volumes exchanged": lambda rows: [[*row[:2], row[3], row[2], *row[4:]] for row in rows],
    "axis of one volume negated": lambda rows: [[*rows[0][:3], -rows[0][3], *rows[0][4:]], *rows[1:]],
}
"""Changes that contradict the headers with any sign of an axis."""
CORONAL = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]


def faults(outcome: Outcome, root: Path) -> list[str]:
    """Return the faults of the only image, compared again with its headers."""
    return faults_of(outcome.conversion.outputs, root)


def faults_of(outputs: Sequence[Output], root: Path) -> list[str]:
    """Return the faults of the only one of these images, compared with the headers of the series below a folder."""
    (output,) = outputs
    paths = [str(path) for path in sorted((root / "dicom" / str(NUMBER)).iterdir())]
    return list(compare_images([(output, read_nifti(output.nifti))], header_evidence(SeriesFrames(paths))).faults)


def silent(outcome: Outcome, root: Path, changes: dict[str, Callable[[Rows], Rows]]) -> list[str]:
    """Return the changes of the gradient table that the comparison does not report."""
    (output,) = outcome.conversion.outputs
    sound = output.sidecars["bvec"].read_text()
    rows = [[float(word) for word in line.split()] for line in sound.splitlines()]
    unreported = []
    for name, change in changes.items():
        output.sidecars["bvec"].write_text("".join(" ".join(map(str, row)) + "\n" for row in change(rows)))
        if not any("gradient direction of volume" in text for text in faults(outcome, root)):
            unreported.append(name)
    output.sidecars["bvec"].write_text(sound)
    return unreported


def swap_volumes(outcome: Outcome, first: int, second: int) -> None:
    """Exchange two volumes of the only image."""
    (output,) = outcome.conversion.outputs
    image: Any = nib.load(output.nifti)
    voxels = np.asarray(image.dataobj).copy()
    voxels[..., [first, second]] = voxels[..., [second, first]]
    nib.save(nib.Nifti1Image(voxels, image.affine, image.header), output.nifti)


def test_directions_of_united_imaging_are_compared(data: Path, tmp_path: Path) -> None:
    outcome = converted(MOSAICS["uih"].files(data), tmp_path)
    assert faults(outcome, tmp_path) == []
    assert silent(outcome, tmp_path, NEGATED | INCONSISTENT) == []
    swap_volumes(outcome, 1, 2)
    assert any("gradient direction of volume 2" in text for text in faults(outcome, tmp_path))


def ge_series(data: Path, phase_axis: str, orientation: list[float] | None, position: str) -> Files:
    """Return the GE series with a phase axis, an orientation (None: its own, transversal) and a PatientPosition."""
    files = CLASSIC["ge-dti"].files(data)
    locations = sorted({float(file.SliceLocation) for file in files})
    for file in files:
        file.InPlanePhaseEncodingDirection, file.PatientPosition = phase_axis, position
        if orientation is not None:
            file.ImageOrientationPatient = orientation
            normal = np.cross(orientation[:3], orientation[3:])
            file.ImagePositionPatient = list(normal * 3.0 * locations.index(float(file.SliceLocation)))
    return files


@pytest.mark.parametrize(
    ("phase_axis", "orientation", "position", "unknown"),
    [
        ("COL", None, "HFS", False),
        ("ROW", None, "HFS", True),
        ("COL", None, "FFS", True),
        ("COL", CORONAL, "HFS", True),
        ("ROW", CORONAL, "HFS", True),
    ],
)
def test_directions_of_classic_ge_are_compared(
    data: Path, tmp_path: Path, phase_axis: str, orientation: list[float] | None, position: str, *, unknown: bool
) -> None:
    outcome = converted(ge_series(data, phase_axis, orientation, position), tmp_path)
    assert faults(outcome, tmp_path) == []
    copies = normalized(tmp_path / "dicom" / str(NUMBER)).judgement.outputs
    assert faults_of(copies, tmp_path) == []
    assert silent(outcome, tmp_path, INCONSISTENT) == []
    assert silent(outcome, tmp_path, NEGATED) == (list(NEGATED) if unknown else [])


def test_a_classic_ge_volume_without_direction_in_the_table_is_left_out(data: Path, tmp_path: Path) -> None:
    outcome = converted(CLASSIC["ge-dti"].files(data), tmp_path)
    assert silent(outcome, tmp_path, {"zero": lambda rows: [[*row[:3], 0.0, *row[4:]] for row in rows]}) == ["zero"]


def test_classic_ge_directions_without_a_phase_axis_are_not_compared(data: Path, tmp_path: Path) -> None:
    outcome = converted(ge_series(data, "", None, "HFS"), tmp_path)
    assert silent(outcome, tmp_path, INCONSISTENT) == list(INCONSISTENT)


def test_the_order_of_classic_ge_diffusion_volumes_is_compared(data: Path, tmp_path: Path) -> None:
    files = CLASSIC["ge-dti"].files(data)
    for number, file in enumerate(files):  # all pixels of the sample are zero
        store(file, np.arange(file.Rows * file.Columns) % 500 + 100 * number)
    outcome = converted(files, tmp_path)
    assert faults(outcome, tmp_path) == []
    assert read_nifti(outcome.conversion.outputs[0].nifti).volumes > 2
    swap_volumes(outcome, 1, 2)
    assert any("not in the order of the times and numbers" in text for text in faults(outcome, tmp_path))
