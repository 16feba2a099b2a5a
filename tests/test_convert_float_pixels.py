"""Images of floating-point pixels (FloatPixelData, DoubleFloatPixelData): their values are compared like those of integers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.build.dicom import MrSeries, Syntax, Vendor, encoded
from tests.build.objects import enhanced
from tests.build.outcome import Outcome, converted, read_back

SERIES = MrSeries(volumes=2)
DIFFERENCE = "slices have other values than their DICOM"


def floats(file: Dataset, *, scale: float = 1.5, double: bool = False, syntax: Syntax = Syntax.EXPLICIT) -> Dataset:
    """Return an object with its values times `scale` as floating-point pixels."""
    order = ">" if syntax is Syntax.BIG else "<"
    values = np.frombuffer(file.PixelData, "<u2") * scale
    for keyword in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(file, keyword)
    file.BitsAllocated = 64 if double else 32
    if double:
        file.DoubleFloatPixelData = values.astype(f"{order}f8").tobytes()
    else:
        file.FloatPixelData = values.astype(f"{order}f4").tobytes()
    return read_back(encoded(file, syntax))


def is_right(outcome: Outcome, scale: float) -> bool:
    """Return whether the only image has the values of `SERIES` times `scale`, each at its place."""
    (output,) = outcome.conversion.outputs
    image: Any = nibabel.load(output.nifti)
    source = np.stack([SERIES.volume(volume) for volume in range(SERIES.volumes)])
    expected = source.transpose(3, 2, 1, 0)[:, ::-1] * scale
    return bool(np.allclose(np.asarray(image.dataobj), expected, rtol=1e-6, atol=0))


@pytest.mark.parametrize("syntax", [Syntax.EXPLICIT, Syntax.IMPLICIT, Syntax.BIG])
@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("scale", [1.5, -1e-9])
def test_values_of_classic_files_are_compared(tmp_path: Path, syntax: Syntax, scale: float, *, double: bool) -> None:
    files = [floats(file, scale=scale, double=double, syntax=syntax) for file in SERIES.datasets()]
    outcome = converted(files, tmp_path)
    assert (outcome.warnings, outcome.notes) == ([], [])
    assert is_right(outcome, scale)


@pytest.mark.parametrize("scale", [1.5, 1e-9])
@pytest.mark.parametrize("vendor", [Vendor.SIEMENS, Vendor.PHILIPS])
def test_an_image_with_its_slices_in_another_order_is_for_review(tmp_path: Path, vendor: Vendor, scale: float) -> None:
    """dcm2niix takes the frames of some enhanced objects in another order; such objects cannot be normalized."""
    outcome = converted([floats(enhanced(SERIES.with_(vendor=vendor)), scale=scale)], tmp_path)
    assert is_right(outcome, scale) != any(DIFFERENCE in text for text in outcome.warnings), outcome.warnings


@pytest.mark.parametrize("slopes", [(2.0, 2.0), (2.0, 3.0)])
def test_several_slopes_are_for_review_only_if_the_values_differ(tmp_path: Path, slopes: Sequence[float]) -> None:
    files = [floats(file) for file in SERIES.datasets()]
    for k, file in enumerate(files):
        file.RescaleSlope, file.RescaleIntercept = slopes[k % 2], 0
    outcome = converted(files, tmp_path)
    if slopes[0] == slopes[1]:
        assert (outcome.warnings, is_right(outcome, 3.0)) == ([], True)
    else:
        assert any(DIFFERENCE in text for text in outcome.warnings), outcome.warnings
