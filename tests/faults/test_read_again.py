"""A run that finishes an interrupted one reads its packets again: each kind of packet is archived if it is unchanged."""

import errno
import gzip
import os
from pathlib import Path

import pytest

from qxbatch.archive.same_packet import SamePacketCheck
from qxbatch.archive.session_bytes import PacketContent
from tests.build.dicom import MrSeries
from tests.build.encrypted import encrypted
from tests.build.packets import Kind, packed, tarred, under, write_folder, zipped
from tests.build.parrec import ParRec
from tests.build.study import Run, Study, snapshot
from tests.faults.unprivileged import unprivileged

T1 = under("T1", MrSeries(patient="P1").files())
GZIPPED = {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in T1.items()}
TREES = {
    "duplicates": {**T1, **under("copy", T1)},
    "gzipped": {**GZIPPED, "README": b"", "log.gz": gzip.compress(b"log", mtime=0)},
    "gzipped and not": {**T1, **under("copy", GZIPPED)},
    "nested": {"inner.zip": packed(T1, Kind.ZIP), "notes.zip": packed({"notes": b"mine"}, Kind.ZIP)},
    "PAR/REC": ParRec(acquisition=7, volumes=2).files("scans/epi"),
    "twice": {**ParRec(acquisition=7).files("a"), **ParRec(acquisition=7).files("b")},
}


