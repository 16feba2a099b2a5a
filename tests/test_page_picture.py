"""Pictures of images, checked with an independent PNG reader."""

import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from qxbatch.core import Statistics, colour_slice, grey_slice
from qxbatch.page.heat import palette
from qxbatch.page.picture import HEIGHT, write_picture
from qxbatch.page.png import encode_png
from qxbatch.page.thumbnail import thumbnail
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary_parts import ImageSummary


def decode(path: Path) -> NDArray[np.uint8]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + body)
        chunks[name] = body
        at += 12 + length
    wide, high, bits, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert bits == 8
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(high, -1)
    assert not lines[:, 0].any()
    pixels = lines[:, 1:]
    if kind == 3:
        return np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[pixels]
    assert kind in (0, 2)
    assert pixels.shape[1] == wide * (3 if kind == 2 else 1)
    return pixels.reshape(high, wide, 3) if kind == 2 else pixels


def plain(pixels: NDArray[Any], slice_widths: Sequence[int] = (HEIGHT,)) -> NDArray[np.float64]:
    """Return the pixels with the areas of the letters black."""
    left, middle, blanked = 0, HEIGHT // 2, pixels.astype(float)
    for wide in slice_widths:
        centre = left + wide // 2
        blanked[middle - 6 : middle + 6, left : left + 10] = 0
        blanked[middle - 6 : middle + 6, left + wide - 10 : left + wide] = 0
        blanked[:12, centre - 6 : centre + 6] = 0
        blanked[-12:, centre - 6 : centre + 6] = 0
        left += wide + 4
    return blanked


def save(path: Path, data: NDArray[np.float32], zooms: tuple[float, ...] = (1, 1, 1)) -> Path:
    nib.save(nib.Nifti1Image(data, np.diag([*zooms, 1])), path)
    return path


def test_a_volume_is_shown_in_three_planes(tmp_path: Path) -> None:
    data = np.zeros((40, 40, 40), np.float32)
    data[30:, :, :] = 100  # right, in RAS
    assert write_picture(save(tmp_path / "a.nii", data), tmp_path / "a.png")
    pixels = decode(tmp_path / "a.png")
    assert pixels.shape == (HEIGHT, 3 * HEIGHT + 8)
    axial = pixels[20:80, :HEIGHT]
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
def test_unusual_images_have_a_picture(tmp_path: Path, data: NDArray[np.float32]) -> None:
    assert write_picture(save(tmp_path / "a.nii", data), tmp_path / "a.png")
    assert decode(tmp_path / "a.png").shape[0] == HEIGHT


