"""Times of synthetic series: the order of volumes, the time between them, and the times and angles in the sidecar."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom.sequence import Sequence as Items
from pydicom.uid import PositronEmissionTomographyImageStorage

from tests.build.dicom import encoded
from tests.build.objects import item
from tests.build.outcome import Outcome, converted, read_back
from tests.build.slices import block, classic, enhanced_object
from tests.build.tamper import Files

PLACES = 6
_CLASSIC_TIMES = ("AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime")
BEFORE, AFTER = "235958.000000", "000001.000000"
"""Times of volumes before and after midnight."""


def scan(
    times: Sequence[str], numbers: Sequence[int] = (), acquisitions: Sequence[int] = (), **elements: object
) -> Files:
    """Return volumes with these times, on one date; `numbers` give the order of their InstanceNumbers."""
    files = []
    for part in block(places=PLACES, volumes=len(times)):
        number = (numbers[part.volume] if numbers else part.volume) * PLACES + round(part.z / 2) + 1
        changes = {
            "AcquisitionDate": "20240115",
            "AcquisitionTime": times[part.volume],
            "ContentTime": times[part.volume],
            "AcquisitionNumber": acquisitions[part.volume] if acquisitions else 1,
            **elements,
        }
        files.append(read_back(encoded(classic(part, number, changes))))
    return files


def volumes(outcome: Outcome) -> list[int]:
    """Return which volume of the scan each volume of the image is."""
    image: Any = nibabel.load(outcome.conversion.outputs[0].nifti)
    values = np.asarray(image.dataobj)
    return [round(values[..., k].min() / 300) for k in range(values.shape[3])]


def sidecars(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the JSON of each image."""
    return [json.loads(output.sidecars["json"].read_text()) for output in outcome.conversion.outputs]


@pytest.mark.parametrize("acquisitions", [(1, 2), (1, 1)])
@pytest.mark.parametrize("times", [("101500", "101502"), (BEFORE, AFTER)])
def test_two_volumes_are_in_the_order_of_their_times_or_reported(
    tmp_path: Path, times: tuple[str, str], acquisitions: tuple[int, int]
) -> None:
    outcome = converted(scan(times, (1, 0), acquisitions), tmp_path)
    is_reported = any("not in the order of the times" in text for text in outcome.warnings)
    assert is_reported or volumes(outcome) == [0, 1]


def test_two_volumes_across_midnight_need_no_warning(tmp_path: Path) -> None:
    outcome = converted(scan((BEFORE, AFTER), acquisitions=(1, 1)), tmp_path)
    assert (volumes(outcome), outcome.warnings, outcome.notes) == ([0, 1], [], [])


def test_volumes_that_are_sorted_by_the_time_of_the_day_are_sorted_again(tmp_path: Path) -> None:
    outcome = converted(scan((BEFORE, AFTER, "000004.000000"), (2, 0, 1)), tmp_path)
    assert (volumes(outcome), outcome.warnings) == ([0, 1, 2], [])
    assert any("not in the order of the times" in text for text in outcome.notes), outcome.notes


def test_a_pause_that_changes_the_time_between_volumes_is_reported(tmp_path: Path) -> None:
    """Of a scan with a pause, dcm2niix writes the mean interval."""
    outcome = converted(
        scan([f"10{minute:02}{second:02}" for minute, second in ((15, 0), (15, 2), (15, 4), (16, 6))]), tmp_path
    )
    assert any("22 s between volumes" in text and "say 2 s" in text for text in outcome.warnings), outcome.warnings


