"""Images of PAR/REC have the values that the PAR's indices name, and other values are always reported."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from qxbatch.convert.par_checks import disagreement
from qxbatch.convert.par_pair import ParPair, read_pair
from qxbatch.core import CancelledError
from qxbatch.model import Conversion, Output, State
from qxbatch.parrec.table import ParContent
from qxbatch.problems import Code
from qxbatch.settings.model import Tool
from tests.build.parrec import BITS, INDEX, SLOPE, ParRec
from tests.test_convert_parrec import convert, convert_pair, pair_series

PAIR = ParRec(slices=4, volumes=3)
COUNT = PAIR.slices * PAIR.volumes
SIZE = 2 * PAIR.rows * PAIR.columns
Order = list[int]


def with_indices(order: Order) -> bytes:
    """Return the PAR with these images of the REC in its lines."""

    def edit(line: int, words: list[str]) -> None:
        words[INDEX] = str(order[line])

    return PAIR.edited(edit).encode()


def reviews(conversion: Conversion) -> list[str]:
    """Return the messages that ask for a review."""
    return [problem.message for problem in conversion.problems if problem.code is Code.CONVERT_REVIEW]


def planes_of(conversion: Conversion) -> Any:
    """Return the sorted values of each slice of the only image, volume by volume."""
    (output,) = conversion.outputs
    image: Any = nib.load(output.nifti)
    return np.sort(np.moveaxis(np.asarray(image.dataobj), (3, 2), (0, 1)).reshape(COUNT, -1))


def images_of(rec: bytes) -> Any:
    """Return the sorted values of each image of a REC."""
    return np.sort(np.frombuffer(rec, "<u2").reshape(-1, SIZE // 2))


SWAPPED = [0, 2, 1, *range(3, COUNT)]


@pytest.mark.parametrize(
    "order", [SWAPPED, list(range(COUNT))[::-1], [*range(4, COUNT), *range(4)]], ids=["swapped", "reversed", "volumes"]
)
def test_slices_have_the_values_of_the_image_that_their_index_names(tmp_path: Path, order: Order) -> None:
    conversion = convert(tmp_path, with_indices(order), PAIR.rec())
    assert (conversion.state, conversion.problems) == (State.CONVERTED, ())
    assert conversion.tool.startswith("nibabel")
    assert "not in the order of the PAR's lines" in conversion.log
    assert np.array_equal(planes_of(conversion), images_of(PAIR.rec())[order])


@pytest.mark.parametrize("count", [1, COUNT])
def test_a_rescale_slope_of_zero_is_reported(tmp_path: Path, count: int) -> None:
    def edit(line: int, words: list[str]) -> None:
        if line < count:
            words[SLOPE] = "0"

    conversion = convert(tmp_path, PAIR.edited(edit).encode(), PAIR.rec())
    assert any(f"the rescale slope of {count} of {COUNT} slices is 0" in message for message in reviews(conversion))


def test_lines_may_name_some_of_the_images_of_a_rec(tmp_path: Path) -> None:
    rec = bytes(2 * SIZE) + PAIR.rec() + bytes(SIZE)
    conversion = convert(tmp_path, with_indices(list(range(2, COUNT + 2))), rec)
    assert np.array_equal(planes_of(conversion), images_of(PAIR.rec()))
    (message,) = reviews(conversion)
    assert f"the REC has {len(rec)} bytes, but the PAR announces {len(PAIR.rec())} (12 images" in message


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ([0, 1, 1, *range(3, COUNT)], "lines 2 and 3 name image 1"),
        ([*range(COUNT - 1), 77], "line 12 names image 77, and the REC has images 0 to 11"),
        ([-1, *range(1, COUNT)], "line 1 names image -1"),
    ],
    ids=["repeated", "too large", "negative"],
)
def test_wrong_indices_are_reported_and_the_order_of_the_lines_is_used(tmp_path: Path, order: Order, why: str) -> None:
    conversion = convert(tmp_path, with_indices(order), PAIR.rec())
    (message,) = reviews(conversion)
    assert why in message
    assert np.array_equal(planes_of(conversion), images_of(PAIR.rec()))


@pytest.mark.parametrize("tool", [Tool.AUTO, Tool.DCM2NIIX])
def test_a_rec_with_twice_the_announced_bytes_is_reported(tmp_path: Path, tool: Tool) -> None:
    def edit(_: int, words: list[str]) -> None:
        words[BITS] = "8"

    conversion = convert(tmp_path, PAIR.edited(edit).encode(), PAIR.rec(), tool)
    (message,) = reviews(conversion)
    assert message.endswith("with 8 bits), so its pixels may have 16 bits.")


def test_a_rec_with_surplus_bytes_is_reported(tmp_path: Path) -> None:
    conversion = convert(tmp_path, PAIR.par().encode(), PAIR.rec() + b"\7")
    (message,) = reviews(conversion)
    assert "the REC has 1153 bytes, but the PAR announces 1152 (12 images of 6 x 8 pixels with 16 bits)" in message


def test_a_requested_dcm2niix_that_ignores_the_indices_is_reported(tmp_path: Path) -> None:
    conversion = convert(tmp_path, with_indices(SWAPPED), PAIR.rec(), Tool.DCM2NIIX)
    assert conversion.tool.startswith("dcm2niix")
    (message,) = reviews(conversion)
    assert "2 of 12 slices of 30.nii have other values than the REC: slice 2 of volume 1 has" in message
    assert "where image 2 of the REC has" in message


@pytest.fixture
def converted(tmp_path: Path) -> tuple[ParPair, Output]:
    """Return a sound pair with its image."""
    conversion = convert(tmp_path, PAIR.par().encode(), PAIR.rec())
    assert conversion.problems == ()
    (output,) = conversion.outputs
    return read_pair(tmp_path / "dicom" / "30"), output


def change(output: Output, edit: Callable[[Any], Any]) -> None:
    """Replace the voxels of an image."""
    image: Any = nib.load(output.nifti)
    edited = nib.Nifti1Image(edit(np.asarray(image.dataobj).copy()), image.affine)
    edited.to_filename(output.nifti.with_suffix(".tmp.nii"))
    shutil.move(output.nifti.with_suffix(".tmp.nii"), output.nifti)


def swap_slices(data: Any) -> Any:
    data[:, :, [1, 2], 2] = data[:, :, [2, 1], 2]
    return data


def repeat_volume(data: Any) -> Any:
    data[..., 2] = data[..., 1]
    return data


def mirror(data: Any) -> Any:
    data[..., 1] = data[::-1, ..., 1]
    return data


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (swap_slices, "2 of 12 slices of 30.nii have other values than the REC: slice 2 of volume 3 has"),
        (
            lambda data: data[..., [1, 0, 2]],
            "8 of 12 slices of 30.nii have other values than the REC: slice 1 of volume 1",
        ),
        (repeat_volume, "4 of 12 slices of 30.nii have other values than the REC: slice 1 of volume 3"),
        (mirror, "4 of 12 slices of 30.nii have other values than the REC: slice 1 of volume 2"),
        (lambda data: data * 2, "12 of 12 slices of 30.nii have other values than the REC: slice 1 of volume 1"),
    ],
    ids=["slices swapped", "volumes swapped", "volume repeated", "volume mirrored", "scaled"],
)
def test_other_values_are_a_disagreement(
    converted: tuple[ParPair, Output], edit: Callable[[Any], Any], text: str
) -> None:
    pair, output = converted
    assert disagreement(pair, [output], threading.Event()) == ""
    change(output, edit)
    assert disagreement(pair, [output], threading.Event()).startswith(text)


def test_values_are_floating_point_or_console_values(tmp_path: Path) -> None:
    par = PAIR.par().replace("0.00000 1.00000 1.00000e+00", "-10.0 2.00000 4.00000e+00").encode()
    conversion = convert(tmp_path, par, PAIR.rec())
    assert conversion.problems == ()
    pair, (output,) = read_pair(tmp_path / "dicom" / "30"), conversion.outputs
    console = images_of(PAIR.rec()) * 2.0 - 10
    assert np.allclose(planes_of(conversion), console / 8)
    change(output, lambda data: data * 8)
    assert np.allclose(planes_of(conversion), console)
    assert disagreement(pair, [output], threading.Event()) == ""
    change(output, lambda data: data + 10)
    assert "12 of 12 slices" in disagreement(pair, [output], threading.Event())


def test_diffusion_volumes_may_be_in_another_order(converted: tuple[ParPair, Output]) -> None:
    pair, output = converted
    pair.table["diffusion_b_factor"] = np.repeat([0, 1000, 2000], PAIR.slices)
    change(output, lambda data: data[..., [1, 0, 2]])
    assert disagreement(pair, [output], threading.Event()) == ""


def test_images_of_different_sizes_are_not_converted(tmp_path: Path) -> None:
    """The second echo has its sides exchanged; a REC with such images has no common size."""

    def edit(line: int, words: list[str]) -> None:
        if line >= PAIR.slices:
            words[1], words[2] = "2", "1"
            words[9:11] = words[10], words[9]

    conversion = convert(tmp_path, PAIR.edited(edit).encode(), PAIR.rec())
    messages = " ".join(problem.message for problem in conversion.problems)
    assert "different sizes" in messages
    assert conversion.state is State.FAILED or reviews(conversion)


class CancelledAfter:
    """A cancel that is set after some checks."""

    def __init__(self, checks: int) -> None:
        self.checks = checks

    def is_set(self) -> bool:
        self.checks -= 1
        return self.checks < 0


@pytest.mark.parametrize("checks", [0, 1, 12])
def test_a_cancel_ends_the_reading_of_the_table(tmp_path: Path, checks: int) -> None:
    for name, data in PAIR.files().items():
        (tmp_path / name).write_bytes(data)
    pair = read_pair(tmp_path, CancelledAfter(checks))
    with pytest.raises(CancelledError):
        _ = pair.table


def test_a_cancelled_conversion_reads_no_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    series = pair_series(tmp_path, PAIR.par().encode(), PAIR.rec())
    read: list[str] = []
    monkeypatch.setattr(ParContent, "column", lambda _, name: read.append(name))
    with pytest.raises(CancelledError):
        convert_pair(tmp_path, series, cancel=CancelledAfter(0))
    assert read == []
