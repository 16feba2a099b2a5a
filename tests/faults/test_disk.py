"""A full disk, a read-only folder, a packet that changes or disappears."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under
from tests.build.study import Study, snapshot
from tests.faults.contents import hashes_below
from tests.faults.stage import command
from tests.faults.unprivileged import unprivileged

TREE = {
    **under("T1", MrSeries(slices=12, rows=128, columns=128).files()),
    **under("BOLD", MrSeries(number=4, slices=12, rows=128, columns=128, volumes=2).files()),
    "README": b"x",
}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system cannot be mounted here (no right to mount): full disks are not tested")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path, free: int) -> Path:
    """Fill the file system of a folder except for `free` bytes; return the file that fills it."""
    status = os.statvfs(folder)
    ballast = folder / "ballast"
    ballast.write_bytes(b"x" * max(0, status.f_bavail * status.f_frsize - free))
    return ballast


def hidden_files(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob(".qxbatch*")]


@pytest.mark.parametrize("room", [0, 8_000, 60_000, 300_000, 700_000, 1_000_000, 1_400_000])
def test_a_full_disk_of_the_sessions_folder_loses_nothing(study: Study, small: Path, tmp_path: Path, room: int) -> None:
    inbox = tmp_path / "inbox"
    shutil.rmtree(study.sessions)
    study.inbox = inbox
    inbox.mkdir()
    study.put("S1", TREE)
    study.put("S2", {**under("a", MrSeries(patient="P2").files())}, Kind.FOLDER)
    inputs = hashes_below(inbox)
    sessions = small / "sessions"
    sessions.mkdir()
    ballast = fill(small, room)
    words = [str(sessions), f"--masterinbox={inbox}"]
    run = command(words, tmp_path)
    assert run.status == 1, run.text
    assert "Traceback" not in run.text
    assert hashes_below(inbox) | hashes_below(sessions, (".qxbatch",)) >= inputs
    assert "space" in run.text.lower()
    for folder in sessions.iterdir():
        if folder.is_dir() and folder.name not in ("archive", ".qxbatch"):
            assert (folder / "session.txt").exists(), "half a session is visible"
    ballast.unlink()
    again = command([*words, "--check=no"], tmp_path)
    assert again.status == 0, again.text
    assert sorted(p.name for p in sessions.iterdir() if p.is_dir()) == ["S1", "S2", "archive"]
    assert hidden_files(small) == []
    assert list(inbox.iterdir()) == []


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.TAR])
@pytest.mark.parametrize("archive", ["move", "copy"])
def test_a_packet_stays_while_the_disk_of_the_archive_is_full(
    study: Study, small: Path, archive: str, kind: Kind
) -> None:
    packet = study.put("S1", TREE, kind)
    study.put("S2", {**under("a", MrSeries(patient="P2").files())}, Kind.FOLDER)
    before = snapshot(study.inbox)[packet.name], snapshot(packet)
    (study.sessions / "archive").symlink_to(small)
    ballast = fill(small, 200_000)
    run = study.run(f"--archive={archive}")
    assert run.status == 1, run.text
    text = " ".join(run.text.split())
    assert re.search(
        rf"{study.archive}: no space left on device \(\d.* free on the file system of {study.archive}\)", text
    )
    assert "Traceback" not in run.text
    assert (snapshot(study.inbox)[packet.name], snapshot(packet)) == before
    assert study.session_names() == ["S1", "S2"]
    assert hidden_files(small) == []
    assert study.run("--check=no").status == 1, "only the archiving remains, and there is still no room"
    assert hidden_files(small) == []
    ballast.unlink()
    run = study.run("--check=no")
    assert run.status == 0, run.text
    assert (snapshot(small / "MR")[packet.name], snapshot(small / "MR" / packet.name)) == before
    assert packet.exists() is (archive == "copy")
    assert not (study.sessions / ".qxbatch").exists()


def test_a_full_work_dir_changes_no_packet_and_no_session(study: Study, small: Path) -> None:
    packet = study.put("S1", TREE)
    fill(small, 100_000)
    before = snapshot(study.sessions)
    run = study.run(f"--work-dir={small}")
    assert run.status == 1, run.text
    assert "space" in run.text.lower()
    assert snapshot(study.sessions) == before
    assert sorted(p.name for p in small.iterdir()) == ["ballast"]
    assert study.run().status == 0
    assert not packet.exists()


@pytest.mark.parametrize(
    ("folder", "args", "status"),
    [
        ("", (), 73),
        ("inbox/MR", (), 73),
        ("inbox/MR", ("--archive=delete",), 73),
        ("archive/MR", (), 73),
        ("archive/MR", ("--archive=copy",), 73),
        ("inbox/MR", ("--archive=leave",), 0),
        ("archive/MR", ("--archive=delete",), 0),
    ],
)
def test_a_folder_without_write_permission_fails_only_runs_that_write_to_it(
    study: Study, folder: str, args: tuple[str, ...], status: int
) -> None:
    study.put("S1", TREE)
    study.archive.mkdir(parents=True)
    before = snapshot(study.sessions)
    (study.sessions / folder).chmod(0o555)
    try:
        run = unprivileged(str(study.sessions), *args)
    finally:
        (study.sessions / folder).chmod(0o755)
    assert run.status == status, run.text
    assert "Traceback" not in run.text
    if status:
        assert snapshot(study.sessions) == before, "reported before any work"
    assert not (study.sessions / ".qxbatch").exists()


def test_a_packet_without_read_permission_is_refused_and_the_other_one_imported(study: Study) -> None:
    packet = study.put("S1", TREE, Kind.FOLDER)
    study.put("S2", {**under("a", MrSeries(patient="P2").files())}, Kind.FOLDER)
    closed = packet / "T1" / "IM0002"
    closed.chmod(0)
    run = unprivileged(str(study.sessions))
    assert run.status == 1, run.text
    assert "T1/IM0002" in run.text
    assert study.session_names() == ["S2"]
    assert packet.exists()
    closed.chmod(0o644)
    assert study.run().status == 0


def test_a_packet_of_read_only_folders_is_moved(study: Study) -> None:
    packet = study.put("S1", TREE, Kind.FOLDER)
    before = snapshot(packet)
    for folder in (packet / "T1", packet / "BOLD", packet):
        folder.chmod(0o555)
    run = unprivileged(str(study.sessions))
    assert run.status == 0, run.text
    assert snapshot(study.archive / "S1") == before


@pytest.mark.parametrize("folder", ["S1", "S1/dicom"])
def test_a_session_without_write_permission_is_unchanged(study: Study, folder: str) -> None:
    study.put("S1", TREE)
    assert study.run("--archive=copy").status == 0
    before = snapshot(study.sessions)
    (study.sessions / folder).chmod(0o555)
    run = unprivileged(str(study.sessions), "--overwrite=yes")
    (study.sessions / folder).chmod(0o755)
    assert run.status == 1, run.text
    assert "cannot be written" in run.text
    assert snapshot(study.sessions) == before


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP], ids=["folder", "zip"])
@pytest.mark.parametrize("change", ["vanishes", "grows"])
def test_a_packet_that_changes_while_it_is_read_is_refused(
    study: Study, kind: Kind, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qxbatch.cli.main import main
    from qxbatch.core import ingest

    packet = study.put("S1", TREE, kind)

    def ingest_then_change(*args: Any, **named: Any) -> object:
        reading = ingest(*args, **named)
        if change == "vanishes":
            packet.rename(study.sessions.parent / "elsewhere")
        else:
            file = packet / "T1" / "IM0001" if kind is Kind.FOLDER else packet
            with file.open("ab") as more:
                more.write(b"more")
        return reading

    monkeypatch.setattr("qxbatch.pipeline.read.ingest", ingest_then_change)
    report = study.sessions.parent / "report.json"
    assert main([str(study.sessions), f"--json-file={report}"]) == 1
    assert ("vanished" if change == "vanishes" else "changed") + " while it was read" in report.read_text()
    assert study.session_names() == []
    assert not (study.sessions / ".qxbatch").exists()
    assert (study.sessions.parent / "elsewhere").exists() if change == "vanishes" else packet.exists()


def test_a_packet_that_disappears_before_it_is_read_is_refused(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    from qxbatch.cli.main import main
    from qxbatch.pipeline.read import read_sources

    packet = study.put("S1", TREE, Kind.ZIP)

    def remove_then_read(*args: Any) -> object:
        packet.unlink()
        return read_sources(*args)

    monkeypatch.setattr("qxbatch.pipeline.prepare.read_sources", remove_then_read)
    report = study.sessions.parent / "report.json"
    assert main([str(study.sessions), f"--json-file={report}"]) == 1
    (problem,) = json.loads(report.read_text())["sessions"][0]["problems"]
    assert "vanished since it was found" in problem["message"]
    assert "command" not in problem, "an import of a packet that is gone cannot help"
    assert study.session_names() == []


def test_a_packet_that_disappears_after_it_was_read_is_reported(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    from qxbatch.cli.main import main
    from qxbatch.pipeline.series import convert_and_store_series

    packet = study.put("S1", TREE, Kind.ZIP)

    def remove_then_make(*args: Any, **named: Any) -> object:
        packet.unlink()
        return convert_and_store_series(*args, **named)

    monkeypatch.setattr("qxbatch.pipeline.produce.convert_and_store_series", remove_then_make)
    report = study.sessions.parent / "report.json"
    assert main([str(study.sessions), f"--json-file={report}"]) == 1
    (problem,) = json.loads(report.read_text())["sessions"][0]["problems"]
    assert "vanished while it was imported" in problem["message"]
    assert "command" not in problem, "an import of a packet that is gone cannot help"
    assert study.session_names() == ["S1"]
    assert not (study.sessions / ".qxbatch").exists()
