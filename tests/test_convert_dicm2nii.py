"""The real dicm2nii in Octave is compared with dcm2niix, if both are installed."""

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from qxbatch.convert import dicm2nii
from qxbatch.convert.available import find_converters
from qxbatch.convert.series import convert_series
from qxbatch.model import Conversion, Series, SeriesKind, State
from qxbatch.parrec import read_par
from qxbatch.settings.model import Tool
from tests.test_convert_series import ConverterSettings, described

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        dicm2nii.find() is None,
        reason="dicm2nii or octave-cli is not installed: set QXBATCH_DICM2NII_DIR to run the converter",
    ),
]

GE = "dcm_qa_nih/In/20180918GE/mr_0004"
SIEMENS = "dcm_qa_nih/In/20180918Si/mr_0003"


def convert(folder: Path, files: Sequence[Path], kind: SeriesKind, tool: Tool) -> Conversion:
    """Convert files as a run does."""
    source = folder / tool.value / "dicom" / "30"
    source.mkdir(parents=True)
    for path in files:
        shutil.copy(path, source / (path.name if kind is SeriesKind.PARREC else f"{path.stem}.dcm"))
    header: dict[str, Any] = {}
    if kind is SeriesKind.PARREC:
        header = read_par(next(source.glob("*.PAR"))).dicom()
    else:
        header = {"SeriesDescription": described(min(source.iterdir()))}
    size = sum(path.stat().st_size for path in files)
    settings: Any = ConverterSettings(tool=tool)
    series = Series(30, kind, header, len(files), size, source)
    work = folder / tool.value / "work"
    return convert_series(series, settings, work, find_converters(settings), threading.Event())


def volumes(conversion: Conversion) -> list[tuple[Any, Any]]:
    """Return each volume in RAS order with its affine."""
    canonical = []
    for output in conversion.outputs:
        image: Any = nib.as_closest_canonical(nib.load(output.nifti))
        data = image.get_fdata()
        canonical += [(data if data.ndim == 3 else data[..., t], image.affine) for t in range((*data.shape, 1)[3])]
    return canonical


@pytest.mark.parametrize(
    ("files", "kind", "suffixes"),
    [
        pytest.param(f"{SIEMENS}/*.dcm", SeriesKind.DICOM, [""], id="siemens-mosaic"),
        pytest.param(f"{GE}/*.dcm", SeriesKind.DICOM, [""], id="ge"),
        pytest.param("nitest-balls1/PARREC/T2_.*", SeriesKind.PARREC, [""], id="par-rec-4d"),
        pytest.param("nitest-balls1/PARREC/T1.*", SeriesKind.PARREC, [""], id="par-rec-3d"),
        pytest.param("nitest-balls1/PARREC/fieldmap.*", SeriesKind.PARREC, ["", "_ph"], id="par-rec-field-map"),
    ],
)
def test_voxels_and_affines_equal_those_of_dcm2niix(
    tmp_path: Path, data: Path, files: str, kind: SeriesKind, suffixes: list[str]
) -> None:
    paths = sorted(data.glob(files))
    assert paths
    dicm2nii_result, dcm2niix_result = (convert(tmp_path, paths, kind, tool) for tool in (Tool.DICM2NII, Tool.DCM2NIIX))
    assert dicm2nii_result.tool.startswith("dicm2nii 20")
    assert dicm2nii_result.state is dcm2niix_result.state is State.CONVERTED
    assert [output.suffix for output in dicm2nii_result.outputs] == suffixes
    assert all("json" in output.sidecars for output in dicm2nii_result.outputs)
    tested, reference = volumes(dicm2nii_result), volumes(dcm2niix_result)
    assert len(tested) == len(reference)
    for (data_tested, affine), (data_reference, affine_reference) in zip(tested, reference, strict=True):
        assert np.abs(affine - affine_reference).max() < 0.05
        # PAR: one converter stores display values, the other floating-point values
        scale = np.abs(data_reference).max() / np.abs(data_tested).max()
        assert kind is SeriesKind.PARREC or scale == 1
        assert np.allclose(data_tested * scale, data_reference, rtol=1e-3, atol=1e-3 * np.abs(data_reference).max())


def test_an_unsupported_transfer_syntax_is_a_failure_with_the_message_of_dicm2nii(tmp_path: Path, data: Path) -> None:
    (path,) = (data / "dcm_qa_ts").rglob("4.dcm")
    conversion = convert(tmp_path, [path], SeriesKind.DICOM, Tool.DICM2NII)
    assert conversion.state is State.FAILED
    assert "dicm2nii ended with status 1" in conversion.problems[0].message
    assert "Found 1 DICOM file(s)" in conversion.log


def test_a_missing_diffusion_volume_of_a_par_is_reported(tmp_path: Path, data: Path) -> None:
    paths = sorted((data / "nitest-balls1" / "PARREC").glob("DTI.*"))
    conversion = convert(tmp_path, paths, SeriesKind.PARREC, Tool.DICM2NII)
    assert conversion.state is State.PARTIAL
    assert any("made 7 volumes, the PAR has 8" in problem.message for problem in conversion.problems)
