"""Images of PAR/REC are where their image lines place them: separate stacks, moved volumes, single slices elsewhere."""

import threading
from math import cos, radians, sin
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from qxbatch.convert.par_checks import disagreement
from qxbatch.convert.par_pair import read_pair
from qxbatch.model import Conversion, State
from qxbatch.problems import Code
from qxbatch.settings.model import Tool
from tests.build.parrec import ANGULATION, CENTRE, INDEX, ParRec
from tests.test_convert_parrec import convert

PAIR = ParRec(slices=6, volumes=2)
SLICES = PAIR.slices


def at(words: list[str], centre: tuple[float, float, float], number: float = 0, angle: float = 0) -> None:
    """Place a slice: `number` steps of 4 mm from a centre (ap, fh, rl), turned about the ap axis (degrees)."""
    turn = radians(angle)
    place = (centre[0], centre[1] + 4 * number * cos(turn), centre[2] + 4 * number * sin(turn))
    words[ANGULATION] = [f"{angle:.2f}", "0.00", "0.00"]
    words[CENTRE] = [f"{value:.2f}" for value in place]


def two_stacks(line: int, words: list[str]) -> None:
    """Place slices 1 to 3 straight, and 4 to 6 elsewhere and oblique."""
    z = line % SLICES
    at(words, (0, 0, 0), z - 1) if z < 3 else at(words, (10, 20, 30), z - 4, 25)


def parallel_stacks(line: int, words: list[str]) -> None:
    """Place slices 4 to 6 after a gap."""
    z = line % SLICES
    at(words, (0, 0, 0), z if z < 3 else z + 7)


