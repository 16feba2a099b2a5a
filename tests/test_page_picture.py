"""Pictures of images, read back by an independent reader of PNG."""

import struct
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from qxbatch.page.picture import HEIGHT, first_volume, write_picture


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


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image], ids=["nifti-1", "nifti-2"])
@pytest.mark.parametrize("word", ["u1", "<i2", ">i2", "<i4", ">f4", "<f8", "u2", "<c8"])
def test_the_first_volume_is_what_nibabel_reads(tmp_path: Path, kind: type, word: str) -> None:
    data = np.arange(6 * 5 * 4 * 3).reshape(6, 5, 4, 3).astype(word)
    header = kind.header_class(endianness=">" if word.startswith(">") else "<")  # type: ignore[attr-defined]
    header.set_data_dtype(data.dtype)
    nib.save(kind(data, np.diag([-2, 2, 3, 1]), header), tmp_path / "a.nii")
    volume, _ = first_volume(tmp_path / "a.nii")
    assert np.array_equal(volume, np.abs(data[..., 0]).astype(np.float32))


def test_a_colour_becomes_its_mean(tmp_path: Path) -> None:
    data = np.zeros((4, 3, 2), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    data["R"], data["G"] = 30, 60
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "a.nii")
    assert np.all(first_volume(tmp_path / "a.nii")[0] == 30)
