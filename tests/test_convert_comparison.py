"""Series with wrong, split or doubtful images, for reasons that a single header does not show."""

import math
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom.dataset import Dataset

from qxbatch.convert.comparison import _distance_faults
from qxbatch.convert.extra_images import is_copy_or_overlay
from qxbatch.convert.nifti import Nifti, read_nifti
from qxbatch.convert.order import image_order, natural_sort_key
from qxbatch.model import Output
from tests.build.dicom import Syntax, Vendor, encoded
from tests.build.mosaics import Mosaic
from tests.build.outcome import Outcome, converted, read_back
from tests.build.slices import Slice, block, classic, enhanced_object


def series(slices: list[Slice], **changes: object) -> list[Dataset]:
    """Return slices as classic files, numbered in this order."""
    return [read_back(encoded(classic(part, number, changes))) for number, part in enumerate(slices, start=1)]


def shapes(outcome: Outcome) -> list[tuple[int, ...]]:
    """Return the shapes of the images in order."""
    return [read_nifti(output.nifti).shape for output in outcome.conversion.outputs]


def test_volumes_of_one_scan_with_different_study_times_are_one_image(tmp_path: Path) -> None:
    slices = [part.with_(changes={"StudyTime": f"10150{part.volume}"}) for part in block(volumes=3)]
    outcome = converted(series(slices), tmp_path)
    assert shapes(outcome) == [(6, 8, 6, 3)]
    assert outcome.faults() == []
    assert outcome.warnings == []
    assert any("are volumes of one scan" in note for note in outcome.notes)


def test_a_volume_with_slightly_different_orientations_is_one_image(tmp_path: Path) -> None:
    rotated = (math.cos(0.003), math.sin(0.003), 0.0, -math.sin(0.003), math.cos(0.003), 0.0)
    slices = [part.with_(orientation=rotated) if part.z >= 6 else part for part in block()]
    outcome = converted(series(slices), tmp_path)
    assert shapes(outcome) == [(6, 8, 6)]
    assert outcome.warnings == []


def test_volumes_that_moved_give_a_note(tmp_path: Path) -> None:
    slices = [part.with_(z=part.z + 0.12 * part.volume) for part in block(volumes=4)]
    outcome = converted(series(slices), tmp_path)
    assert shapes(outcome) == [(6, 8, 6, 4)]
    assert outcome.warnings == []
    assert any("prospective motion correction" in note for note in outcome.notes)


@pytest.mark.parametrize("distance", [1e-4, 0.02])
def test_volumes_of_one_slice_with_rounded_positions_are_volumes(tmp_path: Path, distance: float) -> None:
    outcome = converted(series([Slice(0.0), Slice(distance, volume=1)]), tmp_path)
    assert shapes(outcome) == [(6, 8, 1, 2)]
    assert outcome.warnings == []


def test_slices_that_are_almost_at_one_position_give_a_warning(tmp_path: Path) -> None:
    outcome = converted(series([Slice(0.0), Slice(0.12, volume=1)]), tmp_path)
    assert any("only 0.1 mm apart" in text for text in outcome.warnings)


def test_adjacent_slabs_are_not_motion(tmp_path: Path) -> None:
    files = [read_back(encoded(enhanced_object(block()))), read_back(encoded(enhanced_object(slab_above())))]
    files[1].InstanceNumber = 2
    outcome = converted(files, tmp_path)
    assert outcome.faults() == []
    assert not any("prospective" in note for note in outcome.notes)


def slab_above() -> list[Slice]:
    """Return the slab above the first one."""
    return [part.with_(z=part.z + 12) for part in block()]


def test_volumes_without_an_order_give_a_warning(tmp_path: Path) -> None:
    files = series(block(volumes=3), AcquisitionNumber=1, Manufacturer="GE MEDICAL SYSTEMS")
    for number, dataset in enumerate(files):
        dataset.InstanceNumber = number % 6 + 1
    outcome = converted(files, tmp_path)
    assert any("gives the order of its volumes" in warning for warning in outcome.warnings)