@pytest.fixture
def stopped(study: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study whose runs fail before they archive, until `run_again`."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "stopped")

    monkeypatch.setattr("qxbatch.pipeline.finish.archive_packets", fail)
    return study


def interrupt(study: Study, *args: str) -> None:
    run = study.main("--check=no", *args)
    assert run.status == 1, run.text
    assert list((study.sessions / ".qxbatch" / "journal").iterdir()), run.text


def run_again(study: Study, monkeypatch: pytest.MonkeyPatch, *args: str) -> Run:
    monkeypatch.undo()
    return study.main("--check=no", *args)


@pytest.mark.parametrize("archive", ["delete", "move"])
@pytest.mark.parametrize("unzip", ["yes", "no"])
@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP])
@pytest.mark.parametrize("tree", TREES)
def test_a_packet_is_archived(
    stopped: Study, monkeypatch: pytest.MonkeyPatch, tree: str, kind: Kind, unzip: str, archive: str
) -> None:
    packet = stopped.put("S1", TREES[tree], kind)
    interrupt(stopped, f"--archive={archive}", f"--unzip={unzip}")
    run = run_again(stopped, monkeypatch)
    assert run.status == 0, run.text
    assert not packet.exists()
    assert (stopped.archive / packet.name).exists() == (archive == "move")
    assert not (stopped.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("times", [1, 2, 99])
def test_a_file_that_is_rewritten_while_its_packet_is_read_again_stays(
    stopped: Study, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """The same size and time: only the time of the inode shows it."""
    packet = stopped.put("S1", {**T1, "notes": b"version 1"}, Kind.FOLDER)
    interrupt(stopped, "--archive=delete")
    again = SamePacketCheck._read_again
    written: list[str] = []

    def rewritten(self: SamePacketCheck, path: Path) -> PacketContent:
        content = again(self, path)
        if len(written) < times:
            notes = path / "notes"
            status = notes.stat()
            written.append(f"edition {len(written) + 1}"[:9])
            notes.write_text(written[-1])
            os.utime(notes, ns=(status.st_atime_ns, status.st_mtime_ns))
        return content

    monkeypatch.undo()
    monkeypatch.setattr(SamePacketCheck, "_read_again", rewritten)
    run = stopped.main("--check=no")
    assert run.status == 1, run.text
    assert (packet / "notes").read_text() == written[-1]


def test_the_archives_and_files_of_a_session_leave_its_inbox(stopped: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = stopped.session("S1") / "inbox"
    write_folder({**under("a", GZIPPED), **under("b", T1), "README": b"mine\n"}, inbox)
    (inbox / "scan.zip").write_bytes(zipped(under("c", MrSeries(number=8, patient="P1").files())))
    folder_mode = ("--masterinbox=none", "--sessions=S1", "--archive=delete")
    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.pipeline.finish._remove_listed", lambda *_: pytest.fail("later"))
        patch.setattr("qxbatch.pipeline.finish.check_published", _stop)
        interrupt(stopped, *folder_mode)
    run = run_again(stopped, monkeypatch, *folder_mode)
    assert run.status == 0, run.text
    assert list(snapshot(inbox)) == ["README"]


def _stop(*_: object, **__: object) -> None:
    raise OSError(errno.EIO, "stopped")


def test_a_split_packet_is_archived(stopped: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    other = under("b", MrSeries(patient="P2").files())
    packet = stopped.put("S1", {**T1, **other, "README": b"of both\n", "b/README": b"of b\n"})
    interrupt(stopped, "--archive=delete", "--on-mixed=split")
    run = run_again(stopped, monkeypatch)
    assert run.status == 0, run.text
    assert not packet.exists()


@pytest.mark.parametrize("archive", ["delete", "move"])
def test_a_packet_with_bytes_around_its_members_is_moved(
    stopped: Study, monkeypatch: pytest.MonkeyPatch, archive: str
) -> None:
    data = tarred(T1) + b"x" * 700
    stopped.put_bytes("S1.tar", data)
    interrupt(stopped, f"--archive={archive}")
    run = run_again(stopped, monkeypatch)
    assert run.status == 0, run.text
    assert (stopped.archive / "S1.tar").read_bytes() == data


def test_a_packet_whose_end_is_damaged_now_stays(stopped: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = stopped.put("S1", T1, Kind.TAR_GZ)
    interrupt(stopped, "--archive=delete")
    times = packet.stat()
    packet.write_bytes(packet.read_bytes()[:-4] + b"xxxx")
    os.utime(packet, ns=(times.st_atime_ns, times.st_mtime_ns))
    run = run_again(stopped, monkeypatch)
    assert run.status == 1, run.text
    assert f"{packet}: changed" in run.text
    assert packet.exists()


def test_an_encrypted_packet_waits_for_its_password(
    stopped: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packet = stopped.put_bytes("S1.zip", encrypted(T1))
    password = tmp_path / "passwords.txt"
    password.write_text("secret\n")
    interrupt(stopped, f"--password-file={password}")
    run = run_again(stopped, monkeypatch)
    assert run.status == 1, run.text
    assert "cannot be read any more" in run.text
    assert "encrypted" in run.text
    assert packet.exists()
    run = stopped.main("--check=no", f"--password-file={password}")
    assert run.status == 0, run.text
    assert not packet.exists()
    assert (stopped.archive / "S1.zip").exists()


def test_a_packet_over_the_limits_of_the_next_run_waits(stopped: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = stopped.put("S1", T1)
    interrupt(stopped)
    run = run_again(stopped, monkeypatch, "--max-members=2")
    assert run.status == 1, run.text
    assert "(limit)" in run.text
    assert packet.exists()
    run = stopped.main("--check=no")
    assert run.status == 0, run.text
    assert not packet.exists()


def test_a_packet_with_a_file_that_cannot_be_read_waits(stopped: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = stopped.put("S1", T1, Kind.FOLDER)
    interrupt(stopped, "--archive=move")
    monkeypatch.undo()
    file = next(path for path in packet.rglob("*") if path.is_file())
    mode = file.stat().st_mode
    file.chmod(0)
    run = unprivileged(str(stopped.sessions), "--check=no", "--archive=move")
    assert run.status == 1, run.text
    assert "changed" not in run.text
    file.chmod(mode)
    run = stopped.main("--check=no")
    assert run.status == 0, run.text
    assert not packet.exists()
    assert (stopped.archive / "S1").is_dir()


@pytest.mark.parametrize("archived", [None, b"another packet of that name"])
def test_a_packet_that_somebody_removed_is_reported(
    stopped: Study, monkeypatch: pytest.MonkeyPatch, archived: bytes | None
) -> None:
    packet = stopped.put("S1", T1, Kind.ZIP)
    if archived is not None:
        stopped.archive.mkdir(parents=True, exist_ok=True)
        (stopped.archive / packet.name).write_bytes(archived)
    interrupt(stopped, "--archive=move")
    packet.unlink()
    run = run_again(stopped, monkeypatch)
    assert "vanished while it was imported" in run.text
