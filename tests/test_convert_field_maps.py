"""Field maps of GE and Philips as their scanners write them: correct images need no warning."""

from pathlib import Path
from typing import Any

import nibabel
import pytest
from pydicom.dataset import Dataset

from tests.build.dicom import Vendor, encoded
from tests.build.outcome import converted, read_back
from tests.build.slices import Slice, block, classic

PLACES = 6


def _file(part: Slice, number: int, **changes: object) -> Dataset:
    return read_back(encoded(classic(part, number, changes)))


def _ge(part: Slice, number: int) -> Dataset:
    """Return an image of a GE field map scan: the first volume is a map in Hz, the second one a magnitude image."""
    file = _file(part, number, Manufacturer=Vendor.GE.value, AcquisitionNumber=1, ImagesInAcquisition=2 * PLACES)
    file.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0x9E, "LO", "B0map")
    file.private_block(0x0021, "GEMS_RELA_01", create=True).add_new(0x4F, "SS", PLACES)
    file.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x30, "SS", 0 if part.volume == 0 else 2)
    return file


def test_map_and_magnitude_of_a_ge_field_map_are_separate_images(tmp_path: Path) -> None:
    outcome = converted([_ge(part, k) for k, part in enumerate(block(PLACES, 2), start=1)], tmp_path)
    names = sorted(output.suffix for output in outcome.conversion.outputs)
    assert (names, outcome.warnings, outcome.notes) == (["", "_fieldmaphz"], [], [])


@pytest.mark.parametrize("slope", [1.53455433455433, 1.53455])
def test_the_slope_of_a_philips_phase_image_is_rounded_by_its_intercept(tmp_path: Path, slope: float) -> None:
    """dcm2niix computes the slope as a difference of single-precision values near the intercept."""
    files = []
    kind = ("ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE")
    for number, part in enumerate(block(PLACES, kind=kind, base=3900), start=1):
        file = _file(
            part,
            number,
            Manufacturer=Vendor.PHILIPS.value,
            RescaleSlope=slope,
            RescaleIntercept=-3142,
            RescaleType="mrad",
        )
        block_2005 = file.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block_2005.add_new(0x0D, "FL", 2047.5001220703125)
        block_2005.add_new(0x0E, "FL", 651.739501953125)
        files.append(file)
    outcome = converted(files, tmp_path)
    image: Any = nibabel.load(outcome.conversion.outputs[0].nifti)
    assert abs(image.dataobj.slope * 651.739501953125 - 1) > 1e-5
    assert (outcome.warnings, outcome.notes) == ([], [])