def test_volumes_with_descending_instance_numbers_are_in_the_order_of_their_times(tmp_path: Path) -> None:
    """As after an archive gave the files other instance numbers."""
    slices = [part.with_(changes={"AcquisitionTime": f"10150{part.volume}"}) for part in block(volumes=3)]
    files = series(slices, AcquisitionNumber=1)
    for number, dataset in enumerate(files):
        dataset.InstanceNumber = len(files) - number
    outcome = converted(files, tmp_path)
    assert shapes(outcome) == [(6, 8, 6, 3)]
    assert outcome.faults() == []
    assert outcome.warnings == []
    assert any("order of the times and numbers" in note for note in outcome.notes)
    image: Any = nibabel.load(outcome.conversion.outputs[0].nifti)
    first_volume = np.sort(np.concatenate([dataset.pixel_array.ravel() for dataset in files[:6]]))
    assert np.array_equal(np.sort(np.asarray(image.dataobj)[..., 0].ravel()), first_volume)


def repeated(slices: list[Slice], first: int) -> list[Slice]:
    """Return the slices with one repeated, in the place of the last one at its position; the others are moved up."""
    here = [k for k, part in enumerate(slices) if part.z == slices[first].z and k >= first]
    places = dict(zip(here[1:], here, strict=False))
    return [slices[places.get(k, k)] for k in range(len(slices))]


@pytest.mark.parametrize("vendor", [Vendor.SIEMENS, Vendor.PHILIPS])
@pytest.mark.parametrize("by_time", [False, True])
@pytest.mark.parametrize("by_place", [False, True])
def test_a_repeated_slice_in_the_place_of_a_missing_one_gives_a_warning(
    tmp_path: Path, vendor: Vendor, by_time: bool, by_place: bool
) -> None:
    slices = block(places=3, volumes=3)
    if by_time:
        changes = [{"AcquisitionNumber": 1, "AcquisitionTime": f"10150{k}.25"} for k in range(3)]
        slices = [part.with_(changes=changes[part.volume]) for part in slices]
    if by_place:
        slices.sort(key=lambda part: (part.z, part.volume))
    outcome = converted(series(repeated(slices, 0), Manufacturer=vendor.value), tmp_path)
    assert outcome.warnings


@pytest.mark.parametrize("column", [0, 5])
def test_a_different_pixel_sign_outside_the_centre_is_handled(tmp_path: Path, column: int) -> None:
    files = series(block())
    for dataset in files[::2]:
        pixels = np.frombuffer(dataset.PixelData, "<i2").reshape(8, 6).copy()
        pixels[0, column] = -1000
        dataset.PixelData = pixels.tobytes()
        dataset.PixelRepresentation, dataset.BitsStored, dataset.HighBit = 1, 16, 15
    outcome = converted(files, tmp_path)
    assert outcome.faults() == []
    assert outcome.warnings == []


@pytest.mark.parametrize("vendor", [Vendor.CANON, Vendor.PHILIPS])
def test_compressed_frames_stored_slice_by_slice_are_converted(tmp_path: Path, vendor: Vendor) -> None:
    slices = sorted(block(volumes=3), key=lambda part: (part.z, part.volume))
    dataset = enhanced_object(slices)
    dataset.Manufacturer = vendor.value
    outcome = converted([read_back(encoded(dataset, Syntax.RLE))], tmp_path)
    assert outcome.faults() == []
    assert outcome.warnings == []


def test_a_mosaic_with_a_changed_image_type_is_recognised(tmp_path: Path) -> None:
    files = [read_back(encoded(dataset)) for dataset in Mosaic(vendor=Vendor.SIEMENS).datasets()]
    for dataset in files:
        dataset.ImageType = ["DERIVED", "SECONDARY"]
    outcome = converted(files, tmp_path)
    assert outcome.warnings == []


@pytest.mark.parametrize("has_direction", [True, False])
def test_gradient_warnings_are_notes_if_the_headers_prove_the_directions(
    tmp_path: Path, *, has_direction: bool
) -> None:
    """The slices follow each other against the normal of their plane, so that dcm2niix warns of a negative determinant."""
    datasets = Mosaic(b_values=(0, 1000, 1000)).datasets()
    for dataset in datasets:
        csa = dataset.private_block(0x0029, "SIEMENS CSA HEADER")[0x10]
        csa.value = csa.value.replace(b"1.00000000", b"-1.0000000", 1)
        block = dataset.private_block(0x0019, "SIEMENS MR HEADER")
        if 0x0E in block and not has_direction:
            del block[0x0E]
    outcome = converted([read_back(encoded(dataset)) for dataset in datasets], tmp_path)
    messages = outcome.notes if has_direction else outcome.warnings
    assert any("negative determinant" in message for message in messages)
    assert not has_direction or outcome.warnings == []