def second_volume_turned(line: int, words: list[str]) -> None:
    """Turn the second volume by 25 degrees."""
    at(words, (0, 0, 0), line % SLICES - 2.5, 25 * (line // SLICES))


def second_volume_elsewhere(line: int, words: list[str]) -> None:
    """Shift the second volume by 40 mm."""
    at(words, (40 * (line // SLICES), 0, 0), line % SLICES - 2.5)


def one_slice_elsewhere(line: int, words: list[str]) -> None:
    """Shift slice 4 by 40 mm."""
    at(words, (40.0 * (line % SLICES == 3), 0, 0), line % SLICES - 2.5)


def last_slice_elsewhere(line: int, words: list[str]) -> None:
    """Shift slice 6 by 40 mm."""
    at(words, (40.0 * (line % SLICES == 5), 0, 0), line % SLICES - 2.5)


def last_slice_of_one_volume_elsewhere(line: int, words: list[str]) -> None:
    """Shift the last slice of the second volume by 40 mm."""
    at(words, (40.0 * (line == 2 * SLICES - 1), 0, 0), line % SLICES - 2.5)


def second_volume_moved(line: int, words: list[str]) -> None:
    """Move the second volume as a scanner with motion correction does."""
    at(words, (1.5 * (line // SLICES), 0, 0), line % SLICES - 2.5, 2.0 * (line // SLICES))


def slab_elsewhere(line: int, words: list[str]) -> None:
    """Place all slices elsewhere than the general lines do."""
    at(words, (5, -20, 8), line % SLICES, 15)


def slices_reversed(line: int, words: list[str]) -> None:
    """Place the first slice at the other end."""
    at(words, (0, 0, 0), 2.5 - line % SLICES)


def nothing(_: int, words: list[str]) -> None:
    """Remove all places, as an anonymization does."""
    words[ANGULATION] = words[CENTRE] = ["0", "0", "0"]


def converted(folder: Path, edit: Any, tool: Tool = Tool.AUTO) -> Conversion:
    """Convert the pair with edited lines."""
    return convert(folder, PAIR.edited(edit).encode(), PAIR.rec(), tool)


def check_places(conversion: Conversion, edit: Any) -> None:
    """Check that each image of the REC is where its line places it: once in all images, with its centre there."""
    rec = np.frombuffer(PAIR.rec(), "<u2").reshape(-1, PAIR.rows, PAIR.columns)
    found: dict[int, int] = {}
    words_of: dict[int, list[str]] = {}

    def place(line: int, words: list[str]) -> None:
        edit(line, words)
        words_of[line] = list(words)

    PAIR.edited(place)
    for output in conversion.outputs:
        image: Any = nib.load(output.nifti)
        data = np.asarray(image.dataobj).reshape(*image.shape[:3], -1)
        for k, t in np.ndindex(data.shape[2:]):
            plane = np.sort(data[:, :, k, t].ravel())
            (line,) = [line for line, each in enumerate(rec) if np.array_equal(np.sort(each.ravel()), plane)]
            middle = [(data.shape[0] - 1) / 2, (data.shape[1] - 1) / 2, k, 1]
            ap, fh, rl = map(float, words_of[line][CENTRE])
            assert np.abs((image.affine @ middle)[:3] - (-rl, -ap, fh)).max() < 0.02
            normal = image.affine[:3, 2] / 4
            turn = radians(float(words_of[line][ANGULATION][0]))
            assert abs(normal @ (-sin(turn), 0, cos(turn))) > 0.99999
            found[line] = found.get(line, 0) + 1
    assert found == dict.fromkeys(range(len(rec)), 1)


@pytest.mark.parametrize(
    "edit", [two_stacks, parallel_stacks, second_volume_turned, second_volume_elsewhere], ids=lambda edit: edit.__name__
)
def test_separate_stacks_are_separate_images(tmp_path: Path, edit: Any) -> None:
    conversion = converted(tmp_path, edit)
    assert conversion.state is State.CONVERTED
    assert [output.suffix for output in conversion.outputs] == ["_stack1", "_stack2"]
    assert "the slices are in several stacks" in conversion.log
    assert [(problem.code, problem.message) for problem in conversion.problems] == [
        (Code.CONVERT_NOTE, "its slices are in 2 stacks at different places.")
    ]
    check_places(conversion, edit)


@pytest.mark.parametrize(
    ("edit", "count", "lines"),
    [
        (one_slice_elsewhere, 2, "image lines 4, 10"),
        (last_slice_elsewhere, 2, "image lines 6, 12"),
        (last_slice_of_one_volume_elsewhere, 1, "image line 12"),
    ],
    ids=["each volume", "last of each volume", "last of one volume"],
)
def test_single_slices_elsewhere_are_reported(tmp_path: Path, edit: Any, count: int, lines: str) -> None:
    conversion = converted(tmp_path, edit)
    (problem,) = conversion.problems
    assert problem.code is Code.CONVERT_REVIEW
    assert f"of {count} of 12 slices does not fit the grid of their image ({lines}): that of line" in problem.message
    assert "is 40.0 mm away" in problem.message


def test_slices_along_another_axis_than_their_plane_says_are_reported(tmp_path: Path) -> None:
    def edit(line: int, words: list[str]) -> None:
        at(words, (4 * (line % SLICES - 2.5), 0, 0))

    conversion = converted(tmp_path, edit)
    (problem,) = conversion.problems
    assert (
        "of 12 of 12 slices does not fit the grid of their image (image lines 1, 2, 3, 4, 5 and 7 more)"
        in problem.message
    )
    assert len(conversion.outputs) == 1


def test_stacks_that_dcm2niix_joins_are_reported(tmp_path: Path) -> None:
    conversion = converted(tmp_path, two_stacks, Tool.DCM2NIIX)
    messages = [problem.message for problem in conversion.problems if problem.code is Code.CONVERT_REVIEW]
    assert messages == ["dcm2niix wrote 2 volumes, the PAR has 4."]


def test_a_moved_volume_is_only_a_note(tmp_path: Path) -> None:
    conversion = converted(tmp_path, second_volume_moved)
    assert [output.suffix for output in conversion.outputs] == [""]
    notes = [problem.message for problem in conversion.problems if problem.code is Code.CONVERT_NOTE]
    assert any("1 volume was moved by up to 1.6 mm" in message for message in notes)
    assert not [problem for problem in conversion.problems if problem.code is Code.CONVERT_REVIEW]


def test_one_slice_elsewhere_does_not_change_the_place_of_the_others(tmp_path: Path) -> None:
    def edit(line: int, words: list[str]) -> None:
        slab_elsewhere(line, words)
        words[CENTRE] = ["0", "0", "0"] if line == 3 else words[CENTRE]

    conversion = converted(tmp_path, edit)
    (problem,) = conversion.problems
    assert "of 1 of 12 slices does not fit the grid of their image (image line 4)" in problem.message


@pytest.mark.parametrize("edit", [slab_elsewhere, slices_reversed], ids=lambda edit: edit.__name__)
@pytest.mark.parametrize("version", ["V4.2", "V4.0"])
def test_slices_are_where_their_lines_place_them(tmp_path: Path, edit: Any, version: str) -> None:
    par = PAIR.edited(edit).replace("V4.2", version).encode()
    conversion = convert(tmp_path, par, PAIR.rec())
    assert [output.suffix for output in conversion.outputs] == [""]
    check_places(conversion, edit)


def test_lines_without_places_are_placed_by_the_general_lines(tmp_path: Path) -> None:
    conversion = converted(tmp_path, nothing)
    assert not [problem for problem in conversion.problems if "grid" in problem.message]
    pair = read_pair(tmp_path / "dicom" / "30")
    assert disagreement(pair, conversion.outputs, threading.Event()) == ""
    assert np.allclose(pair.images[0].affine[:3, 3], (7.5, 10.5, -10))


def test_rounded_places_are_one_grid(tmp_path: Path) -> None:
    def edit(line: int, words: list[str]) -> None:
        at(words, (0, 0, 0), line % 60 - 29.5, 17.34)
        words[ANGULATION] = ["17.3", "0", "0"]
        words[CENTRE] = [f"{float(value):.1f}" for value in words[CENTRE]]
        words[INDEX] = str(line)

    pair = ParRec(slices=60, volumes=2)
    conversion = convert(tmp_path, pair.edited(edit).encode(), pair.rec())
    assert [output.suffix for output in conversion.outputs] == [""]
    assert not [problem for problem in conversion.problems if "grid" in problem.message or "stacks" in problem.message]
