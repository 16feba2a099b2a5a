"""The demo packets hold the real scans of pydicom and nibabel."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pydicom
import pytest

from qxbatch import demo


def test_the_packets_hold_every_file_of_their_sources(tmp_path: Path) -> None:
    inbox = demo.make(tmp_path) / "inbox" / "MR"
    with zipfile.ZipFile(inbox / "OP101.zip") as archive:
        assert set(archive.namelist()) == {"README.txt", *(name for name, _ in demo.PYDICOM_MR.files())}
    with tarfile.open(inbox / "OP102_baseline.tar.gz") as archive_tar:
        assert archive_tar.getnames() == ["siemens_dwi_0.dcm.gz", "siemens_dwi_1000.dcm.gz"]
    with zipfile.ZipFile(inbox / "OP104.zip") as archive:
        suffixes = sorted(Path(name).suffix for name in archive.namelist())
    assert suffixes == [".PAR", ".PAR", ".REC", ".REC", ".txt"]


def test_the_first_packet_is_one_patient_with_more_series_than_numbers() -> None:
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for _, path in demo.PYDICOM_MR.files()]
    assert len({header.PatientID for header in headers}) == 1
    numbers = {header.SeriesNumber for header in headers}
    assert len(numbers) < len({header.SeriesInstanceUID for header in headers})


def test_a_package_without_its_data_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"nibabel: no \*\.nothing"):
        demo.Source("nibabel", "tests/data", ("*.nothing",)).files()


def test_the_module_runs_and_names_the_sessions_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qxbatch.demo"]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "study" / "sessions")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 64
