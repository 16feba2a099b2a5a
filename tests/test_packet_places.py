"""No session is published into a folder that is a packet, or that is or contains the folder of packets or the archive."""

import os
from pathlib import Path

import pytest

from qxbatch.discover.packet_places import PacketFolders
from qxbatch.exits import ExitStatus
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_folder, write_packet
from tests.build.study import Run, Study, run_main, snapshot

OF_TWO = {**under("a", MrSeries(patient="P1").files()), **under("b", MrSeries(patient="P2", study="s2").files())}
OF_THIRD = {**under("c", MrSeries(patient="P3", study="s3").files()), "README": b"of P3\n"}
SPLIT = ("--on-mixed=split", "--check=no", "--n-procs=1")


def refused(run: Run, reason: str) -> bool:
    text = " ".join(run.text.split())
    return run.status == 1 and reason in text and "nothing was changed" in text


@pytest.mark.parametrize("overwrite", ["yes", "no"])
@pytest.mark.parametrize("archive", ["move", "copy"])
def test_a_session_of_a_split_packet_may_not_be_another_packet(tmp_path: Path, archive: str, overwrite: str) -> None:
    write_packet(OF_TWO, tmp_path, "S1", Kind.ZIP)
    packet = write_packet(OF_THIRD, tmp_path, "S1-1", Kind.FOLDER)
    before = snapshot(tmp_path)
    options = (f"--masterinbox={tmp_path}", f"--archive={archive}", f"--overwrite={overwrite}", *SPLIT)
    run = run_main(str(tmp_path), *options)
    assert refused(run, f"S1.zip: its session folder {packet} is a packet in {tmp_path};"), run.text
    assert snapshot(tmp_path) == before
    packet.rename(tmp_path / "S3")
    run = run_main(str(tmp_path), "--sessions=S1", *options)
    assert run.status == 0, f"the hint is right: {run.text}"
    for k in (1, 2):
        assert (tmp_path / f"S1-{k}" / "session.txt").exists()


def test_a_session_of_the_logfile_may_not_be_another_packet(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("packet_name,subject_id\np1,p2\np2,p3\n")
    sessions = tmp_path / "sessions"
    write_packet(MrSeries(patient="P1").files(), sessions, "p1", Kind.ZIP)
    packet = write_packet(OF_THIRD, sessions, "p2", Kind.FOLDER)
    logfile = f"--logfile=path:{log}|packet_name:packet_name|subject_id:subject_id"
    run = run_main(str(sessions), f"--masterinbox={sessions}", "--check=no", "--archive=copy", logfile)
    assert refused(run, f"p1.zip: its session folder {packet} is a packet in {sessions};"), run.text
    assert "1 ready to be imported: p2 -> p3" in " ".join(run.text.split()), "refused before the work"
    assert sorted(path.name for path in packet.iterdir()) == ["README", "c"]
    assert (sessions / "p3" / "session.txt").exists()


def test_a_session_may_not_be_the_target_of_a_link_among_the_packets(study: Study) -> None:
    study.put("S1", OF_TWO)
    data = write_folder(OF_THIRD, study.session("S1-2"))
    (study.inbox / "X").symlink_to(data)
    before = snapshot(study.sessions)
    run = study.main("--sessions=S1", "--archive=move", *SPLIT)
    assert refused(run, f"its session folder {data} is a packet in {study.inbox};"), run.text
    assert snapshot(study.sessions) == before


@pytest.mark.parametrize("below", ["", "MR"])
def test_a_session_may_not_contain_the_folder_of_packets(study: Study, below: str) -> None:
    box = study.session("incoming") / below
    packet = write_packet(MrSeries(patient="P1").files(), box, "incoming", Kind.ZIP)
    write_packet(MrSeries(patient="P2").files(), box, "S2", Kind.ZIP)
    run = study.main(f"--masterinbox={box}", "--check=no", "--archive=move")
    relation = "contains" if below else "is"
    assert refused(run, f"its session folder {study.session('incoming')} {relation} the folder of packets {box};"), (
        run.text
    )
    assert [*box.iterdir()] == [packet]
    assert study.session_names() == ["S2", "incoming"]


def test_a_session_may_not_contain_the_archive(study: Study) -> None:
    archive = study.session("S1") / "packets"
    archive.mkdir(parents=True)
    study.archive.parent.mkdir()
    study.archive.symlink_to(archive)
    study.put("S1", MrSeries().files())
    run = study.main("--check=no", "--archive=move")
    assert refused(run, f"its session folder {study.session('S1')} contains the archive {study.archive};"), run.text
    assert [*study.session("S1").iterdir()] == [archive]


@pytest.mark.parametrize("archive", ["move", "copy", "leave"])
def test_sessions_beside_their_packets_are_imported_again(tmp_path: Path, archive: str) -> None:
    options = (f"--masterinbox={tmp_path}", f"--archive={archive}", "--overwrite=yes", *SPLIT)
    for _ in range(2):
        write_packet(OF_TWO, tmp_path, "S1", Kind.ZIP)
        write_packet(OF_THIRD, tmp_path, "S3", Kind.ZIP)
        run = run_main(str(tmp_path), *options)
        assert run.status == 0, run.text


def test_the_inbox_is_listed_once_for_all_packets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "S1").mkdir()
    (tmp_path / "link").symlink_to(tmp_path.parent)
    folders = PacketFolders(tmp_path)
    assert tmp_path / "S1" in folders
    monkeypatch.delattr(os, "scandir")
    assert tmp_path.parent in folders
    assert tmp_path not in folders
    assert tmp_path / "missing" not in folders


@pytest.mark.parametrize("archive", ["move", "delete"])
@pytest.mark.parametrize("inbox", ["/", "//", "/tmp/.."])
def test_the_root_folder_is_no_inbox(study: Study, inbox: str, archive: str) -> None:
    nothing = ("--sessions=no packet has this name", "--test=yes")
    run = study.main(f"--masterinbox={inbox}", f"--archive={archive}", *nothing)
    assert run.status == ExitStatus.USAGE, run.text
    assert "is the root folder" in run.err
