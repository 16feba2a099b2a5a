"""Images of PAR/REC have the time between volumes, and their sidecars RepetitionTime, whichever converter wrote them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from qxbatch.convert.par_times import time_between_volumes
from qxbatch.inspect.par import par_acquisition
from qxbatch.model import Conversion
from qxbatch.parrec.header import parse_par
from qxbatch.settings.model import Tool
from tests.build.parrec import ParRec
from tests.test_convert_parrec import as_older_version, convert

SLICES = 4
PAIR = ParRec(slices=SLICES, volumes=3)
REPETITION_TIME = "Repetition time [ms]               :   2000.0"
DYNAMIC, PHASE, TYPE, ECHO_TIME, DYNAMIC_TIME, TRIGGER_TIME, FLIP_ANGLE, LABEL = 2, 3, 4, 30, 31, 32, 35, 48
"""Columns of an image line."""


def times_of(conversion: Conversion) -> tuple[float, float]:
    """Return the time between volumes and RepetitionTime of the only image, in s."""
    (output,) = conversion.outputs
    image: Any = nib.load(output.nifti)
    assert image.header.get_xyzt_units() == ("mm", "sec")
    return round(float(image.header.get_zooms()[3]), 4), json.loads(output.sidecars["json"].read_text())[
        "RepetitionTime"
    ]


@pytest.mark.parametrize("version", ["V4.2", "V4"])
@pytest.mark.parametrize(("repetition", "between_volumes"), [(2000.0, 2.0), (2010.0, 2.01), (20.0, 2.0)])
def test_volumes_have_the_time_of_the_dynamic_scans(
    tmp_path: Path, version: str, repetition: float, between_volumes: float
) -> None:
    """In a 3D scan RepetitionTime is that of an excitation. dcm2niix converts V4.2, nibabel older versions."""
    text = PAIR.par().replace(REPETITION_TIME, REPETITION_TIME.replace("2000.0", str(repetition)))
    par = text if version == "V4.2" else as_older_version(text, version)
    conversion = convert(tmp_path, par.encode("latin-1"), PAIR.rec())
    assert conversion.tool.split()[0] == ("dcm2niix" if version == "V4.2" else "nibabel")
    assert times_of(conversion) == (between_volumes, repetition / 1000)


@pytest.mark.parametrize("time", ["0.00", "-"])
def test_without_times_of_the_dynamic_scans_repetition_time_is_used(tmp_path: Path, time: str) -> None:
    def edit(_line: int, words: list[str]) -> None:
        words[DYNAMIC_TIME] = time

    conversion = convert(tmp_path, PAIR.edited(edit).encode("latin-1"), PAIR.rec())
    assert times_of(conversion) == (2.0, 2)


def test_control_and_label_of_a_dynamic_scan_share_its_time() -> None:
    def edit(line: int, words: list[str]) -> None:
        words[DYNAMIC_TIME] = f"{2.0 * (line // (2 * PAIR.slices)):.2f}"

    pair = replace(PAIR, volumes=6)
    header = parse_par(pair.edited(edit).encode("latin-1"))
    assert time_between_volumes(header, 6, range(0, 24, 4)) == 1.0
    assert time_between_volumes(header, 5, range(0, 20, 4)) == 1.0  # the last one is incomplete
    assert time_between_volumes(parse_par(PAIR.par().encode("latin-1")), 3, range(0, 12, 4)) == 2.0


@pytest.mark.parametrize("version", ["V4.2", "V4"])
@pytest.mark.parametrize("missing", [1, SLICES + 1], ids=["in the first volume", "in the second volume"])
def test_an_aborted_3d_scan_has_the_time_of_its_dynamic_scans(tmp_path: Path, version: str, missing: int) -> None:
    pair = replace(PAIR, volumes=5)
    text = pair.par().replace(REPETITION_TIME, REPETITION_TIME.replace("2000.0", "22.0"))
    lines = [line for line in text.splitlines() if line.split()[6:7] != [str(pair.slices * pair.volumes - missing)]]
    par = "\r\n".join(lines)
    conversion = convert(
        tmp_path, (par if version == "V4.2" else as_older_version(par, version)).encode("latin-1"), pair.rec()
    )
    assert times_of(conversion) == (2.0, 0.022)


@pytest.mark.parametrize(("triggers", "between_volumes"), [((0, 33, 66), 0.033), ((0, 0, 0), 0.0)])
def test_cardiac_phases_have_the_interval_of_their_trigger_times(
    tmp_path: Path, triggers: tuple[int, ...], between_volumes: float
) -> None:
    def edit(line: int, words: list[str]) -> None:
        phase = line // SLICES
        words[DYNAMIC], words[PHASE], words[DYNAMIC_TIME] = "1", str(phase + 1), "0.00"
        words[TRIGGER_TIME] = f"{triggers[phase]:.2f}"

    conversion = convert(tmp_path, as_older_version(PAIR.edited(edit), "V4").encode("latin-1"), PAIR.rec())
    assert times_of(conversion) == (between_volumes, 2)


def test_the_phases_of_several_dynamic_scans_have_no_constant_time() -> None:
    def edit(line: int, words: list[str]) -> None:
        volume = line // SLICES
        words[DYNAMIC], words[PHASE] = str(volume // 2 + 1), str(volume % 2 + 1)
        words[DYNAMIC_TIME] = f"{volume // 2 * 10.0:.2f}"

    header = parse_par(replace(PAIR, volumes=4).edited(edit).encode("latin-1"))
    assert time_between_volumes(header, 4, range(0, 16, 4)) == 0.0


@pytest.mark.parametrize("version", ["V4.2", "V4"])
def test_images_of_several_echo_times_are_separate(tmp_path: Path, version: str) -> None:
    """dcm2niix separates the echo times, although all have the same echo number; so does nibabel for V4."""

    def edit(line: int, words: list[str]) -> None:
        words[ECHO_TIME] = f"{10.0 * (line // SLICES + 1):.2f}"

    text = PAIR.edited(edit)
    par = text if version == "V4.2" else as_older_version(text, version)
    outputs = convert(tmp_path, par.encode("latin-1"), PAIR.rec()).outputs
    times = {output.suffix: json.loads(output.sidecars["json"].read_text())["EchoTime"] for output in outputs}
    assert times == {"_e1": 0.01, "_e2": 0.02, "_e3": 0.03}


@pytest.mark.parametrize("version", ["V4.2", "V4"])
def test_several_flip_angles_and_repetition_times_are_not_in_the_json(tmp_path: Path, version: str) -> None:
    def edit(line: int, words: list[str]) -> None:
        words[FLIP_ANGLE] = f"{10.0 * (line // SLICES + 1):.2f}"

    text = PAIR.edited(edit).replace(REPETITION_TIME, f"{REPETITION_TIME} 8000.0")
    par = text if version == "V4.2" else as_older_version(text, version)
    conversion = convert(tmp_path, par.encode("latin-1"), PAIR.rec())
    (output,) = conversion.outputs
    assert not {"FlipAngle", "RepetitionTime"} & json.loads(output.sidecars["json"].read_text()).keys()
    assert any("flip angles from 10 to 30 degrees" in problem.message for problem in conversion.problems)
    facts = par_acquisition(parse_par(par.encode("latin-1")))
    assert facts is not None
    assert (facts.flip_angle_deg, facts.tr_ms) == (None, None)


@pytest.mark.parametrize("version", ["V4.2", "V4"])
def test_a_field_map_in_hertz_has_the_same_name_by_each_converter(tmp_path: Path, version: str) -> None:
    def edit(line: int, words: list[str]) -> None:
        words[DYNAMIC], words[TYPE] = "1", "18" if line // SLICES else "0"

    pair = replace(PAIR, volumes=2)
    text = pair.edited(edit)
    par = text if version == "V4.2" else as_older_version(text, version)
    outputs = convert(tmp_path, par.encode("latin-1"), pair.rec()).outputs
    assert [output.suffix for output in outputs] == ["", "_fieldmaphz"]


@pytest.mark.parametrize("column", ["LABEL", "PHASE"])
@pytest.mark.parametrize("index", [True, False], ids=["alternating in the PAR", "one after the other in the PAR"])
def test_labels_and_phases_have_the_order_of_the_dynamic_scans(tmp_path: Path, column: str, *, index: bool) -> None:
    """dcm2niix puts all volumes of one label or phase before those of the next, although they were acquired in turn."""
    pair = replace(PAIR, volumes=6)

    def edit(line: int, words: list[str]) -> None:
        volume = line // SLICES
        dynamic, other = (volume // 2, volume % 2) if index else (volume % 3, volume // 3)
        words[DYNAMIC], words[{"LABEL": LABEL, "PHASE": PHASE}[column]] = str(dynamic + 1), str(other + 1)
        words[DYNAMIC_TIME] = f"{8.0 * dynamic:.2f}"

    conversion = convert(tmp_path, pair.edited(edit).encode("latin-1"), pair.rec())
    (output,) = conversion.outputs
    stored = np.frombuffer(pair.rec(), "<u2").reshape(6, -1).sum(axis=1)
    image: Any = nib.load(output.nifti)
    sums = np.asarray(image.dataobj).astype(int).sum(axis=(0, 1, 2))
    assert sums.tolist() == stored[[0, 1, 2, 3, 4, 5] if index else [0, 3, 1, 4, 2, 5]].tolist()
    assert round(float(image.header.get_zooms()[3]), 4) == (4.0 if column == "LABEL" else 0.0)
    assert not [problem for problem in conversion.problems if "converted with nibabel" in problem.message]


def test_a_requested_dcm2niix_that_separates_labels_is_reported(tmp_path: Path) -> None:
    pair = replace(PAIR, volumes=6)

    def edit(line: int, words: list[str]) -> None:
        words[DYNAMIC], words[LABEL] = str(line // SLICES // 2 + 1), str(line // SLICES % 2 + 1)

    conversion = convert(tmp_path, pair.edited(edit).encode("latin-1"), pair.rec(), Tool.DCM2NIIX)
    assert any("other values than the REC" in problem.message for problem in conversion.problems)
