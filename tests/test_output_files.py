"""The files of --log-file and --json-file: they neither replace data nor change them."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from qxbatch.exits import ExitStatus
from tests.build.dicom import MrSeries
from tests.build.study import Study, run_main

OPTIONS = pytest.mark.parametrize("option", ["--json-file", "--log-file"])
FILES = MrSeries().files()


@OPTIONS
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("study.json", "a file that the import itself writes"),
        ("archive/MR/S1.zip", "in the archive"),
        ("inbox/MR/S2.zip", "in the master inbox"),
        ("inbox/MR/new.log", "in the master inbox"),
        ("S1/session.txt", "in the session folder S1"),
        ("S1/nii/new.log", "in the session folder S1"),
        (".qxbatch/new.log", "in the folder of qxbatch's own records"),
    ],
)
def test_an_output_cannot_be_a_file_of_the_study(study: Study, option: str, name: str, what: str) -> None:
    study.put("S1", FILES)
    assert study.main().status == 0
    study.put("S2", FILES)
    path = study.sessions / name
    before = path.read_bytes() if path.exists() else None
    run = study.main(f"{option}={path}", "--overwrite=yes", "--archive=leave")
    assert run.status == ExitStatus.USAGE
    assert f"{option}={path} is {what}" in run.text
    assert (path.read_bytes() if path.exists() else None) == before


@OPTIONS
def test_an_output_cannot_be_a_link_into_the_archive(study: Study, option: str, tmp_path: Path) -> None:
    study.put("S1", FILES)
    assert study.main().status == 0
    archived = study.archive / "S1.zip"
    before = archived.read_bytes()
    link = tmp_path / "run.log"
    link.symlink_to(archived)
    assert study.main(f"{option}={link}", "--check=no").status == ExitStatus.USAGE
    assert archived.read_bytes() == before


@OPTIONS
def test_an_output_can_be_beside_the_sessions_in_an_inbox_around_them(study: Study, option: str) -> None:
    path = study.sessions.parent / "run.log"
    assert study.main(f"--masterinbox={study.sessions.parent}", "--check=no", f"{option}={path}").status == 0
    assert path.exists()


def test_a_summary_replaces_only_a_summary(study: Study, tmp_path: Path) -> None:
    study.put("S1", FILES)
    path = tmp_path / "notes.txt"
    path.write_text("my notes")
    run = study.main(f"--json-file={path}")
    assert run.status == ExitStatus.USAGE
    assert f"--json-file={path} exists and is not the summary of a run" in run.text
    assert path.read_text() == "my notes"
    path.write_text("")
    assert study.main(f"--json-file={path}").status == 0
    path.write_text(json.dumps(json.loads(path.read_bytes())))  # another program laid it out
    assert study.main(f"--json-file={path}", "--check=no").status == 0
    assert json.loads(path.read_bytes())["exit_status"] == 0


def test_no_command_replaces_a_file_by_a_summary(study: Study, tmp_path: Path) -> None:
    packet = study.put("S1", FILES)
    path = tmp_path / "notes.txt"
    path.write_text("my notes")
    run = run_main("worker", str(study.sessions), f"--packet={packet.name}", f"--json-file={path}")
    assert run.status == ExitStatus.CANNOT_WRITE
    assert "it exists and is not the summary of a run" in run.text
    assert path.read_text() == "my notes"


@OPTIONS
def test_an_output_can_be_a_standard_stream(study: Study, option: str) -> None:
    assert study.run(f"{option}=/dev/stdout", "--check=no").status == 0


@OPTIONS
def test_a_study_in_shared_memory_is_protected_too(option: str) -> None:
    with TemporaryDirectory(dir="/dev/shm") as folder:
        study = Study(Path(folder))
        study.put("S1", FILES)
        assert study.main().status == 0
        packet = study.archive / "S1.zip"
        before = packet.read_bytes()
        for path in (packet, f"/proc/self/root{packet}"):
            run = study.main(f"{option}={path}", "--check=no")
            assert run.status == ExitStatus.USAGE, run.text
        assert packet.read_bytes() == before
