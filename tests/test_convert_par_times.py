"""Images of PAR/REC have the time between volumes, and their sidecars RepetitionTime, whichever converter wrote them."""

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import pytest

from qxbatch.convert.par_times import time_between_volumes
from qxbatch.model import Conversion
from qxbatch.parrec.header import parse_par
from tests.build.parrec import ParRec
from tests.test_convert_parrec import as_older_version, convert

PAIR = ParRec(slices=4, volumes=3)
REPETITION_TIME = "Repetition time [ms]               :   2000.0"
DYNAMIC_TIME = 31
"""The column dyn_scan_begin_time of an image line."""


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
    header = parse_par(PAIR.par().encode("latin-1"))
    assert time_between_volumes(header, 3) == 2.0
    assert time_between_volumes(header, 6) == 1.0
