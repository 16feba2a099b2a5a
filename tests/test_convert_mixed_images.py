"""Images that mix volumes of several kinds: slices of several gradients, components of complex values, repetition times."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.sequence import Sequence as Items

from tests.build.dicom import Syntax, Vendor, encoded
from tests.build.objects import item
from tests.build.outcome import Outcome, converted, converted_source, read_back, source_folder
from tests.build.slices import MAGNITUDE, PHASE, block, classic, enhanced_object
from tests.build.tamper import Files

PLACES = 6
B_VALUES = (0.0, 1000.0, 1000.0, 1000.0, 2000.0)
DIRECTIONS = ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.6, 0.8), (0.48, 0.6, 0.64))
MIXED = "slices of several b-values or gradient directions"
Order = Callable[[int, int], int]
"""The number that an exporter gives to a volume at a place."""


def diffusion(order: Order, empty: Sequence[int] = (), *, acquisitions: bool = False) -> Files:
    """Return a diffusion scan whose InstanceNumbers follow `order`; places in `empty` have no signal.

    With `acquisitions`, the AcquisitionNumbers follow it, too.
    """
    files = []
    for part in block(places=PLACES, volumes=len(B_VALUES)):
        place = round(part.z / 2)
        number = order(part.volume, place)
        changes = {
            "AcquisitionTime": f"1015{2 * part.volume:02}",
            "AcquisitionNumber": number + 1 if acquisitions else 1,
            "DiffusionBValue": B_VALUES[part.volume],
            "DiffusionGradientOrientation": list(DIRECTIONS[part.volume]),
        }
        dataset = classic(part, number * PLACES + place + 1, changes)
        if place in empty:
            dataset.PixelData = bytes(len(dataset.PixelData))
        files.append(read_back(encoded(dataset)))
    return files


def rolled(volume: int, place: int) -> int:
    """Return the number of a volume in an export that starts each place with another volume."""
    return (volume + place) % len(B_VALUES)


def values(outcome: Outcome) -> list[NDArray[Any]]:
    """Return the voxels of each image."""
    images: list[Any] = [nibabel.load(output.nifti) for output in outcome.conversion.outputs]
    return [np.asarray(image.dataobj) for image in images]


def is_whole(outcome: Outcome) -> bool:
    """Return whether all slices of each volume of the only image are of one volume of the scan."""
    (image,) = values(outcome)
    volumes = image.min(axis=(0, 1)) // 300
    return bool((volumes == volumes[0]).all())


def test_slices_that_are_numbered_across_gradients_are_sorted_by_their_gradients(tmp_path: Path) -> None:
    """dcm2niix takes the slices of a volume by InstanceNumber, and writes the gradient of the first one."""
    outcome = converted(diffusion(rolled), tmp_path)
    assert is_whole(outcome)
    assert outcome.warnings == []


def test_a_volume_with_slices_of_several_gradients_is_reported(tmp_path: Path) -> None:
    """No conversion is correct if AcquisitionNumber contradicts the gradients."""
    outcome = converted(diffusion(rolled, acquisitions=True), tmp_path)
    assert is_whole(outcome) or any(MIXED in text for text in outcome.warnings), outcome.warnings


@pytest.mark.parametrize("order", [lambda volume, _: volume, lambda volume, _: len(B_VALUES) - 1 - volume])
def test_slices_without_signal_are_not_compared(tmp_path: Path, order: Order) -> None:
    """Each of them may be of any volume."""
    outcome = converted(diffusion(order, empty=(0, PLACES - 1)), tmp_path)
    assert outcome.warnings == []


@pytest.mark.parametrize("vendor", [Vendor.SIEMENS, Vendor.GE, Vendor.UIH])
def test_components_of_an_enhanced_object_are_separate_images(tmp_path: Path, vendor: Vendor) -> None:
    """dcm2niix makes one image of magnitude and phase of these vendors."""
    phase = [part.with_(volume=1, kind=PHASE) for part in block(PLACES)]
    dataset = enhanced_object(block(PLACES, kind=MAGNITUDE) + phase)
    dataset.Manufacturer = str(vendor)
    outcome = converted([read_back(encoded(dataset))], tmp_path)
    assert [image.shape for image in values(outcome)] == [(6, 8, PLACES)] * 2
    assert outcome.warnings == []


def test_components_of_a_ge_scan_are_separate_images(tmp_path: Path) -> None:
    """ImageType does not name them; (0043,xx2F) is 0 for magnitude, 1 for phase, 2 and 3 for real and imaginary part."""
    files = []
    for number, part in enumerate(block(PLACES, volumes=4, kind=("ORIGINAL", "PRIMARY", "OTHER")), start=1):
        dataset = classic(part, number, {"Manufacturer": str(Vendor.GE), "AcquisitionNumber": 1})
        dataset.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x2F, "SS", part.volume)
        files.append(read_back(encoded(dataset)))
    outcome = converted(files, tmp_path)
    assert [image.shape for image in values(outcome)] == [(6, 8, PLACES)] * 4
    assert outcome.warnings == []


def test_several_repetition_times_in_an_image_are_a_note(tmp_path: Path) -> None:
    dataset = enhanced_object(block(places=PLACES, volumes=2))
    del dataset.SharedFunctionalGroupsSequence[0].MRTimingAndRelatedParametersSequence
    for k, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        timing = item(RepetitionTime=2000.0 if k < PLACES else 3000.0, FlipAngle=77.0)
        frame.MRTimingAndRelatedParametersSequence = Items([timing])
    outcome = converted([read_back(encoded(dataset))], tmp_path)
    expected = "its image: its volumes have repetition times from 2 to 3 s; the JSON can have only one of them."
    assert (outcome.warnings, outcome.notes) == ([], [expected])


@pytest.mark.parametrize("syntax", [Syntax.EXPLICIT, Syntax.RLE])
@pytest.mark.parametrize("is_joined", [False, True])
def test_a_second_object_in_a_file_is_reported(tmp_path: Path, syntax: Syntax, *, is_joined: bool) -> None:
    """Zeros behind an object are padding."""
    files = [encoded(classic(part, number), syntax) for number, part in enumerate(block(PLACES), start=1)]
    source = source_folder(tmp_path)
    for k, data in enumerate(files[:-1]):
        (source / f"{k:04}.dcm").write_bytes(data + (files[-1] if is_joined and k == 0 else bytes(512)))
    expected = (
        "1 file of 5 has another DICOM object behind the first one (joined files); only the first one is in its image."
    )
    assert converted_source(tmp_path).warnings == ([expected] if is_joined else [])


def test_signals_of_a_dixon_scan_in_an_image_are_a_note(tmp_path: Path) -> None:
    kinds = [("ORIGINAL", "PRIMARY", name, name) for name in ("W", "F", "IP", "OP")]
    slices = [part.with_(kind=kinds[part.volume]) for part in block(PLACES, volumes=4)]
    outcome = converted([read_back(encoded(enhanced_object(slices)))], tmp_path)
    expected = (
        "its image: its volumes show several signals of a Dixon scan (ImageType): fat, in phase, out of phase, water."
    )
    assert (outcome.warnings, outcome.notes) == ([], [expected])


def test_derived_volumes_beside_original_ones_in_an_image_are_a_note(tmp_path: Path) -> None:
    kinds = [MAGNITUDE, ("DERIVED", *MAGNITUDE[1:])]
    slices = [part.with_(kind=kinds[part.volume]) for part in block(PLACES, volumes=2)]
    outcome = converted([read_back(encoded(enhanced_object(slices)))], tmp_path)
    expected = "its image: some of its volumes are derived, and others are not (ImageType)."
    assert (outcome.warnings, outcome.notes) == ([], [expected])
