"""Series that dcm2niix converts incorrectly are converted correctly from normalized copies."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from qxbatch.convert.normalize.names import PROGRAM_VARIABLE
from tests.build.dicom import Syntax, encoded
from tests.build.normalized import check, failure_of, normalized
from tests.build.slices import (
    MAGNITUDE,
    PHASE,
    Slice,
    block,
    classic,
    write_classic,
    write_enhanced,
)

COMPLETE = block(places=6, volumes=4)


@pytest.mark.parametrize("dimensions", [True, False], ids=["dimensions", "no dimensions"])
@pytest.mark.parametrize("order", ["volumes first", "times first", "shuffled"])
def test_frames_of_an_enhanced_object_are_sorted(tmp_path: Path, order: str, dimensions: bool) -> None:
    slices = list(COMPLETE)
    if order == "times first":
        slices.sort(key=lambda part: (part.z, part.volume))
    elif order == "shuffled":
        random.Random(1).shuffle(slices)
    attempt = normalized(write_enhanced(tmp_path / "in", slices, dimensions=dimensions))
    check(attempt, COMPLETE)


def test_frames_without_times_and_dimensions_keep_their_order(tmp_path: Path) -> None:
    attempt = normalized(write_enhanced(tmp_path / "in", COMPLETE, dimensions=False, times=False))
    check(attempt, COMPLETE)


@pytest.mark.parametrize("dimensions", [True, False], ids=["dimensions", "no dimensions"])
def test_a_stopped_enhanced_scan_gives_its_complete_volumes_and_the_last_slices(
    tmp_path: Path, dimensions: bool
) -> None:
    attempt = normalized(write_enhanced(tmp_path / "in", COMPLETE[:-2], dimensions=dimensions))
    check(attempt, COMPLETE[:-6], COMPLETE[-6:-2], suffixes=("", ""))


def test_a_stopped_classic_scan_gives_its_complete_volumes_and_the_last_slices(tmp_path: Path) -> None:
    attempt = normalized(write_classic(tmp_path / "in", COMPLETE[:-2]))
    check(attempt, COMPLETE[:-6], COMPLETE[-6:-2], suffixes=("", ""))


def test_an_interleaved_incomplete_volume_becomes_evenly_spaced_images(tmp_path: Path) -> None:
    last_slices = [part for part in COMPLETE[18:] if part.z in {0.0, 2.0, 8.0}]
    attempt = normalized(write_classic(tmp_path / "in", COMPLETE[:18] + last_slices))
    check(attempt, COMPLETE[:18], last_slices[:2], last_slices[2:], suffixes=("", "", ""))


def test_slabs_are_split_by_their_stack(tmp_path: Path) -> None:
    slabs = [block(3, 2, base=base, stack=stack) for stack, base in (("1", 0), ("2", 1000))]
    slabs[1] = [part.with_(z=part.z + 31) for part in slabs[1]]
    attempt = normalized(write_enhanced(tmp_path / "in", slabs[0] + slabs[1]))
    check(attempt, *slabs, suffixes=("", ""))


def test_slabs_of_classic_files_are_split_at_their_gap(tmp_path: Path) -> None:
    low = block(4)
    high = [part.with_(z=part.z + 25) for part in low]
    check(normalized(write_classic(tmp_path / "in", low + high)), low, high, suffixes=("", ""))


def test_unevenly_spaced_slices_are_refused_with_their_positions(tmp_path: Path) -> None:
    slices = [Slice(float(z)) for z in (0, 2, 4, 6, 8, 14, 20, 26)]
    message = failure_of(normalized(write_classic(tmp_path / "in", slices)))
    assert "8 slices are unevenly spaced: 0.00 2.00 4.00 6.00 8.00 14.00 20.00 26.00 mm" in message


@pytest.mark.parametrize("form", ["classic", "enhanced"])
def test_each_echo_is_a_separate_image(tmp_path: Path, form: str) -> None:
    echoes = [block(4, 2, echo=echo, base=base) for echo, base in ((10.0, 0), (35.5, 1000))]
    write = write_classic if form == "classic" else write_enhanced
    mixed = [part for pair in zip(*echoes, strict=True) for part in reversed(pair)]
    attempt = normalized(write(tmp_path / "in", mixed))
    check(attempt, *echoes, suffixes=("_e1", "_e2"))
    times = [json.loads(output.sidecars["json"].read_text())["EchoTime"] for output in attempt.judgement.outputs]
    assert times == [0.01, 0.0355]


@pytest.mark.parametrize("form", ["classic", "enhanced"])
def test_magnitude_and_phase_are_separate_images(tmp_path: Path, form: str) -> None:
    kinds = [block(4, 2, kind=kind, base=base) for kind, base in ((MAGNITUDE, 0), (PHASE, 1000))]
    write = write_classic if form == "classic" else write_enhanced
    attempt = normalized(write(tmp_path / "in", kinds[1] + kinds[0]))
    check(attempt, *kinds, suffixes=("", "_ph"))


def test_slightly_different_orientations_give_one_image(tmp_path: Path) -> None:
    slices = block(8, 2)
    slices[3] = slices[3].with_(orientation=(1.0, 0.003, 0.0, -0.003, 1.0, 0.0))
    check(normalized(write_classic(tmp_path / "in", slices)), slices)


def test_each_orientation_is_a_separate_image(tmp_path: Path) -> None:
    axial = block(3)
    rotated = [part.with_(orientation=(0.0, 1.0, 0.0, -1.0, 0.0, 0.0), base=500) for part in axial]
    attempt = normalized(write_classic(tmp_path / "in", axial + rotated))
    check(attempt, axial, rotated, suffixes=("", ""))


def test_volumes_with_different_series_uids_give_one_image(tmp_path: Path) -> None:
    slices = [part.with_(changes={"SeriesInstanceUID": f"1.2.3.{part.volume}"}) for part in COMPLETE]
    check(normalized(write_classic(tmp_path / "in", slices)), slices)


def test_compressed_frames_are_sorted(tmp_path: Path) -> None:
    shuffled = list(COMPLETE)
    random.Random(2).shuffle(shuffled)
    check(normalized(write_enhanced(tmp_path / "in", shuffled, Syntax.RLE, dimensions=False)), COMPLETE)


@pytest.mark.parametrize("syntax", list(Syntax), ids=lambda syntax: syntax.name)
def test_every_transfer_syntax_is_normalized(tmp_path: Path, syntax: Syntax) -> None:
    attempt = normalized(write_classic(tmp_path / "in", COMPLETE[::-1], syntax, AcquisitionNumber=None))
    check(attempt, [part.with_(volume=3 - part.volume, base=300 * (2 * part.volume - 3)) for part in COMPLETE])


def test_a_series_that_cannot_be_normalized_leaves_no_files(tmp_path: Path) -> None:
    folder = write_classic(tmp_path / "in", block(3), ImagePositionPatient=None)
    assert "ImagePositionPatient does not contain 3 numbers" in failure_of(normalized(folder))
    assert list((tmp_path / "work").rglob("*.*")) == []


def test_indistinguishable_images_at_one_position_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    same = {"AcquisitionNumber": 1}
    for k, part in enumerate([*block(3), *block(3)]):
        (folder / f"IM{k}").write_bytes(encoded(classic(part, 1 + k % 3, same)))
    assert "2 frames have the same slice position, and no time or number" in failure_of(normalized(folder))


def test_missing_slices_of_a_middle_volume_are_refused(tmp_path: Path) -> None:
    incomplete = [part for part in COMPLETE if (part.z, part.volume) != (4.0, 1)]
    assert "1 of 4 volumes have 5 of 6 slices" in failure_of(normalized(write_classic(tmp_path / "in", incomplete)))


def test_an_incomplete_volume_with_its_own_series_uid_is_a_separate_image(tmp_path: Path) -> None:
    slices = [part.with_(changes={"SeriesInstanceUID": f"1.2.3.{part.volume}"}) for part in COMPLETE]
    incomplete = [part for part in slices if (part.z, part.volume) != (0.0, 1)]
    attempt = normalized(write_classic(tmp_path / "in", incomplete))
    complete = [part for part in incomplete if part.volume != 1]
    check(attempt, complete, [part for part in incomplete if part.volume == 1], suffixes=("", ""))


def test_images_of_a_previous_attempt_are_kept(tmp_path: Path) -> None:
    previous = tmp_path / "work" / "dcm2niix" / "out" / "30.nii"
    previous.parent.mkdir(parents=True)
    previous.write_bytes(b"image")
    check(normalized(write_classic(tmp_path / "in", COMPLETE)), COMPLETE)
    assert previous.read_bytes() == b"image"


def test_copies_are_removed_after_the_conversion(tmp_path: Path) -> None:
    check(normalized(write_classic(tmp_path / "in", COMPLETE)), COMPLETE)
    assert list((tmp_path / "work").rglob("*.dcm")) == []


def test_the_log_says_that_the_input_was_normalized(tmp_path: Path) -> None:
    attempt = normalized(write_enhanced(tmp_path / "in", COMPLETE[:-2]))
    assert attempt.tool.startswith("dcm2niix 1.")
    assert "The input was normalized: 22 images in 2 stack(s)." in attempt.log
    assert "2: 6 x 8 x 4 x 1, slices of a partial volume" in attempt.log
    assert str(tmp_path) not in attempt.log.replace(str(tmp_path / "in"), "")


def test_messages_that_are_not_utf_8_are_passed_on_as_they_are(tmp_path: Path) -> None:
    program = tmp_path / "dcm2niix"
    program.write_text("#!/bin/sh\nprintf 'M\\374ller\\n'\n")
    program.chmod(0o755)
    folder = write_classic(tmp_path / "in", block(3))
    command = [sys.executable, "-m", "qxbatch.convert.normalize", str(folder), str(tmp_path / "copies"), str(tmp_path)]
    variables = {**os.environ, PROGRAM_VARIABLE: str(program)}
    process = subprocess.run(command, env=variables, capture_output=True, check=False)
    assert b"  M\xfcller\n" in process.stdout, process
