"""Enhanced objects whose pixels have an unusual encoding: their values are not compared, but their frames are in order."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from tests.build.dicom import MrSeries, Vendor, encoded
from tests.build.objects import enhanced
from tests.build.outcome import Outcome, converted, read_back

SERIES = MrSeries(volumes=2)
CHANGES = {
    "palette": {"PhotometricInterpretation": "PALETTE COLOR"},
    "YBR": {"PhotometricInterpretation": "YBR_FULL"},
    "no photometric interpretation": {"PhotometricInterpretation": None},
    "no HighBit": {"HighBit": None},
    "no BitsStored": {"BitsStored": None},
}
NOT_COMPARED = "have an unusual pixel encoding, so the order of these frames was not compared."


def outcome_of(vendor: Vendor, changes: dict[str, Any], root: Path) -> Outcome:
    """Convert `SERIES` as an enhanced object with these changes."""
    return converted([read_back(encoded(enhanced(SERIES.with_(vendor=vendor), changes)))], root)


def is_right(outcome: Outcome) -> bool:
    """Return whether the only image has the values of `SERIES`, each at its place."""
    (output,) = outcome.conversion.outputs
    image: Any = nibabel.load(output.nifti)
    source = np.stack([SERIES.volume(volume) for volume in range(SERIES.volumes)])
    return bool((np.asarray(image.dataobj) == source.transpose(3, 2, 1, 0)[:, ::-1]).all())


@pytest.mark.parametrize("vendor", [Vendor.SIEMENS, Vendor.PHILIPS, Vendor.GE])
@pytest.mark.parametrize("change", CHANGES)
def test_frames_whose_values_are_not_compared_are_in_order(tmp_path: Path, vendor: Vendor, change: str) -> None:
    """dcm2niix mixes the slices of several volumes of some vendors."""
    outcome = outcome_of(vendor, CHANGES[change], tmp_path)
    assert is_right(outcome)
    assert outcome.warnings == []


def test_frames_that_cannot_be_rewritten_are_for_review(tmp_path: Path) -> None:
    outcome = outcome_of(Vendor.SIEMENS, {"BitsStored": 17}, tmp_path)
    assert not is_right(outcome)
    assert any(NOT_COMPARED in text for text in outcome.warnings), outcome.warnings
