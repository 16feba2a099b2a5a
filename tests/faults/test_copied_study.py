"""A study is copied while the import of a killed run is unfinished: a run in the copy changes nothing of the original."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from qxbatch.cli.main import main
from qxbatch.publish import workspace
from qxbatch.publish.folder_identity import FolderIdentity
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, write_packet
from tests.build.study import Study, run_main, snapshot
from tests.faults.test_finished_packets import interrupt, publish_only

TREE = MrSeries().files()
OTHER = MrSeries(patient="P2").files()


@pytest.fixture(params=[interrupt, publish_only], ids=["journal", "published"])
def copied(request: pytest.FixtureRequest, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Return a copy of a study whose packets are in an inbox outside of it, `inbox` beside the study."""
    inbox = tmp_path / "the inbox"
    write_packet(TREE, inbox, "S1", Kind.FOLDER)
    request.param(study, monkeypatch, f"--masterinbox={inbox}", "--archive=move")
    write_packet(OTHER, inbox, "S2", Kind.ZIP)
    copy = Study(tmp_path / "copy")
    shutil.rmtree(copy.sessions)
    shutil.copytree(study.sessions, copy.sessions, symlinks=True)
    return copy


def reason(copied: Study, *words: str) -> str:
    """Run in the copy, which must fail; return the message."""
    run = run_main(str(copied.sessions), "--check=no", *words)
    assert run.status == 1, run.text
    return " ".join(run.text.split())


def test_the_command_for_a_journal_changes_nothing_of_the_original(copied: Study, study: Study, tmp_path: Path) -> None:
    inbox = tmp_path / "the inbox"
    write_packet(TREE, copied.inbox, "S1", Kind.FOLDER)
    before = snapshot(inbox), snapshot(study.sessions)
    assert "in no inbox of this run; this study was copied, or moved" in reason(copied)
    json_file = tmp_path / "run.json"
    reason(copied, f"--json-file={json_file}")
    [message] = [
        problem["message"]
        for session in json.loads(json_file.read_bytes())["sessions"]
        for problem in session["problems"]
        if "in no inbox" in problem["message"]
    ]
    words = shlex.split(message.partition("run once with ")[2].partition(":")[0])
    assert main([str(copied.sessions), *words]) == 0
    assert (snapshot(inbox), snapshot(study.sessions)) == before
    assert (copied.session("S1") / "session.txt").exists()
    assert not (copied.sessions / ".qxbatch").exists()


def test_a_run_that_names_the_inbox_of_the_original_takes_no_packet_of_its_journal(
    copied: Study, study: Study, tmp_path: Path
) -> None:
    inbox = tmp_path / "the inbox"
    packet = snapshot(inbox / "S1")
    run = run_main(str(copied.sessions), f"--masterinbox={inbox}", "--sessions=S1")
    assert run.status == 0, run.text
    assert "So it may belong to the original" in " ".join(run.text.split())
    assert snapshot(inbox / "S1") == packet
    again = study.main(f"--masterinbox={inbox}", "--sessions=S1")
    assert again.status == 0, again.text
    assert (study.archive / "S1").exists()
    assert not (inbox / "S1").exists()


def test_the_message_of_a_deidentified_run_proposes_to_leave_the_packet(copied: Study) -> None:
    text = reason(copied, "--deidentify-logs")
    assert "run again with the --masterinbox of the interrupted one and --archive=leave" in text


def equal_inodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all sessions folders have the same inode, each on another file system, as the root folders of two disks."""
    monkeypatch.setattr(workspace, "_study_digits", lambda _: "00000002")
    monkeypatch.setattr(FolderIdentity, "of", staticmethod(lambda folder: FolderIdentity(str(folder), str(folder))))


def test_a_copy_whose_folder_has_the_same_inode_takes_no_packet(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    equal_inodes(monkeypatch)
    inbox = tmp_path / "inbox"
    write_packet(TREE, inbox, "S1", Kind.FOLDER)
    interrupt(study, monkeypatch, f"--masterinbox={inbox}", "--archive=move")
    copy = Study(tmp_path / "copy")
    shutil.rmtree(copy.sessions)
    shutil.copytree(study.sessions, copy.sessions)
    run = copy.main(f"--masterinbox={inbox}", "--check=no")
    assert "So it may belong to the original" in " ".join(run.text.split())
    assert (inbox / "S1").exists()
    assert study.main(f"--masterinbox={inbox}", "--check=no").status == 0
    assert (study.archive / "S1").exists()


def test_a_study_at_another_path_or_with_another_file_system_id_is_no_copy() -> None:
    place = FolderIdentity("/study", "2a")
    assert not place.is_other_folder(place._replace(folder="/mnt/study"))
    assert not place.is_other_folder(place._replace(file_system="2b"))
    assert place.is_other_folder(FolderIdentity("/mnt/study", "2b"))
    assert FolderIdentity.of_record(["/study", "2a"]) == place
    assert [FolderIdentity.of_record(value) for value in (None, "/study", ["/study"], ["/study", 42])] == [None] * 4


@pytest.fixture
def mounted(study: Study, tmp_path: Path) -> Iterator[Path]:
    """Mount a folder over the inboxes of a study and of the folder `copy`, as a container does; yield it."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    places = [study.inbox, Study(tmp_path / "copy").inbox]
    if subprocess.run(["mount", "--bind", inbox, places[0]], capture_output=True, check=False).returncode != 0:
        pytest.skip("nothing can be mounted here (no right to mount)")
    subprocess.run(["mount", "--bind", inbox, places[1]], check=True)
    yield inbox
    for place in places:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_copy_takes_no_packet_of_an_inbox_that_is_mounted_in_both_studies(
    mounted: Path, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_packet(TREE, mounted, "S1", Kind.FOLDER)
    interrupt(study, monkeypatch, "--archive=move")
    copy = tmp_path / "copy" / "study" / "sessions"
    shutil.copytree(study.sessions / ".qxbatch", copy / ".qxbatch")
    run = run_main(str(copy), "--check=no")
    assert "So it may belong to the original" in " ".join(run.text.split())
    assert (mounted / "S1").exists()
    assert study.main("--check=no").status == 0
    assert (study.archive / "S1").exists()
