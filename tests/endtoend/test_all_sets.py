"""Every set of the sample data as one packet, with all that lies beside it: who is in it."""

import gzip
import io
import shutil
import tarfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from tests.build.packets import read_tree
from tests.build.study import Study, snapshot
from tests.conftest import data_folder

pytestmark = pytest.mark.data
SEVERAL = 2
FOLDER = data_folder()
SETS = sorted(path.name for path in FOLDER.iterdir() if path.is_dir()) if FOLDER else ["every set"]


def contents(name: str, data: bytes) -> Iterator[bytes]:
    """Yield a file's bytes; those of its members when it is an archive, inflated when it is gzipped."""
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
    """Return the PatientIDs of all that pydicom takes for an object with a series, case ignored."""
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


@pytest.mark.parametrize("name", SETS)
def test_several_patients_are_refused_by_name(name: str, data: Path, tmp_path: Path) -> None:
    study = Study(tmp_path)
    shutil.copytree(data / name, study.inbox / name)
    people = patients(read_tree(study.inbox / name))
    if len(people) < SEVERAL:
        return  # its import is a regression test
    before = snapshot(study.sessions)
    run = study.run("--verbose=no", "--on-mixed=reject")
    assert run.status == 1, run.text
    assert "Traceback" not in run.text, run.text
    missing = {person for person in people if person not in run.text.casefold()}
    assert not missing, run.text
    assert snapshot(study.sessions) == before, "a refused packet leaves everything as it was"
