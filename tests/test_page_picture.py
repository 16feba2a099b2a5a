"""Pictures of images, read back by an independent reader of PNG."""

import re
import struct
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from qxbatch.core import grey_slice
from qxbatch.page.picture import HEIGHT, write_picture


def decode(path: Path) -> NDArray[np.uint8]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, found = 8, {}
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + body)
        found[name] = body
        at += 12 + length
    wide, high = struct.unpack(">II", found[b"IHDR"][:8])
    lines = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(high, wide + 1)
    return lines[:, 1:]


def save(path: Path, data: NDArray[np.float32], zooms: tuple[float, ...] = (1, 1, 1)) -> Path:
    nib.save(nib.Nifti1Image(data, np.diag([*zooms, 1])), path)
    return path


def test_a_volume_is_shown_in_three_planes(tmp_path: Path) -> None:
    data = np.zeros((40, 40, 40), np.float32)
    data[30:, :, :] = 100  # right, in RAS
    assert write_picture(save(tmp_path / "a.nii", data), tmp_path / "a.png")
    pixels = decode(tmp_path / "a.png")
    assert pixels.shape == (HEIGHT, 3 * HEIGHT + 8)
    axial = pixels[:, :HEIGHT]
    assert axial[:, HEIGHT * 4 // 5 :].min() == 255
    assert axial[:, : HEIGHT * 3 // 5].max() == 0


def test_slices_keep_their_shape_in_millimetres(tmp_path: Path) -> None:
    data = np.ones((64, 32, 16), np.float32)
    data[::2] = 2
    assert write_picture(save(tmp_path / "a.nii", data, (1, 1, 4)), tmp_path / "a.png")
    assert decode(tmp_path / "a.png").shape == (HEIGHT, HEIGHT + HEIGHT + HEIGHT // 2 + 8)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(np.full((8, 8, 8), np.nan, np.float32), id="not a number"),
        pytest.param(np.zeros((8, 8, 8), np.float32), id="empty"),
        pytest.param(np.ones((8, 8, 1), np.float32), id="one slice"),
        pytest.param(np.ones((8, 8, 4, 3, 2), np.float32), id="five dimensions"),
    ],
)
def test_odd_images_have_a_picture_too(tmp_path: Path, data: NDArray[np.float32]) -> None:
    assert write_picture(save(tmp_path / "a.nii", data), tmp_path / "a.png")
    assert decode(tmp_path / "a.png").shape[0] == HEIGHT


def test_what_is_no_image_has_none(tmp_path: Path) -> None:
    (tmp_path / "a.nii").write_bytes(b"no image")
    assert not write_picture(tmp_path / "a.nii", tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def grey(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Grey as it is to be, by numpy: from the 1st percentile to the 99th."""
    low, high = np.percentile(values, (1, 99))
    shown: NDArray[np.float64] = np.floor(np.clip((values - low) / (high - low), 0, 1) * 255)
    return shown


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image], ids=["nifti-1", "nifti-2"])
@pytest.mark.parametrize(
    "word", ["u1", "i1", "<i2", ">i2", "u2", "<i4", "u4", "i8", "u8", "<f4", ">f4", "<f8", ">f8", "<c8", ">c8", "<c16"]
)
def test_the_pixels_are_the_voxels_that_nibabel_reads(tmp_path: Path, kind: type, word: str) -> None:
    data = (np.random.default_rng(5).random((HEIGHT, HEIGHT, 2, 3)) * 120 + 1).astype(word)
    header = kind.header_class(endianness=">" if word.startswith(">") else "<")  # type: ignore[attr-defined]
    header.set_data_dtype(data.dtype)
    nib.save(kind(data, np.diag([-2, 2, 3, 1]), header), tmp_path / "a.nii")
    read = np.asanyarray(nib.load(tmp_path / "a.nii").dataobj)[:, :, 1, 0]  # type: ignore[attr-defined]
    assert write_picture(tmp_path / "a.nii", tmp_path / "a.png")
    shown = np.abs(read).astype(np.float64)[::-1].T[::-1]  # left is at the left, front at the top
    assert np.abs(decode(tmp_path / "a.png") - grey(shown)).max() <= 1


@pytest.mark.parametrize("turned", ["LPS", "RAS", "PIR", "SLA", "ARI"])
def test_each_plane_is_turned_as_people_know_it(tmp_path: Path, turned: str) -> None:
    data = np.random.default_rng(6).random((40, 48, 56)).astype(np.float32)
    image = nib.Nifti1Image(data, np.eye(4))
    codes = nib.orientations.axcodes2ornt(tuple(turned))
    nib.save(image.as_reoriented(codes), tmp_path / "a.nii")
    nib.save(image, tmp_path / "b.nii")
    middle = nib.load(tmp_path / "a.nii").shape  # type: ignore[attr-defined]
    assert sorted(middle) == [40, 48, 56]
    assert write_picture(tmp_path / "a.nii", tmp_path / "a.png")
    pixels = decode(tmp_path / "a.png")
    at = 0
    for world, (across, up) in {2: (0, 1), 1: (0, 2), 0: (1, 2)}.items():
        size = data.shape
        wide, high = (round(size[axis] * HEIGHT / max(size[across], size[up])) for axis in (across, up))
        # Of an even number of slices, the one next to the middle that comes later along the file's own axis, turned.
        slices = [np.take(data, size[world] // 2 - step, axis=world).T[::-1] for step in (0, 1)]
        rows = np.arange(high) * size[up] // high
        columns = np.arange(wide) * size[across] // wide
        top = (HEIGHT - high) // 2
        part = pixels[top : top + high, at : at + wide].astype(float)
        assert min(np.abs(part - grey(one[rows][:, columns].astype(float))).max() for one in slices) <= 1
        at += wide + 4


@pytest.mark.parametrize("apart", [1, 7, 10_000], ids=["side by side", "near", "far"])
def test_the_core_finds_pixels_however_far_apart(tmp_path: Path, apart: int) -> None:
    values = np.random.default_rng(7).integers(-3000, 3000, 700_000).astype("<i2")
    (tmp_path / "a").write_bytes(b"head" + values.tobytes())
    rows, columns = [5, 0, 9], [apart * k for k in (60, 0, 3, 59)]
    found = np.frombuffer(grey_slice(str(tmp_path / "a"), 4, 4, rows, columns, big_endian=False), np.uint8)
    wanted = grey(values[np.add.outer(rows, columns)].astype(float))
    assert np.abs(found.reshape(3, 4) - wanted).max() <= 1


@pytest.mark.parametrize("names", ["RGB", "RGBA"])
def test_a_colour_becomes_its_mean(tmp_path: Path, names: str) -> None:
    data = np.zeros((HEIGHT, HEIGHT, 1), dtype=[(name, "u1") for name in names])
    data["R"], data["G"] = 30, np.arange(HEIGHT)[:, None, None]
    if names == "RGBA":
        data["A"] = np.arange(HEIGHT)[None, :, None]
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "a.nii")
    assert write_picture(tmp_path / "a.nii", tmp_path / "a.png")
    shown = (data["R"].astype(float) + data["G"])[:, :, 0].T[::-1] / 3
    assert np.abs(decode(tmp_path / "a.png") - grey(shown)).max() <= 1


def test_an_image_that_ends_too_early_has_none(tmp_path: Path) -> None:
    save(tmp_path / "a.nii", np.ones((8, 8, 8), np.float32))
    with (tmp_path / "a.nii").open("r+b") as file:
        file.truncate(352 + 8 * 8 * 8 * 4 - 1)
    assert not write_picture(tmp_path / "a.nii", tmp_path / "a.png")


@pytest.mark.parametrize(("rows", "offset"), [([64], 352), ([0], 353), ([2**63], 352), ([2**64 - 1], 2**64 - 1)])
def test_the_core_reads_no_voxel_beyond_the_end(tmp_path: Path, rows: list[int], offset: int) -> None:
    save(tmp_path / "a.nii", np.ones((8, 8, 1), np.float32))
    columns = [0] if rows != [0] else [63]
    with pytest.raises(OSError, match=re.escape(str(tmp_path / "a.nii"))):
        grey_slice(str(tmp_path / "a.nii"), offset, 16, rows, columns, big_endian=False)


def test_a_type_that_cannot_be_shown_is_told(tmp_path: Path) -> None:
    save(tmp_path / "a.nii", np.ones((8, 8, 1), np.float32))
    with pytest.raises(ValueError, match="voxels of type 1"):
        grey_slice(str(tmp_path / "a.nii"), 352, 1, [0], [0], big_endian=False)
