"""Images in lossless JPEG are decoded and compared with the converted ones."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from tests.build.dicom import Vendor, encoded
from tests.build.jpeg import compress
from tests.build.outcome import converted, read_back
from tests.build.slices import MAGNITUDE, PHASE, Slice, block, check_image, classic, enhanced_object
from tests.build.tamper import Files

PLACES = 6


def enhanced(slices: list[Slice], vendor: Vendor) -> Files:
    dataset = enhanced_object(slices)
    dataset.Manufacturer = vendor.value
    return [compress(read_back(encoded(dataset)))]


@pytest.mark.parametrize("vendor", [Vendor.PHILIPS, Vendor.CANON, Vendor.GE, Vendor.SIEMENS])
def test_all_volumes_of_an_enhanced_object_are_decoded(tmp_path: Path, vendor: Vendor) -> None:
    """dcm2niix 1.0.20260724 decodes only the first volume: the others had bytes of its memory."""
    slices = block(PLACES, volumes=3)
    outcome = converted(enhanced(slices, vendor), tmp_path)
    assert outcome.warnings == []
    assert not any("not compared" in note for note in outcome.notes)
    (output,) = outcome.conversion.outputs
    check_image(output.nifti, slices)


def test_magnitude_and_phase_of_an_enhanced_object_are_decoded(tmp_path: Path) -> None:
    magnitude, phase = block(PLACES, kind=MAGNITUDE), [part.with_(volume=1, kind=PHASE) for part in block(PLACES)]
    outcome = converted(enhanced(magnitude + phase, Vendor.PHILIPS), tmp_path)
    assert outcome.warnings == []
    images = outcome.conversion.outputs
    assert len(images) == 2
    for output, slices in zip(images, (magnitude, phase), strict=True):
        check_image(output.nifti, slices)


def test_the_values_of_a_classic_series_are_compared(tmp_path: Path) -> None:
    slices = block(PLACES)
    files = [compress(read_back(encoded(classic(part, number)))) for number, part in enumerate(slices, start=1)]
    outcome = converted(files, tmp_path)
    assert (outcome.warnings, outcome.notes) == ([], [])
    (output,) = outcome.conversion.outputs
    check_image(output.nifti, slices)


def test_negative_values_of_less_than_16_bits_are_right(tmp_path: Path) -> None:
    """dcm2niix 1.0.20260724 does not extend their sign."""
    slices = block(PLACES)
    files = [read_back(encoded(classic(part, number))) for number, part in enumerate(slices, start=1)]
    for dataset in files:
        dataset.PixelRepresentation = 1
        cells = (np.frombuffer(dataset.PixelData, "<u2").astype(int) - 200) & 0xFFF
        dataset.PixelData = cells.astype("<u2").tobytes()
    outcome = converted([compress(dataset) for dataset in files], tmp_path)
    assert outcome.warnings == []
    (output,) = outcome.conversion.outputs
    image: Any = nibabel.load(output.nifti)
    expected = [part.pixels.min() - 200 for part in slices]
    assert np.asarray(image.dataobj).min(axis=(0, 1)).tolist() == expected
