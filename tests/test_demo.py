"""The demo packets contain the real scans of pydicom and nibabel."""

import json
import tarfile
import zipfile
from pathlib import Path

import pydicom
import pytest

from qxbatch import demo
from tests.build.study import run_command, run_main


def test_the_packets_contain_every_file_of_their_sources(tmp_path: Path) -> None:
    inbox = demo.make_study(tmp_path) / "inbox" / "MR"
    with zipfile.ZipFile(inbox / "OP101.zip") as archive:
        assert set(archive.namelist()) == {"README.txt", *(name for name, _ in demo.PYDICOM_MR.files())}
    with tarfile.open(inbox / "OP102_baseline.tar.gz") as archive_tar:
        assert archive_tar.getnames() == ["siemens_dwi_0.dcm.gz", "siemens_dwi_1000.dcm.gz"]
    with zipfile.ZipFile(inbox / "OP104.zip") as archive:
        suffixes = sorted(Path(name).suffix for name in archive.namelist())
    assert suffixes == [".PAR", ".PAR", ".REC", ".REC", ".txt"]


def test_the_first_packet_has_one_patient_and_more_series_than_series_numbers() -> None:
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for _, path in demo.PYDICOM_MR.files()]
    assert len({header.PatientID for header in headers}) == 1
    numbers = {header.SeriesNumber for header in headers}
    assert len(numbers) < len({header.SeriesInstanceUID for header in headers})


def test_the_error_names_a_package_without_data_files() -> None:
    with pytest.raises(demo.MissingDataError, match=r"nibabel: no \*\.nothing"):
        demo.Source("nibabel", "tests/data", ("*.nothing",)).files()


def test_the_command_imports_the_packets_and_lists_files_to_look_at(tmp_path: Path) -> None:
    run = run_command("demo", "first try", cwd=tmp_path)
    sessions = tmp_path / "first try" / "study" / "sessions"
    assert run.status == 0, run.text
    assert f"$ qxbatch '{sessions}'" in run.out
    listing = run.out.partition("What to look at:")[2]
    listed = [Path(line.strip()) for line in listing.splitlines() if line.startswith("  /")]
    assert len(listed) == 4
    assert [path for path in listed if not path.is_file()] == []


def test_without_an_argument_the_demo_is_created_in_the_current_folder(tmp_path: Path) -> None:
    run = run_command("demo", "--packets-only", cwd=tmp_path)
    sessions = tmp_path / "qxbatch-demo" / "study" / "sessions"
    assert run.status == 0, run.text
    assert f"Import them with: qxbatch {sessions}\n" in run.out
    assert sorted(path.name for path in sessions.iterdir()) == ["inbox"]


def test_the_printed_command_has_the_options_of_the_import(tmp_path: Path) -> None:
    run = run_command("demo", "first try", "--packets-only", "--archive=copy", "--path-map=/a b=/c", cwd=tmp_path)
    sessions = tmp_path / "first try" / "study" / "sessions"
    assert f"Import them with: qxbatch '{sessions}' --archive=copy '--path-map=/a b=/c'\n" in run.out


def test_quiet_and_import_options_are_passed_to_the_import(tmp_path: Path) -> None:
    summary = tmp_path / "run.json"
    run = run_command("demo", str(tmp_path / "demo"), "--quiet", "--archive=copy", f"--json-file={summary}")
    assert run.status == 0
    assert run.out.startswith("To look at:\n  OP101: "), "one session has a warning"
    assert len(json.loads(summary.read_text())["sessions"]) == 4
    assert (tmp_path / "demo/study/sessions/inbox/MR/OP101.zip").exists()
    assert (tmp_path / "demo/study/sessions/archive/MR/OP101.zip").exists()


def test_a_folder_with_files_is_refused_and_unchanged(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("text")
    run = run_main("demo", str(tmp_path))
    assert run.status == 64
    assert f"The folder {tmp_path} is not empty; nothing was changed." in run.err
    assert "qxbatch demo DIR" in run.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_wrong_option_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    assert run_main("demo", str(tmp_path / "new"), "--n-procs=many").status == 64
    assert run_main("demo", str(tmp_path / "a:b")).status == 64
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_created_gives_status_73(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert run_main("demo", str(tmp_path / "file")).status == 64
    run = run_main("demo", str(tmp_path / "file" / "below"))
    assert run.status == 73
    assert f"{tmp_path / 'file' / 'below'}" in run.err


def test_packages_without_data_files_are_reported_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = demo.Source("nibabel", "tests/data", ("*.nothing",))
    monkeypatch.setattr(demo, "SOURCES", (*demo.SOURCES[:3], missing))
    run = run_main("demo", str(tmp_path / "new"))
    assert run.status == 69
    assert "install nibabel with pip" in run.err
    assert list(tmp_path.iterdir()) == []
