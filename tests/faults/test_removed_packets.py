"""A run was killed while it removed a packet: the next one removes only files that it compares again."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qxbatch.archive.aside import ChangedError, finish_removal
from qxbatch.archive.packet import archive_packet
from qxbatch.archive.same_packet import SamePacketCheck
from qxbatch.archive.session_bytes import PacketContent
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.own_names import HiddenKind
from qxbatch.model import Fingerprint, Packet
from qxbatch.publish.transfer import hidden_path
from qxbatch.settings.model import Archive
from tests.build.dicom import MrSeries
from tests.build.packets import Kind
from tests.build.study import Study, snapshot
from tests.faults.test_hidden_packets import TAG, command_in

FILES = {Path(name).name: data for name, data in MrSeries().files().items()}
FIRST = min(FILES)


class KilledError(Exception):
    """Simulates the end of a killed run."""


def killed(study: Study, monkeypatch: pytest.MonkeyPatch, kind: Kind) -> Path:
    """Kill a run right after a packet got its hidden name for the removal; return the packet with that name."""
    study.put("S1", FILES, kind)

    def put_aside(source: Path, aside: Path) -> None:
        source.rename(aside)
        if f"-{HiddenKind.GONE}-" in aside.name:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.archive.aside.put_aside", put_aside)
        study.main("--archive=delete")
    (gone,) = study.inbox.iterdir()
    return gone


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP])
def test_a_complete_packet_is_removed(study: Study, monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    killed(study, monkeypatch, kind)
    run = study.main("--check=no")
    assert run.status == 0, run.text
    assert list(study.inbox.iterdir()) == []
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("left", [1, 0])
def test_the_remaining_files_of_a_folder_are_removed(study: Study, monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    gone = killed(study, monkeypatch, Kind.FOLDER)
    for name in sorted(FILES)[left:]:
        (gone / name).unlink()
    run = study.main("--check=no")
    assert run.status == 0, run.text
    assert list(study.inbox.iterdir()) == []
    assert not (study.sessions / ".qxbatch").exists()


class ContainsMembersOnly:
    """A session that has the members of a packet, and not the bytes around its archives."""

    def read_packet(self, _: Path) -> PacketContent:
        return PacketContent(is_contained=True, has_extra_bytes=True)


def test_bytes_around_an_archive_are_not_removed_with_the_rest(tmp_path: Path) -> None:
    """A copy in the archive may be gone."""
    packet = Packet(tmp_path / "S1", "S1", Fingerprint(2, 2, 0, 0, 0))
    gone = hidden_path(packet.path, HiddenKind.GONE, TAG)
    gone.mkdir()
    (gone / "a.zip").write_bytes(b"notes")
    contained: Any = ContainsMembersOnly()
    check = SamePacketCheck(packet, contained, for_deletion=False, trusts_fingerprint=False)
    with pytest.raises(ChangedError):
        finish_removal(packet, TAG, check.contains_remaining_files)
    assert (packet.path / "a.zip").read_bytes() == b"notes"


def added(gone: Path) -> None:
    (gone / "late").write_bytes(b"late")


def added_to_the_rest(gone: Path) -> None:
    added(gone)
    (gone / FIRST).unlink()


def edited(gone: Path) -> None:
    """Change bytes; size and time remain."""
    path = gone / FIRST if gone.is_dir() else gone
    times = path.stat()
    path.write_bytes(path.read_bytes()[:-2] + b"xx")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def rewritten(gone: Path) -> None:
    gone.write_bytes(b"another packet")


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Kind.FOLDER, added),
        (Kind.FOLDER, added_to_the_rest),
        (Kind.FOLDER, edited),
        (Kind.ZIP, edited),
        (Kind.ZIP, rewritten),
    ],
)
def test_a_packet_that_changed_gets_its_name_back(
    study: Study, monkeypatch: pytest.MonkeyPatch, kind: Kind, change: Callable[[Path], None]
) -> None:
    gone = killed(study, monkeypatch, kind)
    change(gone)
    before = [*snapshot(gone).values()] if gone.is_dir() else gone.read_bytes()
    run = study.main("--check=no")
    assert run.status == 1, run.text
    assert "changed" in run.text
    (packet,) = study.inbox.iterdir()
    assert packet.name == ("S1" if kind is Kind.FOLDER else "S1.zip")
    assert before == ([*snapshot(packet).values()] if packet.is_dir() else packet.read_bytes())
    assert not (study.sessions / ".qxbatch").exists()


def test_a_file_that_is_written_after_the_last_comparison_is_not_removed(tmp_path: Path) -> None:
    packet = tmp_path / "inbox" / "P"
    packet.mkdir(parents=True)
    (packet / "first").write_bytes(b"dicom")

    def is_same_packet(path: Path, *, renamed: bool) -> bool:
        if renamed and f"-{HiddenKind.GONE}-" in path.name:
            (path / "late").write_bytes(b"late")
        return True

    with pytest.raises(ChangedError):
        archive_packet(packet, tmp_path / "archive", Archive.DELETE, tag=TAG, is_same_packet=is_same_packet)
    assert [file.name for file in packet.iterdir()] == ["late"]


def test_a_file_that_is_written_after_the_comparison_of_the_next_run_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "P"
    gone = hidden_path(path, HiddenKind.GONE, TAG)
    gone.mkdir()
    for name in ("first", "second"):
        (gone / name).write_bytes(b"dicom")
    packet = Packet(path, "P", fingerprint(gone))
    (gone / "first").unlink()

    def contains(place: Path) -> bool:
        (place / "late").write_bytes(b"late")
        return True

    with pytest.raises(ChangedError):
        finish_removal(packet, TAG, contains)
    assert [file.name for file in path.iterdir()] == ["late"]


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP])
def test_a_complete_packet_without_a_session_is_imported_again(
    study: Study, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    killed(study, monkeypatch, kind)
    shutil.rmtree(study.session("S1"))
    run = study.main("--archive=move")
    assert run.status == 1, run.text
    assert "is no longer the session" in run.text
    assert (study.session("S1") / "session.txt").exists()
    assert len(list(study.archive.iterdir())) == 1
    assert list(study.inbox.iterdir()) == []


def test_the_rest_of_a_packet_without_a_session_is_reported_with_the_command_that_renames_it(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = killed(study, monkeypatch, Kind.FOLDER)
    (gone / FIRST).unlink()
    shutil.rmtree(study.session("S1"))
    run = study.main("--check=no")
    assert run.status == 1, run.text
    assert "rm -r" not in run.text
    assert "It has no session now" in run.text
    assert command_in(run.text, "mv -nT").endswith("/S1")
    assert sorted(path.name for path in gone.iterdir()) == sorted(FILES)[1:]


def test_a_packet_of_which_no_file_can_be_removed_gets_its_name_back(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example a folder of another user: it can be renamed, and its files cannot be removed."""

    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "a file of the packet")

    packet = study.put("S1", MrSeries().files(), Kind.FOLDER)
    before = snapshot(packet)
    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.archive.aside.remove_unchanged", refused)
        run = study.main("--archive=delete")
    assert run.status == 1
    assert "could not be archived" in run.text
    assert [path.name for path in study.inbox.iterdir()] == ["S1"]
    assert snapshot(packet) == before
    assert study.main("--archive=delete", "--check=no").status == 0
    assert list(study.inbox.iterdir()) == []
