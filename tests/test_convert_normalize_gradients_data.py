"""Real diffusion series: the copies give the same table as the direct conversion."""

import gzip
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from qxbatch.convert.dcm2niix import find
from tests.build.normalized import normalized

pytestmark = pytest.mark.data
SETS = {
    "Canon classic": "dcm_qa_toshiba/In.zip:In/",
    "Philips classic": "dcm_qa_philips_dwi/In/cl/DICOM:",
    "Philips enhanced": "dicom2nifti_sub/tests/data/philips_enhanced/dti/001:",
    "Philips enhanced with a derived volume": "nitest-balls1/DICOM:DTI.dcm",
    "Siemens classic": "dcm_qa_stc/In.tar.bz2:In/Siemens/E11_2D/",
    "UIH classic": "dcm_qa_stc/In.tar.bz2:In/UIH/R002/",
}


@pytest.mark.parametrize("location", SETS.values(), ids=SETS.keys())
def test_the_copies_give_the_same_table_as_the_series(location: str, data: Path, tmp_path: Path) -> None:
    series, out = tmp_path / "in", tmp_path / "direct"
    series.mkdir()
    out.mkdir()
    source, _, start = location.partition(":")
    for number, content in enumerate(_files(data / source, start)):
        (series / f"IM{number:04}").write_bytes(content)
    for path in list(series.iterdir()):
        if not _is_image(path):
            path.unlink()
    dcm2niix = find()
    assert dcm2niix is not None
    command: list[Any] = [dcm2niix.binary, "-g", "i", "-f", "30", "-z", "n", "-b", "y", "-ba", "y", "-o", out, series]
    subprocess.run(command, check=True, capture_output=True)
    (image,) = [output for output in normalized(series).judgement.outputs if not output.suffix]
    b_values, vectors = _table(out / "30.nii")
    copied_b_values, directions = _table(image.nifti)
    order = _order(out / "30.nii", image.nifti)
    np.testing.assert_allclose(copied_b_values[:, order], b_values, atol=0.01)
    weighted = b_values[0] > 0
    assert weighted.any()
    np.testing.assert_allclose(directions[:, order][:, weighted], vectors[:, weighted], atol=0.01)
    assert not directions[:, order][:, ~weighted].any()


def _files(source: Path, start: str) -> Iterator[bytes]:
    """Yield the files of a folder or an archive whose names start with a prefix."""
    if source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            yield from (archive.read(name) for name in archive.namelist() if name.startswith(start))
    elif source.suffix == ".bz2":
        with tarfile.open(source) as tar:
            members = (tar.extractfile(member) for member in tar if member.name.startswith(start))
            yield from (file.read() for file in members if file is not None)
    else:
        for path in sorted(source.iterdir()):
            if path.is_file() and path.name.startswith(start):
                packed = path.read_bytes()
                yield gzip.decompress(packed) if path.suffix == ".gz" else packed


def _is_image(path: Path) -> bool:
    try:
        return "Rows" in dcmread(path, specific_tags=["Rows"], stop_before_pixels=True)
    except InvalidDicomError:
        return False


def _table(nifti: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    tables = (np.loadtxt(nifti.with_suffix(suffix), ndmin=2) for suffix in (".bval", ".bvec"))
    b_values, vectors = (table.reshape(rows, -1) for table, rows in zip(tables, (1, 3), strict=True))
    return b_values, vectors


def _order(direct: Path, copied: Path) -> list[int]:
    """Return for each volume of the direct conversion the index of the copied volume with the same voxels."""
    first, second = (np.atleast_3d(np.asanyarray(_load(path).dataobj)) for path in (direct, copied))
    assert first.shape == second.shape
    shape = (*first.shape[:3], -1)
    volumes, copied_volumes = first.reshape(shape), second.reshape(shape)
    return [
        next(k for k in range(copied_volumes.shape[3]) if np.array_equal(volumes[..., volume], copied_volumes[..., k]))
        for volume in range(volumes.shape[3])
    ]


def _load(path: Path) -> Any:
    return nibabel.load(path)
