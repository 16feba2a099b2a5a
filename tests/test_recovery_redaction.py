"""A recovery with de-identified logs writes no part of a path that may be named like a patient."""

import errno
import json
import os
import re
from pathlib import Path

import pytest

from qxbatch.os_error import error_text
from qxbatch.pipeline.recovery_redaction import path_redaction
from qxbatch.publish.workspace import Workspace
from tests.build.dicom import MrSeries
from tests.build.packets import under
from tests.build.study import Study
from tests.faults.test_identity import logged

STUDY = Path("/data/My study: 1/sessions")
RUN = "0123456789abcdef"
LEFT_OUT = "(name left out)"
NAMES = ("Doe_Jane.txt", "Doe: Jane/x", "Doe. Jane: is a directory, Jane", "Doe\nJane (Jane)", "S1 Jane", "S1. Jane")
NAMED = re.compile("doe(?!s)|jane", re.IGNORECASE)
FOLDERS = (
    f"{STUDY}/.qxbatch/work/S1/{RUN}/old/S1/inbox",
    f"{STUDY}/.qxbatch/work/S1/{RUN}/old/S1.kept/dicom/30",
    f"{STUDY}/.qxbatch/work/S1/{RUN}/build/S1-2/inbox",
    f"{STUDY}/.qxbatch/work/S1/{RUN}/scratch",
    f"{STUDY}/archive/MR/.qxbatch-copy-{RUN}-S1",
    f"{STUDY}/archive/MR",
    f"{STUDY}/archive/replaced/S1-1/inbox",
    f"{STUDY}/inbox/MR",
    f"{STUDY}/S1/inbox",
    f"{STUDY}/S1",
    f"{STUDY}",
    "/mr/inbox",
    "/scratch",
)


@pytest.fixture
def workspace() -> Workspace:
    """The hidden folder of a study with another master inbox."""
    return Workspace(STUDY, None, Path("/mr/inbox"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_path_is_kept_as_far_as_its_parts_are_known(workspace: Workspace, folder: str, name: str) -> None:
    redact = path_redaction(workspace, "S1", [Path("/scratch")])
    reason = "operation not permitted (mode -rw-r--r--, owner 0; this program runs as user 0)"
    text = f"could not be kept: {folder}/{name}: {reason}. They wait in {STUDY}/.qxbatch/work/S1/{RUN}/old."
    kept = f"could not be kept: {folder}/{LEFT_OUT}: {reason}. They wait in {STUDY}/.qxbatch/work/S1/{RUN}/old."
    assert redact(text) == kept
    assert redact(f"{folder}/{name}") == f"{folder}/{LEFT_OUT}"
    assert redact(f"{folder}: {reason}") == f"{folder}: {reason}"
    assert redact(f"files were kept in {folder}.") == f"files were kept in {folder}."
    nearest = f"{folder}/{name}: permission denied ({folder}/{name} has mode drwx------, owner 0)"
    assert redact(nearest) == f"{folder}/{LEFT_OUT}: permission denied ({folder}/{LEFT_OUT}"


@pytest.mark.parametrize(
    "path", ["/proc/self/fd/7/S1.kept/Doe", "/elsewhere/Jane", "/data/Doe", "/data/My study: 1/Jane"]
)
def test_a_path_outside_of_the_study_is_left_out(workspace: Workspace, path: str) -> None:
    redact = path_redaction(workspace, "S1")
    assert (
        redact(f"it failed: {path}: no such file or directory.") == f"it failed: {LEFT_OUT}: no such file or directory."
    )


@pytest.mark.parametrize(
    "text",
    [
        f"{STUDY}/inbox/MR/S1.tar.gz",
        f"{STUDY}/archive/MR/S1_2.zip: file exists",
        f"/mr/inbox/.qxbatch-aside-{RUN}-S1.zip: input/output error",
        f"{STUDY}/S1/dicom/30.tar.gz: input/output error",
        f"{STUDY}/S1/nii/31.nii.gz",
        "/data: no space left on device (3 MB free on the file system of /data)",
        f"look into {STUDY}/.qxbatch/work/S1, then remove the journal and run again.",
        "the packet S1.zip has 1/2 of its files.",
    ],
)
def test_names_that_the_program_gives_are_kept(workspace: Workspace, text: str) -> None:
    assert path_redaction(workspace, "S1")(text) == text


@pytest.fixture
def interrupted(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study in which the archiving of S1 failed; its packet has a file whose name is in no header."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "stopped", str(study.sessions))

    study.put("S1", {**under("a", MrSeries(patient="P1", name="").files()), "Doe_Jane.txt": b"x", "Doe_Jane.log": b"x"})
    with monkeypatch.context() as patched:
        patched.setattr("qxbatch.pipeline.finish.archive_packets", fail)
        assert logged(study, tmp_path)[0] == 1
    return study


def test_a_replaced_file_that_cannot_be_moved_is_not_named(
    interrupted: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(old: Path, *_: object, **__: object) -> None:
        raise PermissionError(
            errno.EPERM, os.strerror(errno.EPERM), str(old / "inbox" / "notes qxbatch Doe_Jane: x.txt")
        )

    monkeypatch.setattr("qxbatch.pipeline.replaced_files.keep_unique_files", refuse)
    status, text = logged(interrupted, tmp_path)
    assert status == 1
    assert re.search(r"old/S1/inbox/\(name left out\): operation not permitted", text), text
    assert not NAMED.search(text), text


@pytest.mark.parametrize("file", ["inbox/Doe_Jane.txt", "dicom/log/Doe_Jane.log"])
def test_a_file_that_differs_from_the_ledger_is_not_named(interrupted: Study, tmp_path: Path, file: str) -> None:
    path = interrupted.session("S1") / file
    assert path.is_file()
    path.write_text("changed")
    status, text = logged(interrupted, tmp_path)
    assert status == 1
    assert "the files on disk differ from the packets" in text
    assert not NAMED.search(text), text


@pytest.mark.parametrize(
    "change", [{"version": "Doe"}, {"run": "Jane"}, {"sessions": ["Doe Jane"]}, {"packets": [{"Doe": 1}]}]
)
def test_the_content_of_a_journal_that_cannot_be_used_is_not_named(
    interrupted: Study, tmp_path: Path, change: dict[str, object]
) -> None:
    journal = interrupted.sessions / ".qxbatch" / "journal" / "S1.json"
    journal.write_text(json.dumps({**json.loads(journal.read_text()), **change}))
    status, text = logged(interrupted, tmp_path)
    assert status == 1
    assert "cannot be used" in text
    assert not NAMED.search(text), text


def test_a_packet_of_another_inbox_is_not_named_but_the_option_is(interrupted: Study, tmp_path: Path) -> None:
    journal = interrupted.sessions / ".qxbatch" / "journal" / "S1.json"
    content = json.loads(journal.read_text())
    content["packets"][0]["path"] = str(tmp_path / "Doe_Jane" / "S1.zip")
    journal.write_text(json.dumps(content))
    status, text = logged(interrupted, tmp_path)
    assert status == 1
    assert "run again with the --masterinbox of the interrupted one" in text
    assert not NAMED.search(text), text


def test_an_error_without_a_path_is_kept(workspace: Workspace) -> None:
    text = error_text(OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)))
    assert path_redaction(workspace, "S1")(text) == text
