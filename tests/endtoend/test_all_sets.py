"""Every set of the sample data as one packet with all its files: refused if it has several patients, else sorted."""

import gzip
import hashlib
import io
import shutil
import tarfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from qxbatch.cli.main import main
from qxbatch.session.ledger import read_ledger
from tests.build.packets import read_tree
from tests.build.study import Study, snapshot

pytestmark = pytest.mark.data
PATIENTS = {
    "dcm_qa": 2,
    "dcm_qa_12bit": 1,
    "dcm_qa_agfa": 1,
    "dcm_qa_enh": 2,
    "dcm_qa_frag": 1,
    "dcm_qa_ge": 4,
    "dcm_qa_me": 1,
    "dcm_qa_mosaic": 1,
    "dcm_qa_nih": 1,
    "dcm_qa_pdt2": 1,
    "dcm_qa_philips_dwi": 1,
    "dcm_qa_spec": 1,
    "dcm_qa_stc": 6,
    "dcm_qa_toshiba": 1,
    "dcm_qa_ts": 1,
    "dcm_qa_xa30": 1,
    "dcm_qa_xa30i": 1,
    "dicom2nifti_sub": 1,
    "nibabel_parrec": 0,
    "nitest-balls1": 1,
    "pydicom_testfiles": 25,
}
"""Number of PatientIDs in the DICOM objects of each set. PAR/REC files have none."""
SEVERAL = [name for name, count in PATIENTS.items() if count > 1]
AT_MOST_ONE = [name for name, count in PATIENTS.items() if count <= 1]


def contents(name: str, data: bytes) -> Iterator[bytes]:
    """Yield a file's bytes; those of its members if it is an archive, inflated if it is gzipped."""
    if data[:4] == b"PK\x03\x04" and name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (archive.read(info) for info in archive.infolist())
    elif ".tar" in name:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive_tar:
            files = (archive_tar.extractfile(info) for info in archive_tar)
            yield from (file.read() for file in files if file)
    elif data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    else:
        yield data


def patients(members: dict[str, bytes]) -> set[str]:
    """Return the PatientIDs of everything that pydicom reads as an object with a series, ignoring case."""
    found = set()
    tags = ["PatientID", "SeriesInstanceUID", "SOPInstanceUID"]
    for name, packed in members.items():
        for data in contents(name, packed):
            if len(data) < 132 or (data[128:132] != b"DICM" and data[:1] not in (b"\x08", b"\x02")):
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    header = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True, force=True, specific_tags=tags)
            except Exception:  # noqa: BLE001 - a broken file has no patient
                continue
            if header.get("SeriesInstanceUID") and header.get("SOPInstanceUID") and header.get("PatientID"):
                found.add(str(header.PatientID).strip().casefold())
    return found - {""}


def folder_of(name: str, data: Path) -> Path:
    """Return the folder of a set."""
    if not (data / name).is_dir():
        pytest.skip(f"{name} is not in the sample data")
    return data / name


def test_the_table_lists_every_set(data: Path) -> None:
    assert {path.name for path in data.iterdir() if path.is_dir()} <= set(PATIENTS)


@pytest.mark.parametrize("name", SEVERAL)
def test_several_patients_are_refused_by_name(name: str, data: Path, tmp_path: Path) -> None:
    study = Study(tmp_path)
    shutil.copytree(folder_of(name, data), study.inbox / name)
    people = patients(read_tree(study.inbox / name))
    assert len(people) == PATIENTS[name]
    before = snapshot(study.sessions)
    run = study.run("--verbose=no", "--on-mixed=reject")
    assert run.status == 1, run.text
    assert "Traceback" not in run.text, run.text
    missing = {person for person in people if person not in run.text.casefold()}
    assert not missing, run.text
    assert snapshot(study.sessions) == before, "a refused packet leaves everything as it was"


@pytest.mark.parametrize("name", AT_MOST_ONE)
def test_one_patient_is_sorted(name: str, data: Path, tmp_path: Path) -> None:
    """tests/regression covers the conversion of these sets; sorting is enough to count patients."""
    session = Study(tmp_path).session("S1")
    shutil.copytree(folder_of(name, data), session / "inbox" / name)
    tree = read_tree(session / "inbox")
    assert len(patients(tree)) == PATIENTS[name]
    assert main(["sort", str(session), "--on-mixed=reject"]) == 0
    rows = list(read_ledger(session / "qxbatch" / "ledger.tsv"))
    assert {hashlib.sha256(content).hexdigest() for content in tree.values()} <= {row.sha256 for row in rows}
    assert any(row.fate == "sorted" for row in rows)
