"""PAR/REC of scans that were aborted: images have only complete volumes, and every slice is in its place."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from qxbatch.convert import par_checks
from qxbatch.convert.par_image import distances
from qxbatch.convert.par_order import IncompleteError, check_slice_order, complete_volumes
from qxbatch.convert.par_pair import ParPair, read_pair
from qxbatch.convert.par_stacks import stacks
from qxbatch.convert.par_table import image_defs
from qxbatch.convert.par_values import value_difference
from qxbatch.core import CancelledError
from qxbatch.model import Conversion, Output, State
from qxbatch.parrec import parse_par
from tests.build.parrec import CENTRE, INDEX, ParRec
from tests.test_convert_parrec import convert

SLICES, VOLUMES = 4, 3
PAIR = ParRec(slices=SLICES, volumes=VOLUMES)
SLICE, ECHO, DYNAMIC, PHASE, TYPE, B_VALUE = 0, 1, 2, 3, 4, 33
B_NUMBER, GRADIENT, DIRECTION = 41, 42, slice(45, 48)
Edit = Callable[[int, list[str]], None]
BY_VOLUME = list(range(SLICES * VOLUMES))
BY_SLICE = [volume * SLICES + z for z in range(SLICES) for volume in range(VOLUMES)]


def nothing(_line: int, _words: list[str]) -> None:
    """Leave a line as it is."""


def cardiac(line: int, words: list[str]) -> None:
    """Make phases of the heart of the dynamics."""
    words[DYNAMIC], words[PHASE] = "1", str(line // SLICES + 1)


def diffusion(line: int, words: list[str]) -> None:
    """Make a b-value of 0 and directions of the dynamics."""
    volume = line // SLICES
    words[DYNAMIC], words[B_VALUE], words[GRADIENT] = "1", str(1000 * (volume > 0)), str(volume + 1)
    words[B_NUMBER] = str(1 + (volume > 0))
    words[DIRECTION] = [str(int(volume == axis)) + ".000" for axis in range(3)]


def par_of(order: list[int], edit: Edit = nothing, pair: ParRec = PAIR) -> bytes:
    """Return the PAR with only these image lines, in this order, which name their images of the REC."""
    lines = pair.edited(edit).split(pair.newline)
    images = [number for number, line in enumerate(lines) if line.split() and line.split()[0].isdecimal()]
    chosen = [lines[images[line]] for line in order]
    lines[images[0] : images[-1] + 1] = chosen
    text = pair.newline.join(lines)
    return text.replace(
        "Diffusion         <0=no 1=yes> ?   :   0", f"Diffusion         <0=no 1=yes> ?   :   {int(edit is diffusion)}"
    ).encode()


def volumes_of(conversion: Conversion) -> list[list[int]]:
    """Return the images of the REC of each volume of the only output, slice by slice."""
    (output,) = conversion.outputs
    return images_in(output)


def images_in(output: Output) -> list[list[int]]:
    """Return the images of the REC of each volume of an output, in the order of the positions of slices."""
    image: Any = nib.load(output.nifti)
    data = np.asarray(image.dataobj).reshape((*image.shape[:3], -1), order="F")
    data = data[:, :, ::-1] if image.affine[2, 2] < 0 else data
    planes = np.sort(np.frombuffer(PAIR.rec(), "<u2").reshape(SLICES * VOLUMES, -1))
    found = np.sort(np.moveaxis(data, (3, 2), (0, 1)).reshape(data.shape[3], data.shape[2], -1))
    return [[int(np.flatnonzero((planes == plane).all(axis=1))[0]) for plane in volume] for volume in found]


def lines_of(volume: int) -> list[int]:
    """Return the lines of a volume of PAIR."""
    return BY_VOLUME[volume * SLICES : (volume + 1) * SLICES]


CASES = {
    "last": (BY_VOLUME[:-1], [0, 1]),
    "first slice of the first volume": (BY_VOLUME[1:], [1, 2]),
    "first slice of the second volume": ([line for line in BY_VOLUME if line != SLICES], [0, 2]),
    "middle slice": ([line for line in BY_VOLUME if line != SLICES + 1], [0, 2]),
    "slice by slice": (BY_SLICE[:-2], [0]),
    "two volumes": ([line for line in BY_VOLUME if line not in {1, SLICES + 2}], [2]),
}


@pytest.mark.parametrize("edit", [nothing, cardiac, diffusion])
@pytest.mark.parametrize(("order", "complete"), CASES.values(), ids=CASES)
def test_images_have_only_the_complete_volumes(
    tmp_path: Path, order: list[int], complete: list[int], edit: Edit
) -> None:
    conversion = convert(tmp_path, par_of(order, edit), PAIR.rec())
    assert volumes_of(conversion) == [lines_of(volume) for volume in complete]
    left_out = [problem.message for problem in conversion.problems if "left out" in problem.message]
    assert len(left_out) == 1
    assert f"{len(complete)} of {VOLUMES} volumes" in left_out[0]
    assert conversion.state is State.PARTIAL


def test_the_message_names_what_was_left_out(tmp_path: Path) -> None:
    conversion = convert(tmp_path, par_of(BY_VOLUME[:-1]), PAIR.rec())
    text = "its image has only complete volumes: 2 of 3 volumes are complete; left out: 3 of 4 slices of dynamic 3."
    assert text in [problem.message for problem in conversion.problems]


def test_gradients_are_those_of_the_remaining_volumes(tmp_path: Path) -> None:
    conversion = convert(tmp_path, par_of(CASES["middle slice"][0], diffusion), PAIR.rec())
    (output,) = conversion.outputs
    bval, bvec = (output.nifti.with_suffix(suffix).read_text().split() for suffix in (".bval", ".bvec"))
    assert bval == ["0", "1000"]
    directions = np.array(bvec, float).reshape(3, 2)
    # b = 0 has the direction ap in this PAR; the last volume has rl, which is the first axis of the image
    assert np.flatnonzero(directions[:, 1]).tolist() == [0]


@pytest.mark.parametrize("column", [ECHO, TYPE])
def test_echoes_and_types_lose_only_their_own_volumes(tmp_path: Path, column: int) -> None:
    def edit(line: int, words: list[str]) -> None:
        volume = line // SLICES
        words[DYNAMIC], words[column] = ("1", "1") if volume == 0 else (str(volume), "3")

    conversion = convert(tmp_path, par_of(BY_VOLUME[:-1], edit), PAIR.rec())
    assert sorted(images_in(output) for output in conversion.outputs) == [[lines_of(0)], [lines_of(1)]]


def test_volumes_with_one_key_are_not_mixed() -> None:
    def edit(_line: int, words: list[str]) -> None:
        words[DYNAMIC] = "1"

    def order(lines: list[int]) -> Any:
        return complete_volumes(image_defs(parse_par(par_of(lines, edit))), diffusion=False)

    assert order(BY_VOLUME).line_indices.tolist() == BY_VOLUME
    assert order(BY_VOLUME[:-1]).line_indices.tolist() == BY_VOLUME[: 2 * SLICES]
    for missing in (0, 1, SLICES, SLICES + 1, 2 * SLICES - 1):
        with pytest.raises(IncompleteError, match="same key"):
            order([line for line in BY_VOLUME if line != missing])


@pytest.mark.parametrize("lines", [[1, 4, 10], [0, 5, 10]])
def test_a_pair_without_a_complete_volume_has_no_image(tmp_path: Path, lines: list[int]) -> None:
    conversion = convert(tmp_path, par_of([line for line in BY_VOLUME if line not in lines]), PAIR.rec())
    assert (conversion.state, list(conversion.outputs)) == (State.FAILED, [])
    assert "none of 3 volumes has all of its 4 slices" in conversion.problems[0].message


def test_a_wrong_order_is_never_accepted() -> None:
    rows = image_defs(parse_par(PAIR.par().encode()))
    key = rows["dynamic scan number"]
    check_slice_order(rows, SLICES, key)
    wrong = [3, *range(3), *range(4, 12)], [*range(1, 12), 0], [4, *range(1, 4), 0, *range(5, 12)]
    for order in wrong:
        with pytest.raises(IncompleteError):
            check_slice_order(rows[order], SLICES, key[order])


def test_places_are_compared_by_the_position_in_the_image() -> None:
    pair = ParPair(parse_par(PAIR.par().encode()), Path("absent.REC"))
    (image,) = pair.images
    rows = pair.table[image.line_indices]
    assert distances(rows, image.affine, SLICES).max() < 0.01
    assert distances(np.roll(rows, 1), image.affine, SLICES).min() > 3


def big_par(column: int, count: int) -> bytes:
    """Return a PAR with one line whose number in a column counts to `count`."""

    def edit(line: int, words: list[str]) -> None:
        words[DYNAMIC], words[column], words[INDEX] = "1", str(line + 1), str(line)
        words[CENTRE] = ["0.00", "0.00", "0.00"]

    return ParRec(slices=1, volumes=count, rows=4, columns=4).edited(edit).encode()


def test_a_pair_with_too_many_images_is_refused() -> None:
    header = parse_par(big_par(ECHO, 1001))
    with pytest.raises(ValueError, match="1001 images of different planes, echoes and types"):
        stacks(header, image_defs(header))


def test_a_comparison_ends_when_the_run_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(table: Any, rec: Any, images: Any, outputs: Any, cancel: threading.Event) -> str:
        cancel.set()
        return value_difference(table, rec, images, outputs, cancel)

    monkeypatch.setattr(par_checks, "value_difference", stopped)
    with pytest.raises(CancelledError):
        convert(tmp_path, PAIR.par().encode(), PAIR.rec())


def test_the_time_of_a_comparison_is_proportional_to_the_volumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair_of = ParRec(slices=1, volumes=300, rows=4, columns=4)
    rec = np.random.default_rng(1).integers(1, 4000, (300, 4, 4)).astype("<u2").tobytes()
    conversion = convert(tmp_path, pair_of.par().encode(), rec)
    pair = read_pair(tmp_path / "dicom" / "30")
    assert pair.images[0].shape == (4, 4, 1, 300)
    sort, sizes = np.argsort, list[int]()

    def counting(values: Any, *arguments: Any, **options: Any) -> Any:
        sizes.append(np.size(values))
        return sort(values, *arguments, **options)

    monkeypatch.setattr(np, "argsort", counting)
    assert value_difference(pair.table, pair.rec, pair.images, conversion.outputs, threading.Event()) == ""
    assert 0 < sum(sizes) < 300 * 40
