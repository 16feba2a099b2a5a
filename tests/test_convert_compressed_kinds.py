"""Compressed enhanced objects whose values are not compared: of several kinds, or several in one series."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from tests.build.dicom import Vendor, encoded
from tests.build.jpeg_ls import compress
from tests.build.objects import item
from tests.build.outcome import converted, read_back
from tests.build.slices import PHASE, Slice, block, check_image, enhanced_object

PLACES = 4


def compressed(dataset: Dataset, vendor: str, number: int = 1) -> Dataset:
    """Return an enhanced object in JPEG-LS, which is not compared."""
    dataset.Manufacturer = str(vendor)
    dataset.InstanceNumber = number
    return compress(read_back(encoded(dataset)))


def check_converted(files: Sequence[Dataset], folder: Path, images: Sequence[Sequence[Slice]]) -> None:
    """Check that files give these images without a warning."""
    outcome = converted(list(files), folder)
    assert outcome.warnings == []
    assert any("compressed" in note for note in outcome.notes)
    outputs = outcome.conversion.outputs
    assert len(outputs) == len(images)
    for output, slices in zip(outputs, images, strict=True):
        check_image(output.nifti, slices)


@pytest.mark.parametrize("vendor", [Vendor.SIEMENS, Vendor.GE, Vendor.PHILIPS])
def test_a_magnitude_object_and_a_phase_object_are_converted(tmp_path: Path, vendor: Vendor) -> None:
    """dcm2niix 1.0.20260724 wrote bytes of its memory into one of the images."""
    images = [block(PLACES), block(PLACES, kind=PHASE, base=1000)]
    files = []
    for number, slices in enumerate(images, start=1):
        dataset = enhanced_object(slices)
        dataset.ImageType = list(slices[0].kind)
        dataset.ComplexImageComponent = "PHASE" if slices[0].kind == PHASE else "MAGNITUDE"
        files.append(compressed(dataset, vendor, number))
    check_converted(files, tmp_path, images)


@pytest.mark.parametrize("vendor", [Vendor.SIEMENS, Vendor.PHILIPS, Vendor.CANON])
def test_an_object_for_each_cardiac_phase_is_converted(tmp_path: Path, vendor: Vendor) -> None:
    """dcm2niix 1.0.20260724 writes an image for each, and decodes only the first."""
    slices = block(PLACES, volumes=3)
    files = []
    for volume in range(3):
        dataset = enhanced_object([part for part in slices if part.volume == volume])
        for frame in dataset.PerFrameFunctionalGroupsSequence:
            frame.CardiacSynchronizationSequence = Items([item(NominalCardiacTriggerDelayTime=50.0 * volume)])
        files.append(compressed(dataset, vendor, volume + 1))
    check_converted(files, tmp_path, [slices])


@pytest.mark.parametrize("vendor", [Vendor.PHILIPS, "CANON_MEC", "Bruker BioSpin MRI GmbH"])
def test_volumes_of_two_echoes_in_one_object_are_not_mixed(tmp_path: Path, vendor: str) -> None:
    """Only DimensionIndexValues number the volumes: dcm2niix 1.0.20260724 wrote both echoes into each image."""
    echoes = [block(PLACES, volumes=4, echo=10.0), block(PLACES, volumes=4, echo=30.0, base=2000)]
    slices = [part for echo in echoes for part in echo]
    dataset = enhanced_object(slices)
    for part, frame in zip(slices, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        content = frame.FrameContentSequence[0]
        stack, place, volume = content.DimensionIndexValues
        content.DimensionIndexValues = [stack, place, 1 + (part.echo > 20), volume]
        del content.TemporalPositionIndex
    check_converted([compressed(dataset, vendor)], tmp_path, echoes)
