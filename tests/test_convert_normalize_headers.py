"""Normalized copies have the right headers, and each frame is in the right stack."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import MRImageStorage

from qxbatch.convert.normalize.copies import write_normalized_copies
from qxbatch.convert.normalize.errors import CannotNormalizeError
from qxbatch.convert.normalize.model import CopiedStack
from qxbatch.convert.normalized import _letters, _suffix
from tests.build.dicom import MrSeries, Vendor, changed, encoded
from tests.build.normalized import check, failure_of, normalized
from tests.build.objects import item, report
from tests.build.slices import Slice, block, classic, enhanced_object, write_classic, write_enhanced

SCAN = block(places=4, volumes=3)


def copies(folder: Path) -> tuple[tuple[CopiedStack, ...], list[list[Dataset]]]:
    """Return the stacks of a folder and their copies."""
    out = folder.with_name("copies")
    out.mkdir()
    stacks = write_normalized_copies(folder, out)
    assert [stack.folder for stack in stacks] == [out / str(k) for k in range(1, len(stacks) + 1)]
    return stacks, [[dcmread(path) for path in sorted(stack.folder.iterdir())] for stack in stacks]


def write_dataset(folder: Path, dataset: Dataset, name: str = "IM1") -> Path:
    """Write a data set into a folder and return the folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(encoded(dataset))
    return folder


def test_copies_of_an_enhanced_object_are_classic_images_in_order(tmp_path: Path) -> None:
    (stack,), (files,) = copies(write_enhanced(tmp_path / "in", SCAN[::-1]))
    assert stack.shape == (6, 8, 4, 3)
    assert stack.sources == tuple(("IM0001", k) for k in (8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3))
    assert {file.SOPClassUID for file in files} == {MRImageStorage}
    assert {file.SeriesInstanceUID for file in files} == {stack.series_uid}
    assert len({file.SOPInstanceUID for file in files}) == 12
    assert [file.InstanceNumber for file in files] == list(range(1, 13))
    assert [file.TemporalPositionIdentifier for file in files] == [1] * 4 + [2] * 4 + [3] * 4
    assert [file.ImagePositionPatient[2] for file in files] == [6.0, 4.0, 2.0, 0.0] * 3
    assert {(file.EchoTime, file.RepetitionTime, file.FlipAngle) for file in files} == {(30.0, 2000.0, 77.0)}
    assert {tuple(file.ImageType) for file in files} == {("ORIGINAL", "PRIMARY", "M", "NONE")}
    assert files[0].AcquisitionTime == "101500.000004"
    for removed in ("NumberOfFrames", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "StackID"):
        assert not any(removed in file for file in files)


def test_equal_input_gives_equal_copies(tmp_path: Path) -> None:
    digests = []
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        stacks, _ = copies(write_enhanced(tmp_path / run / "in", SCAN[:-1]))
        files = [path for stack in stacks for path in sorted(stack.folder.iterdir())]
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
    assert digests[0] == digests[1]


def test_each_frame_is_in_exactly_one_stack(tmp_path: Path) -> None:
    parts = [*SCAN[:-1], *block(3, echo=60.0), *block(2, kind=("DERIVED", "PRIMARY", "M", "NONE"))]
    stacks, _ = copies(write_enhanced(tmp_path / "in", parts, dimensions=False))
    assert sorted(source for stack in stacks for source in stack.sources) == [("IM0001", k) for k in range(len(parts))]
    assert [(stack.shape[2:], stack.is_incomplete, stack.suffix) for stack in stacks] == [
        ((2, 1), False, "_e1"),
        ((4, 2), False, "_e1"),
        ((3, 1), True, "_e1"),
        ((3, 1), False, "_e2"),
    ]


def test_other_elements_of_a_classic_header_are_kept(tmp_path: Path) -> None:
    dataset = classic(Slice(0.0), 5, {"SOPInstanceUID": "1.2.3.4", "PatientComments": "none"})
    dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", b"SV10\4\3\2\1")
    _, ((file,),) = copies(write_dataset(tmp_path / "in", dataset))
    assert file[0x0029, 0x1010].value == b"SV10\4\3\2\1"
    assert (file.SOPInstanceUID, file.PatientComments, file.SeriesNumber) == ("1.2.3.4", "none", 3)


@pytest.mark.parametrize("block_number", [0x10, 0x11])
def test_private_elements_of_siemens_are_moved_to_their_classic_tags(tmp_path: Path, block_number: int) -> None:
    dataset = enhanced_object(SCAN)
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        private = Dataset()
        private.add_new((0x0021, block_number), "LO", "SIEMENS MR SDI 02")
        private.add_new((0x0021, block_number << 8 | 0x42), "IS", "2600")
        frame.add_new((0x0021, block_number), "LO", "SIEMENS MR SDI 02")
        frame.add_new((0x0021, block_number << 8 | 0xFE), "SQ", Sequence([private]))
    _, (files,) = copies(write_dataset(tmp_path / "in", dataset))
    assert {(file[0x0021, 0x0011].value, file[0x0021, 0x1142].value) for file in files} == {("SIEMENS MR SDI 02", 2600)}


