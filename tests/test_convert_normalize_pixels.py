"""Pixel values that are stored differently within one series become the values of one image."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from qxbatch.convert.normalize.model import PixelEncoding
from qxbatch.convert.normalize.pixels import stored_values
from tests.build.dicom import Syntax, encoded
from tests.build.normalized import check, failure_of, normalized
from tests.build.slices import Slice, block, classic, write_classic

UNSIGNED = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0}
SIGNED = {"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1}


def write_slices(
    folder: Path, parts: Sequence[tuple[Slice, str, Mapping[str, object]]], syntax: Syntax = Syntax.EXPLICIT
) -> Path:
    """Write slices, each with its own pixel type."""
    folder.mkdir()
    for number, (part, dtype, changes) in enumerate(parts, start=1):
        dataset = classic(part, number, changes, dtype)
        (folder / f"IM{number}").write_bytes(encoded(dataset, syntax))
    return folder


@pytest.mark.parametrize("syntax", [Syntax.EXPLICIT, Syntax.IMPLICIT, Syntax.RLE], ids=lambda syntax: syntax.name)
def test_different_signs_give_one_image(tmp_path: Path, syntax: Syntax) -> None:
    slices = [part.with_(base=-2000 if k % 2 else 0) for k, part in enumerate(block())]
    parts = [(part, "<i2" if k % 2 else "<u2", SIGNED if k % 2 else UNSIGNED) for k, part in enumerate(slices)]
    check(normalized(write_slices(tmp_path / "in", parts, syntax)), slices)


def test_different_bits_stored_give_one_image(tmp_path: Path) -> None:
    slices = [part.with_(base=30000 if k % 2 else 0) for k, part in enumerate(block())]
    wide = UNSIGNED | {"BitsStored": 16, "HighBit": 15}
    parts = [(part, "<u2", wide if k % 2 else UNSIGNED) for k, part in enumerate(slices)]
    check(normalized(write_slices(tmp_path / "in", parts)), slices)


def test_8_and_16_bits_allocated_give_one_image(tmp_path: Path) -> None:
    slices = [part.with_(base=30000 if k % 2 else 0) for k, part in enumerate(block())]
    narrow = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    wide = UNSIGNED | {"BitsStored": 16, "HighBit": 15}
    parts = [(part, "<u2", wide) if k % 2 else (part, "u1", narrow) for k, part in enumerate(slices)]
    check(normalized(write_slices(tmp_path / "in", parts)), slices)


@pytest.mark.parametrize(("low", "dtype"), [(-30000, "int32"), (-1, "int32")])
def test_negative_and_large_values_give_a_wider_type(tmp_path: Path, low: int, dtype: str) -> None:
    slices = [part.with_(base=low - 500 if k % 2 else 60000) for k, part in enumerate(block())]
    wide = UNSIGNED | {"BitsStored": 16, "HighBit": 15}
    parts = [(part, "<i2", SIGNED) if k % 2 else (part, "<u2", wide) for k, part in enumerate(slices)]
    attempt = normalized(write_slices(tmp_path / "in", parts))
    check(attempt, slices)
    image: Any = nibabel.load(attempt.judgement.outputs[0].nifti)
    assert image.get_data_dtype() == np.dtype(dtype)


def test_a_16_bit_type_is_kept_if_it_can_represent_the_values(tmp_path: Path) -> None:
    slices = [part.with_(base=-2000 if k % 2 else 0) for k, part in enumerate(block())]
    wide = UNSIGNED | {"BitsStored": 16, "HighBit": 15}
    parts = [(part, "<i2", SIGNED) if k % 2 else (part, "<u2", wide) for k, part in enumerate(slices)]
    attempt = normalized(write_slices(tmp_path / "in", parts))
    check(attempt, slices)
    image: Any = nibabel.load(attempt.judgement.outputs[0].nifti)
    assert image.get_data_dtype() == np.dtype("int16")


def test_scaling_to_integers_is_applied(tmp_path: Path) -> None:
    slices = block()
    parts = []
    for k, part in enumerate(slices):
        stored = part.with_(
            changes={"PixelData": (part.pixels * 2 if k % 2 else part.pixels + 10).astype("<u2").tobytes()}
        )
        scaling = {"RescaleSlope": "0.5" if k % 2 else "1", "RescaleIntercept": "0" if k % 2 else "-10"}
        parts.append((stored, "<u2", {**scaling, **stored.changes}))
    check(normalized(write_slices(tmp_path / "in", parts)), slices)


@pytest.mark.parametrize("vendor", ["ACME", "Philips Medical Systems"])
def test_scaling_to_fractions_is_left_to_the_converter(tmp_path: Path, vendor: str) -> None:
    slopes = (0.5, 0.75, 1.25, 2.5, 3.0, 1.5)
    parts = [
        (part, "<u2", {"RescaleSlope": slope, "RescaleIntercept": 0, "Manufacturer": vendor})
        for part, slope in zip(block(), slopes, strict=True)
    ]
    attempt = normalized(write_slices(tmp_path / "in", parts))
    (output,) = attempt.judgement.outputs
    image: Any = nibabel.load(output.nifti)
    first_pixels = np.asarray(image.dataobj)[0, -1]  # the first pixel of each slice
    assert first_pixels.tolist() == [part.pixels[0, 0] * slope for part, slope in zip(block(), slopes, strict=True)]


def test_bits_above_the_high_bit_are_ignored(tmp_path: Path) -> None:
    slices = block()
    parts = [(part, "<u2", {"PixelData": (part.pixels | 0x9000).astype("<u2").tobytes()}) for part in slices]
    check(normalized(write_slices(tmp_path / "in", parts)), slices)


def test_values_in_the_upper_bits_are_shifted(tmp_path: Path) -> None:
    slices = block()
    upper = {"HighBit": 15}
    parts = [(part, "<u2", upper | {"PixelData": (part.pixels << 4).astype("<u2").tobytes()}) for part in slices]
    check(normalized(write_slices(tmp_path / "in", parts)), slices)


def test_the_high_bit_is_the_sign(tmp_path: Path) -> None:
    slices = [part.with_(base=-1000) for part in block()]
    narrow = {"PixelRepresentation": 1}
    parts = [(part, "<u2", narrow | {"PixelData": (part.pixels & 0xFFF).astype("<u2").tobytes()}) for part in slices]
    check(normalized(write_slices(tmp_path / "in", parts)), slices)


def test_frames_that_cannot_be_decoded_are_refused(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "in", [(part, "<u2", UNSIGNED) for part in block()], Syntax.RLE)
    for path in list(folder.iterdir())[:3]:
        data = path.read_bytes()
        path.write_bytes(data.replace(b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.9.2.5\0"))
    mixed = write_classic(tmp_path / "other", block()[:1], BitsStored=10, HighBit=9)
    (mixed / "IM0001").rename(folder / "IM9")
    assert "cannot be" in failure_of(normalized(folder))


def test_a_truncated_frame_is_refused(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "in", [(part, "<u2", UNSIGNED) for part in block()])
    path = folder / "IM2"
    path.write_bytes(path.read_bytes()[:-10])
    assert "IM2 contains 86 of 96 bytes of pixel data" in failure_of(normalized(folder))


@pytest.mark.parametrize(
    ("stored", "high", "signed", "bits", "value"),
    [
        (12, 11, False, 0xF123, 0x123),
        (12, 11, True, 0x0FFF, -1),
        (12, 11, True, 0x07FF, 2047),
        (12, 15, False, 0x1230, 0x123),
        (12, 15, True, 0xFFF0, -1),
        (16, 15, True, 0x8000, -32768),
        (16, 15, False, 0x8000, 32768),
        (1, 0, False, 0xFFFF, 1),
    ],
)
def test_stored_bits_are_decoded(stored: int, high: int, signed: bool, bits: int, value: int) -> None:
    values = stored_values(np.array([bits], "<u2"), PixelEncoding(16, stored, high, signed))
    assert values.tolist() == [value]
