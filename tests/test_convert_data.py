"""Real data: dcm2niix converts every series of every set, and reproduces the published reference images."""

import io
import tarfile
import threading
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import pytest

from qxbatch.convert.available import find_converters
from qxbatch.convert.series import convert_series
from qxbatch.model import Conversion, Series, SeriesKind, State, Value
from tests.test_convert_series import ConverterSettings, described

pytestmark = pytest.mark.data

SETS = (
    "dcm_qa",
    "dcm_qa_12bit",
    "dcm_qa_agfa",
    "dcm_qa_enh",
    "dcm_qa_frag",
    "dcm_qa_ge",
    "dcm_qa_me",
    "dcm_qa_mosaic",
    "dcm_qa_nih",
    "dcm_qa_pdt2",
    "dcm_qa_philips_dwi",
    "dcm_qa_spec",
    "dcm_qa_stc",
    "dcm_qa_toshiba",
    "dcm_qa_ts",
    "dcm_qa_xa30",
    "dcm_qa_xa30i",
    "dicom2nifti_sub",
    "nitest-balls1",
)


def dicom_files(folder: Path) -> dict[tuple[str, ...], list[tuple[str, bytes]]]:
    """Return the DICOM files of a set by series, also those in archives and gzip files."""
    import gzip

    series: defaultdict[tuple[str, ...], list[tuple[str, bytes]]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or {"Ref", "NIFTI"} & set(path.parts):
            continue
        for data in members(path):
            plain = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
            try:
                header = pydicom.dcmread(io.BytesIO(plain), stop_before_pixels=True, force=True)
                key = tuple(
                    str(header.get(name, "")) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber")
                )
            except Exception:  # noqa: BLE001  the sets contain other files of any kind
                continue
            if key[1]:
                series[key].append((f"{len(series[key]):05}.dcm", plain))
    return dict(series)


def members(path: Path) -> list[bytes]:
    """Return the files of an archive, or the file."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return [archive.read(name) for name in archive.namelist() if not name.endswith("/")]
    if path.name.endswith((".tar.gz", ".tar.bz2")):
        with tarfile.open(path) as tar:
            return [file.read() for member in tar if (file := tar.extractfile(member)) is not None]
    return [path.read_bytes()]


def convert_set(folder: Path, root: Path) -> list[Conversion]:
    """Convert each series of a set."""
    settings: Any = ConverterSettings()
    tools = find_converters(settings)
    conversions = []
    for number, (key, files) in enumerate(sorted(dicom_files(folder).items()), 1):
        source = root / "dicom" / str(10 * number)
        source.mkdir(parents=True)
        for name, data in files:
            (source / name).write_bytes(data)
        header: dict[str, Value] = {"SeriesNumber": key[2], "SeriesDescription": described(min(source.iterdir()))}
        size = sum(len(data) for _, data in files)
        series = Series(10 * number, SeriesKind.DICOM, header, len(files), size, source)
        conversions.append(convert_series(series, settings, root / "work", tools, threading.Event()))
    return conversions


@pytest.mark.parametrize("name", SETS)
def test_every_series_is_converted_or_contains_no_image(data: Path, tmp_path: Path, name: str) -> None:
    conversions = convert_set(data / name, tmp_path)
    assert conversions
    results = [(c.series.header, c.state, [problem.message for problem in c.problems]) for c in conversions]
    assert [result for result in results if result[1] is State.FAILED] == []
    assert [result for result in results if result[1] is State.PARTIAL] == []


def test_images_equal_the_reference(data: Path, tmp_path: Path) -> None:
    reference: dict[bytes, Any] = {}
    for path in sorted((data / "dcm_qa_nih" / "Ref").glob("*.nii")):
        image: Any = nib.load(path)
        reference[np.asarray(image.dataobj).tobytes()] = image
    conversions = convert_set(data / "dcm_qa_nih" / "In", tmp_path)
    outputs = [output for conversion in conversions for output in conversion.outputs]
    assert len(outputs) == len(reference) == 8
    for output in outputs:
        image = nib.load(output.nifti)
        expected = reference.pop(np.asarray(image.dataobj).tobytes())
        assert np.allclose(image.affine, expected.affine, atol=1e-4)
    assert reference == {}
