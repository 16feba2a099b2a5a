"""Sessions named `dicom` or `nii`: commands do not take them for folders of a session, or a sessions folder for a session."""

import json
from pathlib import Path

import pytest

from qxbatch.session.contents import is_session
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_folder
from tests.build.study import Study, run_command

FILES = under("x", MrSeries(number=3, description="T1w").files())


@pytest.fixture
def mixed(study: Study) -> Study:
    """A study with the sessions OP1, dicom and nii."""
    for name in ("OP1", "dicom", "nii"):
        study.put(name, FILES, Kind.FOLDER)
    assert study.run().status == 0
    return study


def test_verify_and_report_work_on_the_sessions_folder(mixed: Study) -> None:
    verified = run_command("verify", str(mixed.sessions), "--json")
    assert [Path(each["session"]).name for each in json.loads(verified.out)["sessions"]] == ["OP1", "dicom", "nii"]
    assert run_command("report", str(mixed.sessions)).status == 0
    assert (mixed.sessions / "report.html").exists()


@pytest.mark.parametrize("command", ["convert", "sort"])
def test_a_sessions_folder_is_not_converted_as_a_session(mixed: Study, command: str) -> None:
    run = run_command(command, str(mixed.sessions))
    assert run.status == 64, run.text
    assert "OP1" in run.text


def test_a_second_import_and_folder_mode_recognise_the_sessions(mixed: Study) -> None:
    mixed.put("dicom", FILES, Kind.FOLDER)
    assert "already there" in mixed.run("--check=no").text
    run = run_command(str(mixed.sessions), "--masterinbox=none", "--sessions=*", "--overwrite")
    assert run.status == 0, run.text
    assert mixed.session_names() == ["OP1", "dicom", "nii"]


def test_a_session_named_sessions_does_not_make_its_parent_a_study_folder(study: Study, tmp_path: Path) -> None:
    study.put("sessions", FILES, Kind.FOLDER)
    out = tmp_path / "out"
    call = (str(study.inbox), str(out), "participant")
    assert run_command(*call).status == 0
    again = run_command(*call, "--check=no")
    assert (again.status, "study folder" in again.text) == (0, False), again.text
    assert [path.name for path in out.iterdir() if path.is_dir()] == ["sessions"]


def test_a_folder_sorted_by_another_program_is_a_session(tmp_path: Path) -> None:
    write_folder({"dicom/10/1.dcm": b"x"}, tmp_path / "S1")
    write_folder({"session.txt": b"x"}, tmp_path / "S2")
    assert is_session(tmp_path / "S1")
    assert is_session(tmp_path / "S2")
    assert not is_session(tmp_path)