def test_frames_of_several_objects_have_different_uids(tmp_path: Path) -> None:
    for volume in range(3):
        write_enhanced(tmp_path / "in", SCAN[4 * volume : 4 * volume + 4])
        (tmp_path / "in" / "IM0001").rename(tmp_path / "in" / f"V{volume}")
    _, (files,) = copies(tmp_path / "in")
    assert len({file.SOPInstanceUID for file in files}) == 12


def test_files_without_sop_instance_uid_are_normalized(tmp_path: Path) -> None:
    check(normalized(write_classic(tmp_path / "in", SCAN, SOPInstanceUID=None)), SCAN)


def test_a_damaged_header_is_refused_with_a_reason(tmp_path: Path) -> None:
    folder = write_classic(tmp_path / "in", SCAN)
    path = folder / "IM0003"
    path.write_bytes(path.read_bytes().replace(b"\x28\x00\x30\x00DS", b"\x28\x00\x30\x00ZZ"))
    assert "cannot be normalized" in failure_of(normalized(folder))


def test_diffusion_elements_are_copied_to_the_top_level_and_order_the_volumes(tmp_path: Path) -> None:
    dataset = enhanced_object(SCAN, dimensions=False, times=False)
    directions: tuple[list[float], ...] = ([], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    for k, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        direction = directions[k // 4]
        diffusion = item(DiffusionBValue=1000.0 if direction else 0.0)
        if direction:
            gradient = item(DiffusionGradientOrientation=direction)
            diffusion.DiffusionGradientDirectionSequence = Sequence([gradient])
        frame.MRDiffusionSequence = Sequence([diffusion])
    _, (files,) = copies(write_dataset(tmp_path / "in", dataset))
    assert [file.DiffusionBValue for file in files] == [0.0] * 4 + [1000.0] * 8
    assert [list(file.get("DiffusionGradientOrientation", [])) for file in files[::4]] == list(directions)


def test_each_flip_angle_with_all_positions_is_a_separate_image(tmp_path: Path) -> None:
    angles = [block(4, base=base, changes={"FlipAngle": angle}) for angle, base in ((5, 0), (20, 1000))]
    check(normalized(write_classic(tmp_path / "in", angles[1] + angles[0])), *angles, suffixes=("", ""))


def test_repetition_times_that_vary_between_slices_give_one_image(tmp_path: Path) -> None:
    slices = [part.with_(changes={"RepetitionTime": 2000 + k}) for k, part in enumerate(block(4, 2))]
    check(normalized(write_classic(tmp_path / "in", slices)), slices)


def test_a_single_value_of_the_image_type_names_the_kind(tmp_path: Path) -> None:
    parts = [*block(3, kind=("MAGNITUDE",)), *block(3, kind=("PHASE",), base=1000)]
    stacks, _ = copies(write_classic(tmp_path / "in", parts))
    assert [stack.suffix for stack in stacks] == ["", "_ph"]


def test_trigger_times_of_philips_do_not_split_an_image(tmp_path: Path) -> None:
    slices = [
        part.with_(changes={"TriggerTime": 100.0 * part.volume, "Manufacturer": Vendor.PHILIPS, "AcquisitionNumber": 1})
        for part in block(4, 3)
    ]
    check(normalized(write_classic(tmp_path / "in", slices[::-1])), slices)


def test_a_series_numbered_from_the_top_keeps_its_order(tmp_path: Path) -> None:
    _, (files,) = copies(write_classic(tmp_path / "in", block(4)[::-1]))
    assert [file.ImagePositionPatient[2] for file in files] == [6.0, 4.0, 2.0, 0.0]


def test_a_stopped_scan_is_ordered_by_instance_numbers(tmp_path: Path) -> None:
    slices = [part.with_(changes={"AcquisitionNumber": None}) for part in SCAN[:-1]]
    check(normalized(write_classic(tmp_path / "in", slices)), slices[:8], slices[8:], suffixes=("", ""))


def test_a_missing_slice_of_an_unknown_volume_is_refused(tmp_path: Path) -> None:
    slices = [part.with_(changes={"AcquisitionNumber": None}) for part in SCAN if (part.z, part.volume) != (2.0, 1)]
    message = failure_of(normalized(write_classic(tmp_path / "in", slices)))
    assert "the volume that lacks slices is unknown: 1 places with 2 frames, 3 places with 3 frames" in message


def timed_slices(order: tuple[int, ...], step: float) -> list[Slice]:
    """Return 3 volumes that only the times of their slices distinguish, as acquired; `step` is the time of a slice, TR is 2 s."""
    return [
        part.with_(changes={"AcquisitionNumber": None, "InstanceNumber": None, "AcquisitionTime": f"1015{time:06.3f}"})
        for volume in range(3)
        for k, place in enumerate(order)
        for part, time in [(block(len(order), 3)[volume * len(order) + place], 2 * volume + k * step)]
    ]


@pytest.mark.parametrize(
    ("order", "step", "stop"),
    [((0, 1, 2), 0.02, 1), ((0, 1, 2), 2 / 3, 2), ((1, 2, 0), 0.02, 2), ((1, 3, 0, 2), 0.5, 2), ((0, 1), 1.0, 1)],
)
def test_a_stopped_scan_is_ordered_by_the_times_of_its_slices(
    tmp_path: Path, order: tuple[int, ...], step: float, stop: int
) -> None:
    slices = timed_slices(order, step)[: 2 * len(order) + stop]
    whole, last = slices[: 2 * len(order)], sorted(slices[2 * len(order) :], key=lambda part: part.z)
    check(
        normalized(write_classic(tmp_path / "in", slices)),
        sorted(whole, key=lambda part: part.z),
        last,
        suffixes=("", ""),
    )


@pytest.mark.parametrize("step", [0.02, 2 / 3])
@pytest.mark.parametrize("missing", [0, 1])
def test_a_missing_slice_of_the_first_volume_does_not_make_it_the_last_one(
    tmp_path: Path, step: float, missing: int
) -> None:
    slices = timed_slices((0, 1, 2), step)
    del slices[missing]
    message = failure_of(normalized(write_classic(tmp_path / "in", slices)))
    assert "the volume that lacks slices is unknown: 1 places with 2 frames, 2 places with 3 frames" in message


def test_objects_without_pixel_data_and_other_files_are_ignored(tmp_path: Path) -> None:
    folder = write_classic(tmp_path / "in", SCAN)
    (folder / "notes.txt").write_text("notes")
    (folder / "SR1").write_bytes(encoded(report(MrSeries())))
    check(normalized(folder), SCAN)


@pytest.mark.parametrize("damage", [lambda data: data[:400], lambda data: data[:-100]], ids=["header", "pixels"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    folder = write_classic(tmp_path / "in", SCAN)
    (folder / "IM0007").write_bytes(damage((folder / "IM0007").read_bytes()))
    assert "IM0007" in failure_of(normalized(folder))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "not of two orthogonal unit vectors"),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, "not of two orthogonal unit vectors"),
        ({"PixelSpacing": None}, "PixelSpacing does not contain 2 numbers"),
        ({"NumberOfFrames": 2}, "has 2 frames without functional groups"),
        ({"BitsStored": 17}, "17 of 16 bits are stored"),
    ],
)
def test_headers_without_usable_geometry_are_refused(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    folder = write_classic(tmp_path / "in", block(2), **changes)
    with pytest.raises(CannotNormalizeError, match=reason):
        copies(folder)


def test_an_enhanced_object_with_too_few_functional_groups_is_refused(tmp_path: Path) -> None:
    dataset = changed(enhanced_object(SCAN), {"NumberOfFrames": 13})
    with pytest.raises(CannotNormalizeError, match="has 13 frames and functional groups for 12"):
        copies(write_dataset(tmp_path / "in", dataset))


def test_a_sheared_stack_is_refused(tmp_path: Path) -> None:
    slices = [part.with_(changes={"ImagePositionPatient": [-7.5 + part.z / 10, -10.5, part.z]}) for part in block(5)]
    with pytest.raises(CannotNormalizeError, match="mm from the even grid of its stack"):
        copies(write_classic(tmp_path / "in", slices))


@pytest.mark.parametrize(
    ("own_suffix", "stack_suffix", "expected"),
    [
        ("", "", ""),
        ("", "_e2_ph", "_e2_ph"),
        ("_ph", "_ph", "_ph"),
        ("_ph", "_e2_ph", "_e2_ph"),
        ("_e2_ph", "_e2_ph", "_e2_ph"),
        ("_fieldmaphz", "_real", "_fieldmaphz"),
        ("_ADC", "_e1", "_e1_ADC"),
    ],
)
def test_suffixes_of_dcm2niix_and_of_the_stack_are_combined(own_suffix: str, stack_suffix: str, expected: str) -> None:
    assert _suffix(own_suffix, stack_suffix) == expected


def test_letters_are_counted_as_dcm2niix_does() -> None:
    assert [_letters(k) for k in (0, 1, 26, 27, 52, 53)] == ["", "a", "z", "aa", "az", "ba"]
