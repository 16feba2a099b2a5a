"""Series whose numbers are regular, although other elements say that slices were exchanged."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from tests.build.dicom import encoded
from tests.build.outcome import converted, read_back
from tests.build.slices import Slice, block, check_image, classic, enhanced_object

SCAN = block(places=3, volumes=3)
EXCHANGED = (0, 4, 2, 3, 1, 5, 6, 7, 8)
"""Indices in `SCAN`: the middle slices of the first two volumes are exchanged."""
SHUFFLED = (3, 1, 8, 0, 7, 2, 6, 4, 5)
"""Indices in `SCAN`: each volume has slices of several volumes."""
REVERSED = (6, 7, 8, 3, 4, 5, 0, 1, 2)


def one_object(order: Sequence[int]) -> Dataset:
    """Return an enhanced object without times, in which only DimensionIndexValues say to which volume a frame belongs."""
    dataset = enhanced_object([SCAN[index] for index in order], times=False)
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        del frame.FrameContentSequence[0].TemporalPositionIndex
    return dataset


def read(dataset: Dataset) -> list[Dataset]:
    """Return the only file of a series."""
    return [read_back(encoded(dataset))]


@pytest.mark.parametrize("order", [EXCHANGED, SHUFFLED, REVERSED], ids=["exchanged", "shuffled", "reversed"])
def test_dimension_indices_alone_give_the_volumes(tmp_path: Path, order: Sequence[int]) -> None:
    outcome = converted(read(one_object(order)), tmp_path)
    assert outcome.warnings == []
    check_image(outcome.conversion.outputs[0].nifti, SCAN)


def test_acquisition_numbers_that_count_frames_do_not_give_the_volumes(tmp_path: Path) -> None:
    dataset = one_object(EXCHANGED)
    for number, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence, start=1):
        frame.FrameContentSequence[0].FrameAcquisitionNumber = number
    outcome = converted(read(dataset), tmp_path)
    assert outcome.warnings == []
    check_image(outcome.conversion.outputs[0].nifti, SCAN)


def test_dimension_indices_that_contradict_temporal_positions_are_doubted(tmp_path: Path) -> None:
    dataset = one_object(EXCHANGED)
    for index, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.FrameContentSequence[0].TemporalPositionIndex = index // 3 + 1
    (warning,) = converted(read(dataset), tmp_path).warnings
    assert "slices of several volumes by " in warning


@pytest.mark.parametrize("keyword", ["AcquisitionTime", "ContentTime", "TriggerTime", "TemporalPositionIdentifier"])
def test_classic_slices_with_exchanged_numbers_are_not_mixed(tmp_path: Path, keyword: str) -> None:
    files = classic_files(EXCHANGED, keyword)
    outcome = converted(files, tmp_path)
    assert outcome.warnings == []
    check_image(outcome.conversion.outputs[0].nifti, SCAN)


@pytest.mark.parametrize("is_enhanced", [True, False], ids=["enhanced", "classic"])
def test_exchanged_slices_whose_values_cannot_be_compared_are_not_mixed(tmp_path: Path, is_enhanced: bool) -> None:
    files = read(one_object(EXCHANGED)) if is_enhanced else classic_files(EXCHANGED, "AcquisitionTime")
    for dataset in files:
        dataset.PhotometricInterpretation = "PALETTE COLOR"
    outcome = converted(files, tmp_path)
    assert outcome.warnings == []
    check_image(outcome.conversion.outputs[0].nifti, SCAN)


def test_times_in_the_order_of_interleaved_slices_are_no_exchange(tmp_path: Path) -> None:
    changes = [
        {"AcquisitionTime": f"1015{2 * part.volume:02}.{(4 * round(part.z) + 5) % 7 * 100000:06}"} for part in SCAN
    ]
    slices = [part.with_(changes=values) for part, values in zip(SCAN, changes, strict=True)]
    outcome = converted([read_back(encoded(classic(part, k))) for k, part in enumerate(slices, start=1)], tmp_path)
    assert outcome.warnings == []
    assert outcome.notes == []
    check_image(outcome.conversion.outputs[0].nifti, SCAN)


@pytest.mark.parametrize("keyword", ["TemporalPositionIdentifier", "AcquisitionNumber"])
def test_volumes_that_lost_slices_and_keep_their_number_are_reported(tmp_path: Path, keyword: str) -> None:
    """The second volume lacks its middle slice, and the scan was stopped after the middle slice of the fourth volume."""
    lost = {(1, 0): True, (1, 1): False, (1, 2): True, (3, 0): False, (3, 1): True, (3, 2): False}
    slices = [part for part in block(places=3, volumes=4) if lost.get((part.volume, round(part.z / 2)), True)]
    outcome = converted([numbered(part, k, keyword) for k, part in enumerate(slices, start=1)], tmp_path)
    assert outcome.image_warnings != []


def test_a_slice_of_a_later_temporal_position_is_reported(tmp_path: Path) -> None:
    """The second volume lacks its last slice, and of the third volume only the last slice exists."""
    slices = block(places=3, volumes=3)
    del slices[5:8]
    keyword = "TemporalPositionIdentifier"
    outcome = converted([numbered(part, k, keyword) for k, part in enumerate(slices, start=1)], tmp_path)
    assert "its image: its volume 2 has slices of several volumes by TemporalPositionIndex or " + keyword + "." in (
        outcome.image_warnings
    )


def test_acquisition_numbers_of_groups_of_slices_are_no_exchange(tmp_path: Path) -> None:
    slices = [
        part.with_(changes={"AcquisitionNumber": 2 * part.volume + (1 if part.z < 3 else 2)})
        for part in block(places=3, volumes=3)
    ]
    outcome = converted([read_back(encoded(classic(part, k))) for k, part in enumerate(slices, start=1)], tmp_path)
    assert (outcome.warnings, outcome.notes) == ([], [])


def numbered(part: Slice, number: int, keyword: str) -> Dataset:
    """Return a classic slice of which only InstanceNumber and a number of its volume give the volume."""
    absent = dict.fromkeys(("AcquisitionNumber", "AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime"))
    return read_back(encoded(classic(part, number, {**absent, keyword: part.volume + 1})))


def classic_files(order: Sequence[int], keyword: str) -> list[Dataset]:
    """Return classic slices that are numbered in an order, and of which only one other element gives the volumes."""
    absent = dict.fromkeys(("AcquisitionNumber", "AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime"))
    return [
        read_back(encoded(classic(SCAN[index], number, {**absent, keyword: value_of(SCAN[index], keyword)})))
        for number, index in enumerate(order, start=1)
    ]


def value_of(part: Slice, keyword: str) -> object:
    """Return the value of an element; a time differs between the slices of a volume."""
    if keyword == "TemporalPositionIdentifier":
        return part.volume + 1
    if keyword == "TriggerTime":
        return 100 * part.volume
    return f"1015{2 * part.volume:02}.{round(part.z * 100):06}"
