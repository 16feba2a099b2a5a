"""Series whose numbers are regular, although other elements say that slices were exchanged."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from tests.build.dicom import encoded
from tests.build.objects import item
from tests.build.outcome import Outcome, converted, read_back
from tests.build.slices import PHASE, Slice, block, check_image, classic, enhanced_object

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


def without_volumes(slices: Sequence[Slice]) -> Dataset:
    """Return an enhanced object in which no element but the order of the frames gives the volumes."""
    return enhanced_object(slices, dimensions=False, times=False)


def with_time_offset(frame: Dataset, volume: int) -> None:
    """Add TemporalPositionTimeOffset."""
    frame.TemporalPositionSequence = Items([item(TemporalPositionTimeOffset=2.0 * volume)])


def with_stack_id(frame: Dataset, volume: int) -> None:
    """Add StackID."""
    frame.FrameContentSequence[0].StackID = str(volume + 1)


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


@pytest.mark.parametrize("order", [EXCHANGED, SHUFFLED], ids=["exchanged", "shuffled"])
@pytest.mark.parametrize("add", [with_time_offset, with_stack_id])
def test_one_element_of_the_frames_gives_the_volumes(
    tmp_path: Path, add: Callable[[Dataset, int], None], order: Sequence[int]
) -> None:
    dataset = without_volumes([SCAN[index] for index in order])
    for index, frame in zip(order, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        add(frame, SCAN[index].volume)
    outcome = converted(read(dataset), tmp_path)
    assert outcome.warnings == []
    check_volumes(outcome.conversion.outputs[0].nifti)


def check_volumes(path: Path) -> None:
    """Check that each volume of an image has the slices of one volume of `SCAN`, in any order."""
    image: Any = nibabel.load(path)
    volumes = np.asarray(image.dataobj).min(axis=(0, 1)) // 300
    assert sorted(volumes[0].tolist()) == [0, 1, 2]
    assert (volumes == volumes[0]).all()


def test_time_offsets_give_the_order_of_the_volumes(tmp_path: Path) -> None:
    dataset = without_volumes([SCAN[index] for index in REVERSED])
    for index, frame in zip(REVERSED, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        with_time_offset(frame, SCAN[index].volume)
    outcome = converted(read(dataset), tmp_path)
    assert outcome.warnings == []
    check_image(outcome.conversion.outputs[0].nifti, SCAN)


@pytest.mark.parametrize("indices", [(1, 2, 3), (3, 2, 1)], ids=["rising", "falling"])
def test_dimension_indices_of_one_object_for_each_volume_give_their_order(
    tmp_path: Path, indices: Sequence[int]
) -> None:
    files = []
    for volume, index in enumerate(indices):
        dataset = enhanced_object([part for part in SCAN if part.volume == volume], times=False)
        dataset.InstanceNumber = volume + 1
        for frame in dataset.PerFrameFunctionalGroupsSequence:
            content = frame.FrameContentSequence[0]
            del content.TemporalPositionIndex
            content.DimensionIndexValues = [*content.DimensionIndexValues[:2], index]
        files.append(read_back(encoded(dataset)))
    outcome = converted(files, tmp_path)
    assert outcome.warnings == []
    scan = [part.with_(base=300 * (part.volume - (index := indices[part.volume] - 1)), volume=index) for part in SCAN]
    check_image(outcome.conversion.outputs[0].nifti, scan)


def parts(places: int, volumes: int, size: int, *, counted: bool, concatenated: bool) -> list[Dataset]:
    """Return enhanced objects of `size` frames of one scan: only their order gives the volumes.

    `counted`: whether each has its own InstanceNumber. `concatenated`: whether they are parts of a concatenation.
    """
    scan = block(places=places, volumes=volumes)
    files = []
    for number, start in enumerate(range(0, len(scan), size)):
        dataset = without_volumes(scan[start : start + size])
        dataset.InstanceNumber = number + 1 if counted else 1
        if concatenated:
            dataset.ConcatenationUID = "1.2.3.77"
            dataset.InConcatenationNumber = number + 1
            dataset.ConcatenationFrameOffsetNumber = start
        files.append(read_back(encoded(dataset)))
    return files[::-1]


@pytest.mark.parametrize(("counted", "concatenated"), [(False, True), (True, True), (True, False)])
@pytest.mark.parametrize(("places", "volumes", "size"), [(3, 3, 3), (3, 4, 6), (4, 3, 6), (3, 5, 5)])
def test_frames_are_numbered_through_all_objects(
    tmp_path: Path, places: int, volumes: int, size: int, *, counted: bool, concatenated: bool
) -> None:
    outcome = converted(parts(places, volumes, size, counted=counted, concatenated=concatenated), tmp_path)
    assert outcome.warnings == []
    check_image(outcome.conversion.outputs[0].nifti, block(places=places, volumes=volumes))


def test_a_concatenation_that_is_cut_within_a_volume_is_complete(tmp_path: Path) -> None:
    """A file is no volume: its slices were taken for those of a volume that moved, and others for missing ones."""
    slices = [*block(places=4, kind=PHASE, base=1000), *block(places=4)]
    files = []
    for number, (start, end) in enumerate([(0, 3), (3, 8)], start=1):
        dataset = enhanced_object(slices[start:end])
        dataset.ConcatenationUID = "1.2.3.77"
        dataset.InConcatenationNumber = number
        dataset.ConcatenationFrameOffsetNumber = start
        files.append(read_back(encoded(dataset)))
    outcome = converted(files, tmp_path)
    assert (outcome.faults(), outcome.warnings) == ([], [])


@pytest.mark.parametrize(("places", "volumes", "size"), [(3, 3, 3), (3, 4, 6), (4, 3, 6), (3, 5, 5)])
def test_objects_without_an_order_are_doubted(tmp_path: Path, places: int, volumes: int, size: int) -> None:
    outcome = converted(parts(places, volumes, size, counted=False, concatenated=False), tmp_path)
    assert outcome.warnings != []


@pytest.mark.parametrize(
    "keyword",
    ["AcquisitionTime", "AcquisitionDateTime", "ContentTime", "TriggerTime", "TemporalPositionIdentifier"],
)
def test_classic_slices_with_exchanged_numbers_are_not_mixed(tmp_path: Path, keyword: str) -> None:
    files = classic_files(EXCHANGED, keyword)
    outcome = converted(files, tmp_path)
    assert outcome.warnings == []
    check_image(outcome.conversion.outputs[0].nifti, SCAN)


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("EchoNumbers", (1, 2, 3)),
        ("InversionTime", (100, 400, 700)),
        ("ImageType", tuple(["ORIGINAL", "PRIMARY", "M", signal] for signal in ("W", "F", "IP"))),
        ("StackID", ("1", "2", "3")),
    ],
)
def test_labels_show_exchanged_slices(tmp_path: Path, keyword: str, values: Sequence[object]) -> None:
    files = classic_files(EXCHANGED, "")
    for dataset, index in zip(files, EXCHANGED, strict=True):
        setattr(dataset, keyword, values[SCAN[index].volume])
    check_not_mixed(converted(files, tmp_path))


@pytest.mark.parametrize(
    ("manufacturer", "group", "creator", "element", "vr"),
    [
        ("Philips Medical Systems", 0x2005, "Philips MR Imaging DD 001", 0xA0, "FL"),
        ("Philips Medical Systems", 0x2005, "Philips MR Imaging DD 001", 0x63, "SL"),
        ("Philips Medical Systems", 0x2001, "Philips Imaging DD 001", 0x08, "IS"),
        ("GE MEDICAL SYSTEMS", 0x0019, "GEMS_ACQU_01", 0xA2, "SL"),
    ],
)
def test_private_labels_show_exchanged_slices(
    tmp_path: Path, manufacturer: str, group: int, creator: str, element: int, vr: str
) -> None:
    files = classic_files(EXCHANGED, "")
    for dataset, index in zip(files, EXCHANGED, strict=True):
        dataset.Manufacturer = manufacturer
        private = dataset.private_block(group, creator, create=True)
        private.add_new(element, vr, SCAN[index].volume + 1)
    check_not_mixed(converted(files, tmp_path))


def check_not_mixed(outcome: Outcome) -> None:
    """Check that no image has a volume with slices of several volumes."""
    assert outcome.warnings == []
    shown = []
    for output in outcome.conversion.outputs:
        image: Any = nibabel.load(output.nifti)
        volumes = np.atleast_2d((np.asarray(image.dataobj).min(axis=(0, 1)) // 300).T)
        assert (volumes == volumes[:, :1]).all()
        shown += volumes[:, 0].tolist()
    assert sorted(shown) == [0, 1, 2]


def test_labels_do_not_contradict_times(tmp_path: Path) -> None:
    files = [
        read_back(
            encoded(classic(part, number, {"InversionTime": 100 + 300 * ((part.volume + round(part.z / 2)) % 3)}))
        )
        for number, part in enumerate(SCAN, start=1)
    ]
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
    """Return classic slices that are numbered in an order, and of which only one other element gives the volumes, if any."""
    absent = dict.fromkeys(("AcquisitionNumber", "AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime"))
    return [
        read_back(
            encoded(
                classic(SCAN[index], number, absent | ({keyword: value_of(SCAN[index], keyword)} if keyword else {}))
            )
        )
        for number, index in enumerate(order, start=1)
    ]


def value_of(part: Slice, keyword: str) -> object:
    """Return the value of an element; a time differs between the slices of a volume."""
    if keyword == "TemporalPositionIdentifier":
        return part.volume + 1
    if keyword == "TriggerTime":
        return 100 * part.volume
    date = "20240115" if keyword == "AcquisitionDateTime" else ""
    return f"{date}1015{2 * part.volume:02}.{round(part.z * 100):06}"
