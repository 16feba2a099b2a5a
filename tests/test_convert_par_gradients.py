"""b-values and gradient directions that a converter writes for a PAR/REC pair are compared with the lines of the PAR."""

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from qxbatch.convert.par_checks import disagreement
from qxbatch.convert.par_pair import ParPair, read_pair
from qxbatch.model import Output
from tests.build.parrec import ParRec
from tests.test_convert_parrec import convert

PAIR = ParRec(slices=4, volumes=4)
B_VALUES = (0, 1000, 1000, 2000)
DIRECTIONS = ((0, 0, 0), (1, 0, 0), (0, 0.8, 0.6), (0.6, 0, -0.8))
"""Of each volume, along ap, fh and rl."""
Rows = list[list[float]]


@pytest.fixture(params=["dcm2niix", "nibabel"])
def converted(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[ParPair, Output]:
    """Return a sound diffusion scan with its image; nibabel gets a pair whose lines are in another order."""

    def edit(line: int, words: list[str]) -> None:
        volume = line // PAIR.slices
        words[33], words[41], words[42] = f"{B_VALUES[volume]}", str(1 + len({*B_VALUES[:volume]})), str(1 + volume)
        words[45:48] = map(str, DIRECTIONS[volume])
        if request.param == "nibabel":
            words[6] = str(len(B_VALUES) * PAIR.slices - 1 - line)

    par = re.sub(r"(Diffusion +<0=no 1=yes> \?.*)0", r"\g<1>1", PAIR.edited(edit))
    par = re.sub(r"(Max. number of (?:diffusion values|gradient orients).*)1", r"\g<1>4", par)
    conversion = convert(tmp_path, par.encode(), PAIR.rec())
    assert conversion.problems == ()
    assert conversion.tool.startswith(request.param)
    (output,) = conversion.outputs
    return read_pair(tmp_path / "dicom" / "30"), output


def rows_of(path: Path) -> Rows:
    return [[float(word) for word in line.split()] for line in path.read_text().splitlines()]


def rewritten(output: Output, name: str, change: Callable[[Rows], Rows]) -> None:
    path = output.sidecars[name]
    path.write_text("\n".join(" ".join(map(str, row)) for row in change(rows_of(path))) + "\n")


def test_sound_tables_agree(converted: tuple[ParPair, Output]) -> None:
    pair, output = converted
    assert sorted(rows_of(output.sidecars["bval"])[0]) == sorted(B_VALUES)
    assert disagreement(pair, [output], threading.Event()) == ""


@pytest.mark.parametrize(
    ("name", "change", "text"),
    [
        ("bvec", lambda rows: [rows[1], rows[0], rows[2]], "gradient direction of volume"),
        ("bvec", lambda rows: [rows[0], rows[1], [-value for value in rows[2]]], "gradient direction of volume"),
        ("bvec", lambda rows: [[0.0] * 4 for _ in rows], "gradient direction of volume"),
        ("bval", lambda rows: [[2 * value for value in rows[0]]], "b-value of volume"),
        ("bval", lambda rows: [rows[0][::-1]], "b-value of volume"),
    ],
    ids=["axes swapped", "axis negated", "zero", "twice", "reversed"],
)
def test_other_tables_are_a_disagreement(
    converted: tuple[ParPair, Output], name: str, change: Callable[[Rows], Rows], text: str
) -> None:
    pair, output = converted
    rewritten(output, name, change)
    assert text in disagreement(pair, [output], threading.Event())


def test_missing_tables_are_a_disagreement(converted: tuple[ParPair, Output]) -> None:
    pair, output = converted
    without = replace(output, sidecars={"json": output.sidecars["json"]})
    assert "has no table of b-values, and the PAR says b = 2000" in disagreement(pair, [without], threading.Event())


def test_volumes_in_another_order_than_their_tables_are_a_disagreement(converted: tuple[ParPair, Output]) -> None:
    pair, output = converted
    image: Any = nib.load(output.nifti)
    data = np.asarray(image.dataobj)[..., [0, 2, 1, 3]]
    nib.save(nib.Nifti1Image(data, image.affine), output.nifti)
    assert "gradient direction of volume 2" in disagreement(pair, [output], threading.Event())
    rewritten(output, "bvec", lambda rows: [[row[k] for k in (0, 2, 1, 3)] for row in rows])
    assert disagreement(pair, [output], threading.Event()) == ""