def test_a_mosaic_without_any_marker_gives_a_warning(tmp_path: Path) -> None:
    files = [read_back(encoded(dataset)) for dataset in Mosaic(vendor=Vendor.SIEMENS).datasets()]
    for dataset in files:
        dataset.remove_private_tags()
        dataset.ImageType = ["DERIVED", "SECONDARY"]
        dataset.AcquisitionMatrix = [0, dataset.Columns // 3, dataset.Rows // 3, 0]
    outcome = converted(files, tmp_path)
    assert any("they may be mosaics" in warning for warning in outcome.warnings)


def test_renamed_private_creators_change_nothing(tmp_path: Path) -> None:
    files = [read_back(encoded(dataset)) for dataset in Mosaic(vendor=Vendor.SIEMENS).datasets()]
    for dataset in files:
        for group in (0x0019, 0x0029):
            if (group, 0x0010) in dataset:
                dataset[group, 0x0010].value = "ANONYMIZED"
    assert converted(files, tmp_path).warnings == []


def test_parts_of_one_scan_are_one_image(tmp_path: Path) -> None:
    slices = [part.with_(changes={"SeriesInstanceUID": f"1.2.3.{part.volume}"}) for part in block(volumes=3)]
    outcome = converted(series(slices, Manufacturer="TOSHIBA"), tmp_path)
    assert shapes(outcome) == [(6, 8, 6, 3)]
    assert outcome.faults() == []
    assert outcome.warnings == []


def test_a_file_with_an_impossible_number_of_frames_gives_a_warning(tmp_path: Path) -> None:
    dataset = series(block(places=1))[0]
    dataset.NumberOfFrames = 2147483647
    outcome = converted([dataset], tmp_path)
    assert outcome.warnings != []


def test_objects_without_pixel_data_give_no_image(tmp_path: Path) -> None:
    dataset = series(block(places=1))[0]
    dataset.SOPClassUID = "1.2.840.113619.4.26"
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(dataset, keyword)
    outcome = converted([dataset], tmp_path)
    assert outcome.conversion.state.value == "nothing to convert"


def image(folder: Path, name: str, shape: tuple[int, ...], voxel: float = 2.0) -> Any:
    """Write an image and return it as a converter's output."""
    path = folder / f"{name}.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros(shape, np.int16), np.diag([voxel, voxel, 2, 1])), path)
    return Output(path, "", {}), read_nifti(path)


def test_clash_letters_do_not_determine_the_order(tmp_path: Path) -> None:
    small, large = image(tmp_path, "30a", (4, 4, 3)), image(tmp_path, "30", (8, 8, 3))
    assert image_order([large, small], [1, 5]) == [1, 0]
    early, late = image(tmp_path, "30c", (4, 4, 3)), image(tmp_path, "30b", (4, 4, 3))
    assert image_order([late, early], [9, 2]) == [1, 0]


def test_digits_are_sorted_as_numbers() -> None:
    assert sorted(["_e10", "_e9", "_ph", "", "_e1"], key=natural_sort_key) == ["", "_e1", "_e9", "_e10", "_ph"]


@pytest.mark.parametrize("suffix", ["_Eq", "_Eq_1", "_e1_Eq_1", "_Tilt_1", "_ROI1", "_e2_Crop"])
def test_copies_are_recognised_by_any_suffix(suffix: str) -> None:
    assert is_copy_or_overlay(suffix)
    assert not is_copy_or_overlay(
        suffix.replace("Eq", "e3").replace("Tilt", "t").replace("ROI", "r").replace("Crop", "c")
    )


@pytest.mark.parametrize("count", [2, 6])
def test_a_rescale_slope_of_zero_is_reported(tmp_path: Path, count: int) -> None:
    files = series(block())
    for number, dataset in enumerate(files):
        dataset.RescaleSlope, dataset.RescaleIntercept = "0" if number < count else "1", "-10"
    warnings = converted(files, tmp_path).warnings
    assert any(f"RescaleSlope is 0 in {count} of 6 frames" in warning for warning in warnings), warnings


def test_another_rescale_slope_is_not_reported(tmp_path: Path) -> None:
    outcome = converted(series(block(), RescaleSlope="0.5", RescaleIntercept="0"), tmp_path)
    assert outcome.warnings == []


@pytest.mark.parametrize(
    ("slices", "dimensions", "frame", "other"),
    [
        ([Slice(0.0), Slice(2.0, volume=1), Slice(0.0, volume=1), Slice(2.0, volume=1)], False, 4, 2),
        ([Slice(0.0, volume=1), Slice(0.0, volume=1), Slice(0.0)], True, 2, 1),
    ],
    ids=["instead of another frame", "first"],
)
def test_a_repeated_frame_of_an_enhanced_object_is_doubted(
    tmp_path: Path, slices: list[Slice], dimensions: bool, frame: int, other: int
) -> None:
    outcome = converted([read_back(encoded(enhanced_object(slices, dimensions=dimensions, times=False)))], tmp_path)
    text = " ".join(outcome.warnings)
    assert (
        f"1 slice of {len(slices)} repeats values, place, times and numbers of another one (frame {frame} of " in text
    )
    assert f"those of frame {other}): volumes may" in text


def test_a_classic_slice_that_is_a_copy_of_another_volume_is_doubted(tmp_path: Path) -> None:
    slices = block(places=4, volumes=3)
    slices[5] = slices[9]  # at the same place, in the next volume
    unnumbered = dict.fromkeys(("AcquisitionNumber", "AcquisitionDate", "AcquisitionTime", "ContentTime"))
    outcome = converted(series(slices, **unnumbered), tmp_path)
    assert any("1 slice of 12 repeats values, place, times and numbers" in text for text in outcome.warnings)


def test_volumes_that_are_copies_as_a_whole_are_not_doubted(tmp_path: Path) -> None:
    slices = [part.with_(base=-300 * part.volume) for part in block(places=3, volumes=3)]
    outcome = converted(series(slices, AcquisitionNumber=None), tmp_path)
    assert shapes(outcome) == [(6, 8, 3, 3)]
    assert not any("repeat" in text for text in outcome.warnings)


def without_temporal_positions(slices: list[Slice]) -> list[Dataset]:
    """Return an enhanced object without times, in which only DimensionIndexValues say to which volume a frame belongs."""
    dataset = enhanced_object(slices, times=False)
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        del frame.FrameContentSequence[0].TemporalPositionIndex
    return [read_back(encoded(dataset))]


def test_frames_of_equal_values_with_other_dimension_indices_are_not_doubted(tmp_path: Path) -> None:
    masks = [part.with_(base=-300 * part.volume) for part in block(places=3, volumes=2)]
    outcome = converted(without_temporal_positions(masks), tmp_path)
    assert shapes(outcome) == [(6, 8, 3, 2)]
    assert outcome.warnings == []


def test_the_number_of_a_frame_in_an_irregular_order_does_not_prove_its_volume(tmp_path: Path) -> None:
    ordered = block(places=3, volumes=2)
    dataset = enhanced_object([ordered[k] for k in (0, 4, 3, 2, 1, 5)], dimensions=False, times=False)
    outcome = converted([read_back(encoded(dataset))], tmp_path)
    assert any("no time or number in its headers gives the order of its volumes" in text for text in outcome.warnings)


def test_empty_frames_at_the_place_of_other_empty_frames_are_not_doubted(tmp_path: Path) -> None:
    dataset = enhanced_object(block(places=3, volumes=2), dimensions=False, times=False)
    frames = np.frombuffer(dataset.PixelData, "<u2").reshape(6, -1).copy()
    frames[[0, 3]] = 0
    dataset.PixelData = frames.tobytes()
    outcome = converted([read_back(encoded(dataset))], tmp_path)
    assert shapes(outcome) == [(6, 8, 3, 2)]
    assert outcome.warnings == []


def test_a_missing_frame_of_the_second_echo_is_reported(tmp_path: Path) -> None:
    echoes = ((10.0, 1000), (30.0, 0))
    slices = [part for echo, base in echoes for part in block(places=2, volumes=2, echo=echo, base=base)][1:]
    outcome = converted([read_back(encoded(enhanced_object(slices, dimensions=False)))], tmp_path)
    assert outcome.warnings[-1] == "incomplete: 2 volumes, 1 complete, 1 slice missing before the last volume."


@pytest.mark.parametrize("shape", [(5,), (5, 4), (5, 4, 1), (5, 4, 3)])
def test_the_distance_of_slices_is_judged_only_for_several_slices(shape: tuple[int, ...]) -> None:
    affine = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 0.01, 0.0))
    assert len(_distance_faults(Nifti(shape, affine))) == (shape == (5, 4, 3))
