"""Imports in a restricted container: owners of the outputs, an unchanged data folder, mapped paths."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.build.study import STUDY_LEVEL, snapshot
from tests.containers.conftest import Case
from tests.containers.container import LOCKED, Image
from tests.endtoend.judge import Judge

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "containers.md"
COMPARE = Path(__file__).resolve().parents[2] / "scripts" / "compare-trees"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")


def test_an_unknown_user_imports_with_a_read_only_root(image: Image, case: Case) -> None:
    before = snapshot(case.data)
    options = [*LOCKED, "--tmpfs=/tmp", *case.as_user]
    run = image.run("/data", "/out", "participant", f"--path-map=/out={case.out}", options=options, mounts=case.mounts)
    assert run.status == 0, run.text
    assert case.sessions() == ["OP1", "OP2"]
    assert case.owners() == {(case.user, case.user)}
    assert snapshot(case.data) == before
    for session in case.sessions():
        Judge(case.out / session).check()


def test_tmp_can_be_read_only(image: Image, case: Case) -> None:
    run = image.run("/data", "/out", "participant", options=[*LOCKED, *case.as_user], mounts=case.mounts)
    assert run.status == 0, run.text
    assert case.sessions() == ["OP1", "OP2"]


def test_tmp_can_be_full(image: Image, case: Case) -> None:
    script = "dd if=/dev/zero of=/tmp/fill 2>&1; df /tmp; exec qxbatch /data /out participant"
    options = [*LOCKED, "--tmpfs=/tmp:size=64k", *case.as_user]
    run = image.run("-c", script, options=[*options, "--entrypoint", "sh"], mounts=case.mounts)
    assert "No space left on device" in run.out
    assert run.status == 0, run.text
    assert case.sessions() == ["OP1", "OP2"]


def test_a_second_run_has_nothing_to_do(image: Image, case: Case) -> None:
    options = [*LOCKED, *case.as_user]
    assert image.run("/data", "/out", "participant", options=options, mounts=case.mounts).status == 0
    before = snapshot(case.out)
    again = image.run("/data", "/out", "participant", options=options, mounts=case.mounts)
    assert again.status == 66, again.text
    assert snapshot(case.out) == before


def test_labels_select_and_skip_bids_validator_is_ignored_with_a_note(image: Image, case: Case) -> None:
    words = ["/data", "/out", "participant", "--participant-label", "OP2", "--skip-bids-validator", "--n-procs", "1"]
    run = image.run(*words, "--mem", "2G", options=[*LOCKED, *case.as_user], mounts=case.mounts)
    assert run.status == 0, run.text
    assert case.sessions() == ["OP2"]
    assert "--skip-bids-validator" in run.err


def test_a_work_folder_can_be_given(image: Image, case: Case) -> None:
    options = [*LOCKED, *case.as_user, "--tmpfs=/work:mode=1777"]
    run = image.run("/data", "/out", "participant", "-w", "/work", options=options, mounts=case.mounts)
    assert run.status == 0, run.text
    assert case.sessions() == ["OP1", "OP2"]


def test_group_writes_the_study_table(image: Image, case: Case) -> None:
    options = [*LOCKED, *case.as_user]
    assert image.run("/data", "/out", "participant", options=options, mounts=case.mounts).status == 0
    before = snapshot(case.out)
    for name in STUDY_LEVEL:
        (case.out / name).unlink()
    run = image.run("/data", "/out", "group", options=options, mounts=case.mounts)
    assert run.status == 0, run.text
    assert snapshot(case.out) == before
    assert all((case.out / name).is_file() for name in STUDY_LEVEL)
    table = (case.out / "study.tsv").read_text()
    assert "OP1" in table
    assert "OP2" in table
    assert case.owners() == {(case.user, case.user)}


def test_path_map_writes_paths_of_the_host(image: Image, case: Case) -> None:
    run = image.run(
        "/data",
        "/out",
        "participant",
        f"--path-map=/out={case.out}",
        options=[*LOCKED, *case.as_user],
        mounts=case.mounts,
    )
    assert run.status == 0, run.text
    assert str(case.out / "OP1" / "dicom") in (case.out / "OP1" / "session.txt").read_text()


def test_an_import_equals_one_without_a_container(image: Image, case: Case, bare: str, tmp_path: Path) -> None:
    run = image.run(
        "/data",
        "/out",
        "participant",
        f"--path-map=/out={case.out}",
        options=[*LOCKED, *case.as_user],
        mounts=case.mounts,
    )
    assert run.status == 0, run.text
    inside = tmp_path / "inside"
    case.out.rename(inside)
    case.out.mkdir()
    done = subprocess.run([bare, case.data, case.out, "participant"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for session in ("OP1", "OP2"):
        compared = subprocess.run(
            [sys.executable, COMPARE, inside / session, case.out / session], capture_output=True, text=True, check=False
        )
        assert compared.stdout == ""
        assert compared.returncode == 0


@root_only
def test_root_gets_a_note_about_the_owner_of_the_folder(image: Image, case: Case) -> None:
    run = image.run("/data", "/out", "participant", options=["--network=none"], mounts=case.mounts)
    assert run.status == 0, run.text
    assert f"--user {case.user}:{case.user}" in run.err


@root_only
def test_a_folder_that_cannot_be_written_is_reported_before_the_import(image: Image, case: Case) -> None:
    os.chown(case.out, 0, 0)
    case.out.chmod(0o755)
    run = image.run("/data", "/out", "participant", options=[*LOCKED, *case.as_user], mounts=case.mounts)
    assert run.status == 73, run.text
    assert "/out" in run.err
    assert list(case.out.iterdir()) == []


def test_the_first_command_of_the_document_can_be_copied(image: Image, case: Case) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    (command,) = re.findall(r"(?m)^    (docker run .*\\\n.*participant.*)$", text)
    for written, real in (
        ('"$(id -u):$(id -g)"', f"{case.user}:{case.user}"),
        ("/path/to/packets", str(case.data)),
        ("/path/to/sessions", str(case.out)),
        ("qxbatch:slim", image.name),
        ("docker run", f"{image.engine} run"),
    ):
        assert written in command
        command = command.replace(written, real)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert case.sessions() == ["OP1", "OP2"]
