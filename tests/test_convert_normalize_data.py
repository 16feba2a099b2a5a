"""Real series: the normalized copies give the same voxels, affines and JSON fields as the series itself."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom import dcmread

from qxbatch.convert.dcm2niix import find
from tests.build.normalized import normalized

pytestmark = pytest.mark.data
FIELDS = (
    "RepetitionTime",
    "EchoTime",
    "FlipAngle",
    "SliceTiming",
    "PhaseEncodingDirection",
    "PhaseEncodingAxis",
    "TotalReadoutTime",
    "EffectiveEchoSpacing",
    "SeriesNumber",
    "MagneticFieldStrength",
)


@dataclass(frozen=True)
class Case:
    """The folder of one series in the data sets."""

    folder: str
    pattern: str = "*"
    volumes: tuple[int, ...] = ()
    """Index in the image of the copies of each volume of the direct conversion; empty: the order is the same."""


CASES = {
    "Siemens XA30 ASL": Case("dcm_qa_xa30/In/25_asl_2d_tra"),
    "Siemens XA30 T1": Case("dcm_qa_xa30/In/5_anat-T1w_acq-tfl"),
    "Siemens XA30 field map": Case("dcm_qa_xa30/In/8_gre_field_mapping"),
    "Siemens XA30 field map phase": Case("dcm_qa_xa30/In/9_gre_field_mapping"),
    "Siemens XA10": Case("dcm_qa_enh/In/Siemens/XA10"),
    "Siemens XA20 as Agfa stores it": Case("dcm_qa_agfa/Agfa"),
    "Siemens XA30 classic": Case("dcm_qa_frag/In/5001_anat-T1w_acq-tfl"),
    "Siemens echoes": Case("dcm_qa_me/In/2_me_FieldMap_GRE"),
    "Siemens phase": Case("dcm_qa_me/In/3_me_FieldMap_GRE"),
    "Siemens PD and T2": Case("dcm_qa_pdt2/In/Siemens/VE11"),
    "Philips B0": Case("dcm_qa_enh/In/Philips"),
    "Philips DTI": Case("nitest-balls1/DICOM", "DTI.dcm", (1, 2, 3, 4, 5, 6, 0, 7)),
    "Philips T2*": Case("nitest-balls1/DICOM", "T2_.dcm"),
    "Philips field map": Case("nitest-balls1/DICOM", "fieldmap.dcm"),
    "Philips fMRI": Case("dicom2nifti_sub/tests/data/philips_enhanced/fmri/001"),
    "GE EPI, first slice on top": Case("dcm_qa_nih/In/20180918GE/mr_0004"),
    "GE EPI, first slice below": Case("dcm_qa_nih/In/20180918GE/mr_0006"),
    "GE anatomy": Case("dicom2nifti_sub/tests/data/anatomical/001_implicit"),
    "Hitachi": Case("dicom2nifti_sub/tests/data/hitachi/anatomical/001"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_copies_give_the_same_images_as_the_series(case: Case, data: Path, tmp_path: Path) -> None:
    series = tmp_path / "in"
    series.mkdir()
    for path in sorted((data / case.folder).glob(case.pattern)):
        if path.is_file() and "Rows" in dcmread(path, stop_before_pixels=True, force=True):
            shutil.copyfile(path, series / path.name)
    direct = _direct(series, tmp_path / "direct")
    attempt = normalized(series)
    assert len(direct) == len(attempt.judgement.outputs), attempt.log
    fields_of_copies = {output.nifti: _fields(output.sidecars.get("json")) for output in attempt.judgement.outputs}
    for nifti in direct:
        copied = _matching_image(nifti, list(fields_of_copies), case.volumes)
        fields = _fields(nifti.with_suffix(".json"))
        assert {
            name: fields_of_copies[copied][name]
            for name in fields_of_copies[copied]
            if fields_of_copies[copied][name] != fields.get(name)
        } == {}
        del fields_of_copies[copied]


def _direct(series: Path, out: Path) -> list[Path]:
    dcm2niix = find()
    assert dcm2niix is not None
    out.mkdir()
    command: list[Any] = [dcm2niix.binary, "-g", "i", "-f", "30", "-z", "n", "-b", "y", "-ba", "y", "-o", out, series]
    subprocess.run(command, check=True, capture_output=True)
    return sorted(out.glob("*.nii"))


def _matching_image(nifti: Path, others: list[Path], volumes: tuple[int, ...]) -> Path:
    """Return the image with the same voxels and affine."""
    image: Any = nibabel.load(nifti)
    values = np.asanyarray(image.dataobj)
    names = []
    for path in others:
        candidate: Any = nibabel.load(path)
        if candidate.shape != image.shape:
            continue
        voxels = np.asanyarray(candidate.dataobj)
        if volumes:
            voxels = voxels[..., list(volumes[: image.shape[3]])]
        if np.array_equal(values, voxels):
            return path if np.abs(image.affine - candidate.affine).max() < 0.02 else pytest.fail("the affine differs")
        names.append(path.name)
    pytest.fail(f"no image has the voxels of {nifti.name}; those of its shape are {names}")


def _fields(path: Path | None) -> dict[str, Any]:
    if path is None or not path.exists():
        return {}
    sidecar = json.loads(path.read_text(encoding="utf-8"))
    return {name: sidecar[name] for name in FIELDS if name in sidecar}