@pytest.mark.parametrize("form", ["{hour:02}{minute:02}00", "{hour:02}{minute:02}"])
def test_a_time_between_volumes_from_times_without_seconds_is_reported(tmp_path: Path, form: str) -> None:
    """Of times that are cut to minutes, dcm2niix writes the mean interval."""
    minutes = [615 + 2 * k // 60 for k in range(70)]
    outcome = converted(scan([form.format(hour=minute // 60, minute=minute % 60) for minute in minutes]), tmp_path)
    assert any("RepetitionTime and the acquisition times say 2 s" in text for text in outcome.warnings), (
        outcome.warnings
    )


@pytest.mark.parametrize("seconds", [(0, 0, 10, 10, 20, 20), (0, 0.03, 0.06, 10, 10.03, 10.06), (0, 0, 0, 0, 60, 60)])
def test_a_repetition_time_of_milliseconds_is_not_the_time_between_volumes(
    tmp_path: Path, seconds: tuple[float, ...]
) -> None:
    times = [f"10{15 + int(second // 60):02}{second % 60:09.6f}" for second in seconds]
    assert converted(scan(times, RepetitionTime=5.0), tmp_path).warnings == []


def test_a_scan_with_intervals_below_the_repetition_time_is_triggered(tmp_path: Path) -> None:
    times = [f"1015{second:09.6f}" for second in (0, 1, 1.9, 2.9, 3.9, 5.8, 6.8)]
    assert converted(scan(times, RepetitionTime=1000.0), tmp_path).warnings == []


def test_volumes_over_more_than_half_a_day_of_one_date_are_in_order(tmp_path: Path) -> None:
    times = [f"{7 + k // 2:02}{30 * (k % 2):02}00" for k in range(27)]
    outcome = converted(scan(times, acquisitions=[1] * 27), tmp_path)
    assert (outcome.warnings, outcome.notes) == ([], [])


@pytest.mark.parametrize("seconds", [(0, 2, 4, 6), (0, 10, 20, 30), (0, 2.4, 4.1, 6.9, 8.8)])
def test_regular_and_gated_scans_need_no_warning(tmp_path: Path, seconds: tuple[float, ...]) -> None:
    outcome = converted(scan([f"1015{second:09.6f}" for second in seconds]), tmp_path)
    assert outcome.warnings == []


def test_flip_angles_of_an_enhanced_object_are_separate_images(tmp_path: Path) -> None:
    """dcm2niix makes one image of them, and writes one of the angles into its JSON."""
    dataset = enhanced_object(block(places=PLACES, volumes=2))
    del dataset.SharedFunctionalGroupsSequence[0].MRTimingAndRelatedParametersSequence
    for k, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        timing = item(RepetitionTime=2000.0, FlipAngle=5.0 if k < PLACES else 20.0)
        frame.MRTimingAndRelatedParametersSequence = Items([timing])
    outcome = converted([read_back(encoded(dataset))], tmp_path)
    assert [sidecar["FlipAngle"] for sidecar in sidecars(outcome)] == [5, 20]
    assert (outcome.warnings, outcome.faults()) == ([], [])


def test_several_inversion_times_in_an_image_are_a_note(tmp_path: Path) -> None:
    files = scan(("101500", "101502"))
    for k, file in enumerate(files):
        file.InversionTime = 300 if k < PLACES else 900
    outcome = converted(files, tmp_path)
    expected = "its image: its volumes have inversion times from 0.3 to 0.9 s; the JSON can have only one of them."
    assert (outcome.warnings, outcome.notes) == ([], [expected])


@pytest.mark.parametrize("element", ["FrameReferenceTime", "ImageIndex"])
def test_volumes_of_pet_are_in_the_order_of_elements_for_pet(tmp_path: Path, element: str) -> None:
    files = []
    for number, part in enumerate(block(places=3, volumes=3)[::-1], start=1):
        dataset = classic(part, number, dict.fromkeys((*_CLASSIC_TIMES, "AcquisitionNumber")))
        dataset.SOPClassUID = PositronEmissionTomographyImageStorage
        dataset.Modality = "PT"
        index = 3 * part.volume + round(part.z / 2) + 1
        setattr(dataset, element, 1000 * part.volume if element == "FrameReferenceTime" else index)
        files.append(read_back(encoded(dataset)))
    outcome = converted(files, tmp_path)
    assert volumes(outcome) in ([0, 1, 2], [2, 1, 0])
    is_right = volumes(outcome) == [0, 1, 2]
    assert is_right or element == "ImageIndex"
    assert outcome.warnings == []


@pytest.mark.parametrize(("times", "is_noted"), [((100.0, 400.0, 700.0), True), ((900.0, 900.0, 900.0), False)])
def test_several_inversion_times_of_an_enhanced_object_are_noted(
    tmp_path: Path, times: Sequence[float], is_noted: bool
) -> None:
    scan = block(places=3, volumes=3)
    dataset = enhanced_object(scan)
    dataset.InversionTime = 150.0
    for part, frame in zip(scan, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        frame.MRModifierSequence = Items([item(InversionTimes=[times[part.volume]])])
    outcome = converted([read_back(encoded(dataset))], tmp_path)
    assert outcome.warnings == []
    assert any("inversion times from 0.1 to 0.7 s" in note for note in outcome.notes) == is_noted


def unnumbered(times: Sequence[str], dates: Sequence[str | None], *, by_slice: bool = False) -> Files:
    """Return volumes of which only the time gives the order; the dates are those of the files, repeated from the first one."""
    files = scan(times)
    for index, dataset in enumerate(files):
        date = dates[index % len(dates)]
        del dataset.AcquisitionDate, dataset.ContentTime, dataset.AcquisitionNumber, dataset.InstanceNumber
        if date is not None:
            dataset.AcquisitionDate = date
        if by_slice:
            dataset.AcquisitionTime = f"{times[index // PLACES]}.{index % PLACES}"
    return files


@pytest.mark.parametrize("dates", [("20240115", None), (None, "20240115", "20240115"), (None,) * 7 + ("20240115",) * 2])
def test_volumes_are_not_mixed_if_some_headers_have_no_date(tmp_path: Path, dates: tuple[str | None, ...]) -> None:
    outcome = converted(unnumbered(("101500", "101502", "101504"), dates), tmp_path)
    assert outcome.faults() == []
    assert (volumes(outcome), outcome.warnings) == ([0, 1, 2], [])


@pytest.mark.parametrize("dates", [(None,), ("20240115",), (None, "20240115")])
def test_volumes_across_midnight_are_sorted_without_other_numbers(
    tmp_path: Path, dates: tuple[str | None, ...]
) -> None:
    outcome = converted(unnumbered(("235957", "235959", "000001", "000003"), dates, by_slice=True), tmp_path)
    assert outcome.faults() == []
    assert volumes(outcome) == [0, 1, 2, 3]
    assert all("between volumes" in text for text in outcome.warnings), outcome.warnings