def test_a_file_that_is_no_image_has_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.nii").write_bytes(b"no image")
    assert not write_picture(tmp_path / "a.nii", tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def grey(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected grey values, computed by numpy, from the 1st to the 99th percentile."""
    low, high = np.percentile(values, (1, 99))
    levels: NDArray[np.float64] = np.floor(np.clip((values - low) / (high - low), 0, 1) * 255)
    return levels


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
    expected = np.abs(read).astype(np.float64)[::-1].T[::-1]  # left is at the left, front at the top
    assert np.abs(plain(decode(tmp_path / "a.png")) - plain(grey(expected))).max() <= 1


@pytest.mark.parametrize("axcodes", ["LPS", "RAS", "PIR", "SLA", "ARI"])
def test_each_plane_has_the_usual_orientation(tmp_path: Path, axcodes: str) -> None:
    data = np.random.default_rng(6).random((40, 48, 56)).astype(np.float32)
    image = nib.Nifti1Image(data, np.eye(4))
    codes = nib.orientations.axcodes2ornt(tuple(axcodes))
    nib.save(image.as_reoriented(codes), tmp_path / "a.nii")
    nib.save(image, tmp_path / "b.nii")
    shape = nib.load(tmp_path / "a.nii").shape  # type: ignore[attr-defined]
    assert sorted(shape) == [40, 48, 56]
    assert write_picture(tmp_path / "a.nii", tmp_path / "a.png")
    pixels = decode(tmp_path / "a.png")
    at = 0
    for world, (across, up) in {2: (0, 1), 1: (0, 2), 0: (1, 2)}.items():
        size = data.shape
        wide, high = (round(size[axis] * HEIGHT / max(size[across], size[up])) for axis in (across, up))
        # With an even number of slices, the picture shows the later of the two middle ones along the axis of the file.
        slices = [np.take(data, size[world] // 2 - step, axis=world).T[::-1] for step in (0, 1)]
        rows = np.arange(high) * size[up] // high
        columns = np.arange(wide) * size[across] // wide
        top = (HEIGHT - high) // 2
        fields = [np.zeros((HEIGHT, wide)) for _ in slices]
        for field, plane in zip(fields, slices, strict=True):
            field[top : top + high] = grey(plane[rows][:, columns].astype(float))
        part = plain(pixels[:, at : at + wide].astype(float), [wide])
        assert min(np.abs(part - plain(field, [wide])).max() for field in fields) <= 1
        at += wide + 4


@pytest.mark.parametrize("distance", [1, 7, 10_000], ids=["side by side", "near", "far"])
def test_the_core_reads_pixels_at_any_distance(tmp_path: Path, distance: int) -> None:
    values = np.random.default_rng(7).integers(-3000, 3000, 700_000).astype("<i2")
    (tmp_path / "a").write_bytes(b"head" + values.tobytes())
    rows, columns = [5, 0, 9], [distance * k for k in (60, 0, 3, 59)]
    result = np.frombuffer(grey_slice(str(tmp_path / "a"), 4, 4, rows, columns, big_endian=False), np.uint8)
    expected = grey(values[np.add.outer(rows, columns)].astype(float))
    assert np.abs(result.reshape(3, 4) - expected).max() <= 1


@pytest.mark.parametrize("names", ["RGB", "RGBA"])
def test_an_rgb_image_has_a_colour_picture(tmp_path: Path, names: str) -> None:
    data = np.zeros((HEIGHT, HEIGHT, 1), dtype=[(name, "u1") for name in names])
    data["R"], data["G"] = 30, np.arange(HEIGHT)[:, None, None]
    data["B"] = np.arange(HEIGHT)[None, :, None]
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "a.nii")
    assert write_picture(tmp_path / "a.nii", tmp_path / "a.png")
    pixels = decode(tmp_path / "a.png")
    for channel, name in enumerate("RGB"):
        expected = data[name][:, :, 0].T[::-1].astype(float)
        assert np.array_equal(plain(pixels[:, :, channel]), plain(expected))


LETTERS: dict[tuple[int, ...], list[tuple[str, ...]]] = {
    (60, 48, 54): [("L", "R", "A", "P"), ("L", "R", "S", "I"), ("P", "A", "S", "I")],
    (60, 60, 1): [("L", "R", "A", "P")],
    (1, 60, 60): [("P", "A", "S", "I")],
    (60, 1, 60): [("L", "R", "S", "I")],
}


@pytest.mark.parametrize("shape", LETTERS)
def test_letters_mark_the_sides_of_each_plane(tmp_path: Path, shape: tuple[int, ...]) -> None:
    assert write_picture(save(tmp_path / "a.nii", np.zeros(shape, np.float32)), tmp_path / "a.png")
    pixels, left = decode(tmp_path / "a.png"), 0
    for letters, wide in zip(LETTERS[shape], widths(shape), strict=True):
        field = pixels[:, left : left + wide]
        middle, centre = HEIGHT // 2, wide // 2
        sides = (field[middle - 6 : middle + 6, :12], field[middle - 6 : middle + 6, -12:])
        areas = (*sides, field[:14, centre - 6 : centre + 6], field[-14:, centre - 6 : centre + 6])
        assert tuple(map(letter, areas)) == letters
        left += wide + 4


def widths(shape: tuple[int, ...]) -> list[int]:
    x, y, z = shape
    pairs = [(x, y), (x, z), (y, z)]
    return [round(wide * HEIGHT / max(wide, high)) for wide, high in pairs if 1 not in (wide, high)]


def letter(area: NDArray[np.uint8]) -> str:
    """Return the letter drawn in an area, recognised by the shape of its pixels that are not black."""
    ys, xs = np.nonzero(area)
    rows = area[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1] > 0
    first, last = rows[0], rows[-1]
    if rows.shape[1] == 3:
        return "I"
    if last.all():
        return "L"
    if rows[:, 0].all():
        return "P" if last.sum() == 1 else "R"
    return "A" if not first[0] and rows[3].all() else "S"


def test_a_single_voxel_has_no_picture(tmp_path: Path) -> None:
    assert not write_picture(save(tmp_path / "a.nii", np.ones((1, 1, 1, 64), np.float32)), tmp_path / "a.png")


def test_a_time_series_has_pictures_of_its_mean_and_of_a_map_in_colours(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    data = rng.normal(0, 1, (HEIGHT, HEIGHT, 1, 40)).astype(np.float32)
    data[48:144, 24:168] += 200 + np.arange(96)[:, None, None, None]
    save(tmp_path / "a.nii", data)
    statistics = Statistics.read(str(tmp_path / "a.nii"))
    assert statistics is not None
    assert write_picture(tmp_path / "a.nii", tmp_path / "a.png", statistics, tmp_path / "b.png")
    expected = data.astype(float).mean(axis=3)[:, :, 0].T[::-1]
    assert np.abs(plain(decode(tmp_path / "a.png")) - plain(grey(expected))).max() <= 1
    pixels = decode(tmp_path / "b.png")[20:-20, 20:-20]
    light = pixels.astype(float) @ (0.2126, 0.7152, 0.0722)
    outside = np.ones((HEIGHT, HEIGHT), bool)
    outside[48:144, 24:168] = False
    outside = outside.T[::-1][20:-20, 20:-20]
    assert light[outside].max() < 1
    assert light[~outside].min() > 40


def test_the_colours_of_a_map_become_brighter_evenly() -> None:
    colours = np.frombuffer(palette(), np.uint8).reshape(256, 3)
    linear = np.where(colours <= 10, colours / 255 / 12.92, ((colours / 255 + 0.055) / 1.055) ** 2.4)
    luminance = linear @ (0.2126, 0.7152, 0.0722)
    lightness = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
    steps = np.diff(lightness[::15])
    assert 0.6 * steps.mean() < steps[2:].min()
    assert steps.max() < 1.5 * steps.mean()


def test_a_truncated_image_has_no_picture(tmp_path: Path) -> None:
    save(tmp_path / "a.nii", np.ones((8, 8, 8), np.float32))
    with (tmp_path / "a.nii").open("r+b") as file:
        file.truncate(352 + 8 * 8 * 8 * 4 - 1)
    assert not write_picture(tmp_path / "a.nii", tmp_path / "a.png")


@pytest.mark.parametrize(("rows", "offset"), [([64], 352), ([0], 353), ([2**63], 352), ([2**64 - 1], 2**64 - 1)])
def test_the_core_reads_no_voxel_beyond_the_end_of_the_file(tmp_path: Path, rows: list[int], offset: int) -> None:
    save(tmp_path / "a.nii", np.ones((8, 8, 1), np.float32))
    columns = [0] if rows != [0] else [63]
    with pytest.raises(OSError, match=re.escape(str(tmp_path / "a.nii"))):
        grey_slice(str(tmp_path / "a.nii"), offset, 16, rows, columns, big_endian=False)


def test_an_unsupported_data_type_is_an_error(tmp_path: Path) -> None:
    save(tmp_path / "a.nii", np.ones((8, 8, 1), np.float32))
    with pytest.raises(ValueError, match="voxels of type 1"):
        grey_slice(str(tmp_path / "a.nii"), 352, 1, [0], [0], big_endian=False)


def test_greyscale_voxels_have_no_colour_slice(tmp_path: Path) -> None:
    save(tmp_path / "a.nii", np.ones((8, 8, 1), np.float32))
    assert colour_slice(str(tmp_path / "a.nii"), 352, 16, [0], [0]) is None


def png(pixels: bytes, width: int = 3, height: int = 3, *, has_header: bool = True) -> bytes:
    """Return a grey PNG with these scan lines."""
    encoded = encode_png(pixels, width, height)
    return encoded if has_header else encoded.replace(b"IHDR", b"oHDR")


@pytest.mark.parametrize(
    ("data", "has_thumbnail"),
    [
        (png(b"\0abc\0abc\0abc"), True),
        (png(b"\0abc\0abc\0a"), False),
        (png(b"\0abc\0abc\0abc\0abc"), True),
        (png(b"\0abc\0abc\0abc", has_header=False), False),
        (png(b"", 0, 0), False),
        (png(bytes(1 << 20), (1 << 32) - 1, (1 << 32) - 1), False),
        (png(b"\0abc\0abc\0abc")[:-30], False),
        (png(b"\0abc")[:20], False),
        (b"no picture", False),
    ],
    ids=["sound", "cut", "more", "headless", "empty", "huge", "cut-data", "cut-header", "other"],
)
def test_a_picture_that_was_replaced_has_a_thumbnail_or_none(tmp_path: Path, data: bytes, has_thumbnail: bool) -> None:
    paths = SessionPaths(tmp_path)
    image = ImageSummary(31, 30, 1, 1, "T1w", {}, shape=(4, 4, 4), files=())
    paths.pictures.mkdir(parents=True)
    paths.picture(31).write_bytes(data)
    summary = SimpleNamespace(images=[image])
    assert (thumbnail(paths, summary) is not None) == has_thumbnail  # type: ignore[arg-type]
