"""A packet with a hidden name that no journal mentions is not imported, and is reported with the command that restores it."""

import json
import math
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from qxbatch.discover.own_names import HiddenKind
from qxbatch.pipeline import hidden_packets
from qxbatch.publish.transfer import hidden_path
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_packet
from tests.build.study import Study
from tests.faults.unprivileged import unprivileged

TAG = "0123456789abcdef"
TREE = MrSeries().files()


def command_in(text: str, first: str) -> str:
    """Return the command in the output of a run that begins with `first`; commands are not wrapped."""
    return next(line.strip() for line in text.splitlines() if line.strip().startswith(first))


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP])
def test_a_packet_whose_journal_was_removed_is_reported_and_imported_after_the_command(
    study: Study, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    packet = study.put("it's S1", TREE, kind)

    class KilledError(Exception):
        """Simulates the end of a killed run."""

    def killed(source: Path, aside: Path) -> None:
        source.rename(aside)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.archive.aside.put_aside", killed)
        study.main()
    assert not packet.exists()
    (journal,) = (study.sessions / ".qxbatch" / "journal").iterdir()
    journal.write_text(json.dumps(json.loads(journal.read_text()) | {"version": 3}))
    first = study.main()
    assert first.status == 1, first.text
    assert "remove the journal" in " ".join(first.text.split())
    assert "mv -nT" not in first.text, "as long as there is a journal, the packet belongs to it"
    journal.unlink()
    second = study.main()
    assert second.status == 1, second.text
    subprocess.run(command_in(second.text, "mv -nT"), shell=True, check=True)
    assert packet.exists()
    third = study.main("--overwrite=yes")
    assert third.status == 0, third.text
    assert [path.name for path in study.archive.iterdir()] == [packet.name]


def test_a_hidden_packet_whose_name_is_taken_gets_a_numbered_one(study: Study) -> None:
    packet = study.put("S1", TREE, Kind.ZIP)
    hidden_path(packet, HiddenKind.ASIDE, TAG).write_bytes(packet.read_bytes())
    run = study.main("--test")
    assert run.status == 1, run.text
    assert command_in(run.text, "mv -nT").endswith("S1_2.zip")


def test_the_moved_files_of_a_packet_are_copied_back_by_the_command(study: Study) -> None:
    packet = study.put("S1", {**TREE, "T2/late": b"late"}, Kind.FOLDER)
    part = hidden_path(packet, HiddenKind.PART, TAG)
    part.mkdir()
    (packet / "T2").rename(part / "T2")
    (part / "mine").write_bytes(b"first")
    (packet / "mine").write_bytes(b"second")
    run = study.main("--test")
    assert run.status == 1, run.text
    subprocess.run(command_in(run.text, "cp -an"), shell=True, check=False)
    assert (packet / "T2" / "late").read_bytes() == b"late"
    assert (packet / "mine").read_bytes() == b"second"
    assert (part / "mine").read_bytes() == b"first", "neither of the two files is lost"


def test_the_moved_files_of_a_missing_packet_get_its_name_back(study: Study) -> None:
    part = hidden_path(study.inbox / "S1", HiddenKind.PART, TAG)
    part.mkdir(parents=True)
    run = study.main("--test")
    assert run.status == 1, run.text
    assert "give the packet its name back:" in " ".join(run.text.split())
    assert command_in(run.text, "mv -nT").endswith("S1")


def test_a_packet_that_was_being_removed_is_reported(study: Study) -> None:
    study.put("S1", TREE)
    assert study.main().status == 0
    gone = hidden_path(study.inbox / "S1", HiddenKind.GONE, TAG)
    gone.mkdir(parents=True)
    run = study.main("--check=no")
    assert run.status == 1, run.text
    assert command_in(run.text, "rm -r --").endswith(gone.name)
    assert gone.exists()


@pytest.mark.parametrize("left", ["of the session", "of another packet", "of a damaged session"])
def test_what_is_left_of_a_packet_is_removed_by_the_command_only_if_its_session_has_it(study: Study, left: str) -> None:
    study.put("S1", TREE)
    assert study.main().status == 0
    tree = MrSeries(patient="P2", study="other").files() if left == "of another packet" else TREE
    gone = hidden_path(write_packet(tree, study.inbox, "S1", Kind.FOLDER), HiddenKind.GONE, TAG)
    (study.inbox / "S1").rename(gone)
    if left == "of a damaged session":
        next((study.session("S1") / "dicom").glob("*.tar.gz")).unlink()
    run = study.main("--check=no")
    assert run.status == 1, run.text
    if left == "of the session":
        assert command_in(run.text, "rm -r --").endswith(gone.name)
    else:
        assert "rm -r" not in run.text
        assert "but not with all files that are left of the packet" in " ".join(run.text.split())
        assert command_in(run.text, "mv -nT").endswith("/S1")


@pytest.mark.parametrize("missing", ["", "S1-2"])
def test_a_packet_that_was_split_and_was_being_removed_is_reported(study: Study, missing: str) -> None:
    people = [MrSeries(patient=f"P{k}", name=f"Name{k}^X", study=f"s{k}", number=k) for k in (1, 2)]
    study.put("S1", {path: data for k in (0, 1) for path, data in under(f"p{k}", people[k].files()).items()})
    assert study.main("--check=no", "--on-mixed=split").status == 0
    assert study.session_names() == ["S1-1", "S1-2"]
    if missing:
        shutil.rmtree(study.session(missing))
    gone = hidden_path(study.inbox / "S1", HiddenKind.GONE, TAG)
    gone.mkdir(parents=True)
    run = study.main("--check=no")
    assert run.status == 1, run.text
    text = " ".join(run.text.split())
    if missing:
        assert "Not all of its sessions exist now" in text
        assert command_in(run.text, "mv -nT")
    else:
        assert "Its sessions exist. If you do not need the packet, remove it:" in text
        assert command_in(run.text, "rm -r --").endswith(gone.name)


def test_in_an_inbox_outside_of_the_study_only_an_old_hidden_name_is_reported(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = tmp_path / "shared"
    inbox.mkdir()
    hidden_path(inbox / "S1.zip", HiddenKind.ASIDE, TAG).write_bytes(b"of a live run of another study")
    assert study.main(f"--masterinbox={inbox}", "--check=no").status == 0
    monkeypatch.setattr(hidden_packets, "_AT_WORK_SECONDS", -math.inf)
    run = study.main(f"--masterinbox={inbox}", "--check=no")
    assert run.status == 1, run.text
    assert os.fspath(inbox) in run.text


def test_a_de_identified_run_does_not_name_a_hidden_packet(study: Study, tmp_path: Path) -> None:
    hidden_path(study.inbox / "Doering_Jane.zip", HiddenKind.ASIDE, TAG).write_bytes(b"x")
    log, summary = tmp_path / "log", tmp_path / "summary.json"
    run = study.main("--deidentify-logs", f"--log-file={log}", f"--json-file={summary}")
    assert run.status == 1, run.text
    assert "Doering" not in log.read_text()
    assert "Doering" not in summary.read_text()


@pytest.mark.parametrize("stem", ["Phantom_2026-11-29_", "Ž"], ids=["ASCII", "two bytes each"])
def test_the_proposed_name_of_a_packet_with_a_long_name_begins_like_it(study: Study, stem: str) -> None:
    characters = 248 // len(stem.encode())
    packet = study.put(stem * characters, TREE, Kind.ZIP)
    content = packet.read_bytes()
    packet.rename(hidden_path(packet, HiddenKind.ASIDE, TAG))
    run = study.main("--test")
    assert run.status == 1, run.text
    subprocess.run(command_in(run.text, "mv -nT"), shell=True, check=True)
    (restored,) = study.inbox.iterdir()
    assert restored.name.startswith(stem * (180 // len(stem.encode())))
    assert restored.suffix == ".zip"
    assert restored.read_bytes() == content


@pytest.mark.parametrize("record", ["journal/S1.json", "work/S1"])
def test_a_record_of_a_run_that_cannot_be_read_does_not_stop_the_import_of_other_packets(
    study: Study, record: str
) -> None:
    study.put("S2", TREE, Kind.ZIP)
    hidden_path(study.inbox / "S1.zip", HiddenKind.ASIDE, TAG).write_bytes(b"x")
    path = study.sessions / ".qxbatch" / record
    path.parent.mkdir(parents=True)
    if path.suffix:
        path.write_text("{}")
    else:
        path.mkdir()
    path.chmod(0)
    run = unprivileged(os.fspath(study.sessions), "--check=no")
    path.chmod(0o700)
    assert run.status == 1, run.text
    assert os.fspath(path) in run.text
    assert "mv -nT" not in run.text, "the packet may belong to that record"
    assert (study.sessions / "S2" / "session.txt").exists()


@pytest.mark.parametrize("name", ["S1-" + "x" * 240 + ".zip", "S1-" + "é" * 119])
def test_a_packet_whose_hidden_name_was_shortened_is_reported_with_that(study: Study, name: str) -> None:
    """The original name is not known any more."""
    hidden = hidden_path(study.inbox / name, HiddenKind.ASIDE, TAG)
    hidden.write_bytes(study.put("S2", TREE, Kind.ZIP).read_bytes())
    run = study.main("--test", "--sessions=S2")
    assert run.status == 1, run.text
    assert "The name of the packet was longer: correct it after the command." in " ".join(run.text.split())
    subprocess.run(command_in(run.text, "mv -nT"), shell=True, check=True)
    assert not hidden.exists()


def test_the_moved_files_of_a_packet_with_a_long_name_are_copied_back_to_it(study: Study) -> None:
    packet = study.inbox / ("S1-" + "x" * 240)
    (packet / "T1").mkdir(parents=True)
    part = hidden_path(packet, HiddenKind.PART, TAG)
    (part / "T2").mkdir(parents=True)
    run = study.main("--test")
    assert run.status == 1, run.text
    subprocess.run(command_in(run.text, "cp -an"), shell=True, check=True)
    assert (packet / "T2").is_dir()
