"""NIfTI headers are read as nibabel reads them, and invalid ones are refused with a reason."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qxbatch.convert.nifti import read_nifti


def save_image(path: Path, shape: tuple[int, ...], kind: Any = nib.Nifti1Image, **codes: int) -> Any:
    """Write an image with an oblique affine and load it with nibabel."""
    affine = np.array([[-2.0, 0.3, 0.1, 11], [0.2, 2.5, -0.4, -7], [0.1, 0.5, 3.0, 5], [0, 0, 0, 1]])
    image = kind(np.zeros(shape, np.float32), affine)
    image.set_qform(affine, code=codes.get("qform", 1), strip_shears=True)
    image.set_sform(affine, code=codes.get("sform", 1))
    nib.save(image, path)
    return nib.load(path)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize(("qform", "sform"), [(1, 1), (1, 0), (0, 1)])
@pytest.mark.parametrize("shape", [(4, 5, 6), (4, 5, 6, 7), (1, 1, 1), (3, 1)])
def test_shape_and_affine_equal_those_of_nibabel(
    tmp_path: Path, kind: Any, name: str, qform: int, sform: int, shape: tuple[int, ...]
) -> None:
    expected = save_image(tmp_path / name, shape, kind, qform=qform, sform=sform)
    header = read_nifti(tmp_path / name)
    assert header.shape == expected.shape
    assert np.allclose(header.affine, expected.affine[:3], atol=1e-5)
    assert header.voxels == np.prod(shape)


def test_a_left_handed_qform_is_read(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((2, 2, 2), np.int8), np.diag([-1, 2, 3, 1]))
    image.set_sform(None, code=0)
    image.set_qform(np.diag([-1, 2, 3, 1]), code=1)
    nib.save(image, tmp_path / "a.nii")
    assert np.allclose(read_nifti(tmp_path / "a.nii").affine, np.diag([-1, 2, 3, 1])[:3])


def test_a_big_endian_header_is_read(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((2, 3, 4), np.int16), np.eye(4), nib.Nifti1Header(endianness=">"))
    nib.save(image, tmp_path / "a.nii")
    assert read_nifti(tmp_path / "a.nii").shape == (2, 3, 4)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize(("unit", "step"), [("sec", 1.5), ("msec", 1500), ("usec", 1.5e6), ("unknown", 1.5)])
def test_the_time_between_volumes_is_read_in_seconds(tmp_path: Path, kind: Any, unit: str, step: float) -> None:
    image = kind(np.zeros((2, 3, 4, 5), np.int16), np.eye(4))
    image.header.set_xyzt_units("mm", unit)
    image.header["pixdim"][4] = step
    nib.save(image, tmp_path / "a.nii")
    assert read_nifti(tmp_path / "a.nii").time_step == pytest.approx(1.5)


def test_a_truncated_image_is_refused(tmp_path: Path) -> None:
    save_image(tmp_path / "a.nii", (4, 5, 6))
    data = (tmp_path / "a.nii").read_bytes()
    (tmp_path / "a.nii").write_bytes(data[:-1])
    with pytest.raises(ValueError, match=f"cut short: {len(data) - 1} of {len(data)}"):
        read_nifti(tmp_path / "a.nii")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("data", [b"", b"x", b"x" * 1000, b"\x5c\x01\0\0" * 200, b"\x1f\x8b\x08\0"])
def test_a_file_that_is_not_nifti_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match="cannot be read as NIfTI"):
        read_nifti(tmp_path / name)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 351), st.integers(0, 255)), max_size=8))
def test_a_damaged_header_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.nii"
    if not path.exists():
        save_image(path.with_name("valid.nii"), (2, 2, 2))
    data = bytearray(path.with_name("valid.nii").read_bytes())
    for offset, value in changes:
        data[offset] = value
    path.write_bytes(data)
    try:
        header = read_nifti(path)
    except ValueError:
        return
    assert min(header.shape) > 0


def test_a_sound_or_sheared_header_has_no_contradiction(tmp_path: Path) -> None:
    save_image(tmp_path / "sheared.nii", (4, 5, 6))
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 6)), np.diag([-2, 2, 3, 1])), tmp_path / "plain.nii")
    assert [read_nifti(tmp_path / name).contradiction for name in ("sheared.nii", "plain.nii")] == ["", ""]


def test_another_qform_or_voxel_size_is_a_contradiction(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((4, 5, 6), np.float32), np.diag([-2, 2, 3, 1]))
    image.set_qform(np.array([[-2, 0, 0, 4], [0, 2, 0, 3], [0, 0, 3, 0], [0, 0, 0, 1]]), code=1)
    nib.save(image, tmp_path / "moved.nii")
    assert "(sform and qform) differ by 5.0 mm" in read_nifti(tmp_path / "moved.nii").contradiction
    image.set_qform(None, code=0)
    image.header["pixdim"][3] = 4
    nib.save(image, tmp_path / "size.nii")
    assert "voxels of 4 mm, and their distance by its affine is 3 mm" in read_nifti(tmp_path / "size.nii").contradiction
