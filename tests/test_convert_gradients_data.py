"""Gradient tables and the order of diffusion volumes that a converter changed are reported: United Imaging and classic GE."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from qxbatch.convert.comparison import compare
from qxbatch.convert.evidence import gather
from qxbatch.convert.nifti import read_nifti
from qxbatch.core import SeriesFrames
from tests.build.outcome import NUMBER, Outcome, converted
from tests.build.sample_series import CLASSIC, MOSAICS
from tests.build.tamper import store

pytestmark = pytest.mark.data

Rows = list[list[float]]
CHANGES: dict[str, Callable[[Rows], Rows]] = {
    "axis negated": lambda rows: [[-value for value in rows[0]], *rows[1:]],
    "axes swapped": lambda rows: [rows[1], rows[0], rows[2]],
    "volumes rotated": lambda rows: [row[-1:] + row[:-1] for row in rows],
}


def faults(outcome: Outcome, root: Path) -> list[str]:
    """Return the faults of the only image, compared again with its headers."""
    (output,) = outcome.conversion.outputs
    paths = [str(path) for path in sorted((root / "dicom" / str(NUMBER)).iterdir())]
    return list(compare([(output, read_nifti(output.nifti))], gather(SeriesFrames(paths))).faults)


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
    (output,) = outcome.conversion.outputs
    sound = output.sidecars["bvec"].read_text()
    for name, change in CHANGES.items():
        rows = [[float(word) for word in line.split()] for line in sound.splitlines()]
        output.sidecars["bvec"].write_text("".join(" ".join(map(str, row)) + "\n" for row in change(rows)))
        assert any("gradient direction of volume" in text for text in faults(outcome, tmp_path)), name
    output.sidecars["bvec"].write_text(sound)
    swap_volumes(outcome, 1, 2)
    assert any("gradient direction of volume 2" in text for text in faults(outcome, tmp_path))


def test_the_order_of_classic_ge_diffusion_volumes_is_compared(data: Path, tmp_path: Path) -> None:
    files = CLASSIC["ge-dti"].files(data)
    for number, file in enumerate(files):  # all pixels of the sample are zero
        store(file, np.arange(file.Rows * file.Columns) % 500 + 100 * number)
    outcome = converted(files, tmp_path)
    assert faults(outcome, tmp_path) == []
    assert read_nifti(outcome.conversion.outputs[0].nifti).volumes > 2
    swap_volumes(outcome, 1, 2)
    assert any("not in the order of the times and numbers" in text for text in faults(outcome, tmp_path))
