"""A packet, or a session of its name, that changes after the packet was read: the late data are not lost."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qxbatch.archive import aside as aside_module
from qxbatch.archive import packet as packet_module
from qxbatch.archive import same_packet
from qxbatch.archive.names import ArchivePath, archive_path
from qxbatch.archive.same_packet import SamePacketCheck
from qxbatch.archive.session_bytes import PacketContent
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.own_names import HiddenKind
from qxbatch.model import Fingerprint
from qxbatch.pipeline import deliver as deliver_module
from qxbatch.pipeline import journaling as journaling_module
from qxbatch.pipeline.check_build import sync_and_check_build
from qxbatch.publish.journal import write_journal
from qxbatch.publish.transfer import hidden_path, put_aside
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, under, write_packet
from tests.build.study import Study, snapshot

TREE = {**under("T1", MrSeries(patient="P1").files()), "README": b"of the scanner\n"}
FOLDER_MODE = ("--masterinbox=none", "--sessions=S1")
LATE = b"the second half of the upload\n"


def before_delivery(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Call `change` in a run after the build is checked, before the journal is written."""

    def changed(*args: Any) -> None:
        sync_and_check_build(*args)
        change()

    monkeypatch.setattr(deliver_module, "sync_and_check_build", changed)


def around_the_rename(monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object], *, after: bool) -> None:
    """Call `change` with a packet right before, or `after`, it is renamed to its hidden name."""

    def changed(packet: Path, aside: Path) -> None:
        is_step = HiddenKind.ASIDE in aside.name
        if is_step and not after:
            change(packet)
        put_aside(packet, aside)
        if is_step and after:
            change(packet)

    monkeypatch.setattr(aside_module, "put_aside", changed)


def exchange(path: Path, *, rename: bool) -> bytes:
    """Change a byte of a file, in place or with `rename` in a new file; keep its size and time. Return the bytes."""
    status = path.stat()
    other = bytearray(path.read_bytes())
    other[len(other) // 2] ^= 255
    written = path.with_name("new") if rename else path
    written.write_bytes(other)
    os.utime(written, ns=(status.st_atime_ns, status.st_mtime_ns))
    written.rename(path)
    return bytes(other)


@pytest.mark.parametrize("archive", ["move", "delete", "copy"])
@pytest.mark.parametrize("rename", [True, False], ids=["another file", "in place"])
def test_a_packet_that_is_exchanged_at_equal_size_and_time_stays(
    study: Study, monkeypatch: pytest.MonkeyPatch, archive: str, rename: bool
) -> None:
    packet = study.put("S1", TREE, Kind.ZIP)
    late: list[bytes] = []
    before_delivery(monkeypatch, lambda: late.append(exchange(packet, rename=rename)))
    run = study.main(f"--archive={archive}")
    assert run.status == 1, run.text
    assert f"{packet}: changed while it was imported" in run.text
    assert [packet.read_bytes()] == late
    assert not study.archive.exists()


@pytest.mark.parametrize("archive", ["move", "delete", "copy"])
def test_an_archive_in_a_folder_of_an_inbox_that_is_exchanged_stays(
    study: Study, monkeypatch: pytest.MonkeyPatch, archive: str
) -> None:
    scan = study.session("S1") / "inbox" / "upload" / "scan.zip"
    scan.parent.mkdir(parents=True)
    scan.write_bytes(packed(TREE, Kind.ZIP))
    second = packed(MrSeries(patient="P1", number=9).files(), Kind.ZIP)
    before_delivery(monkeypatch, lambda: scan.write_bytes(second))
    run = study.main(*FOLDER_MODE, f"--archive={archive}")
    assert run.status == 1, run.text
    assert f"{scan}: changed while it was imported" in run.text
    assert scan.read_bytes() == second
    assert not study.archive.exists()


@pytest.mark.parametrize("archive", ["move", "delete"])
def test_a_file_that_is_added_to_a_packet_right_before_it_is_renamed_is_kept_with_it(
    study: Study, monkeypatch: pytest.MonkeyPatch, archive: str
) -> None:
    packet = study.put("S1", TREE, Kind.FOLDER)
    around_the_rename(monkeypatch, lambda path: (path / "T1" / "late.dcm").write_bytes(LATE), after=False)
    run = study.main(f"--archive={archive}")
    assert run.status == 1, run.text
    assert f"{packet}: changed while it was imported" in run.text
    assert (packet / "T1" / "late.dcm").read_bytes() == LATE
    assert (packet / "README").exists()
    assert [path.name for path in study.inbox.iterdir()] == ["S1"]
    assert study.session_names() == ["S1"]


@pytest.mark.parametrize("archive", ["move", "delete"])
@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP])
def test_a_packet_that_comes_under_the_name_of_one_that_leaves_is_not_touched(
    study: Study, monkeypatch: pytest.MonkeyPatch, archive: str, kind: Kind
) -> None:
    packet = study.put("S1", TREE, kind)
    around_the_rename(monkeypatch, lambda path: path.write_bytes(LATE), after=True)
    run = study.main(f"--archive={archive}")
    assert run.status == 0, run.text
    assert packet.read_bytes() == LATE
    assert [path.name for path in study.inbox.iterdir()] == [packet.name]


def test_a_packet_that_changed_and_whose_name_is_taken_comes_back_under_another(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet = study.put("S1", TREE, Kind.ZIP)

    def exchange_and_put_aside(path: Path, aside: Path) -> None:
        exchange(path, rename=True)
        put_aside(path, aside)
        path.write_bytes(LATE)

    monkeypatch.setattr(aside_module, "put_aside", exchange_and_put_aside)
    run = study.main("--archive=delete")
    assert run.status == 1, run.text
    assert f"{packet.with_name('S1_2.zip')}: changed while it was imported" in run.text
    assert packet.read_bytes() == LATE
    assert packet.with_name("S1_2.zip").stat().st_size > len(LATE)


@pytest.mark.parametrize("archive", ["move", "delete"])
def test_an_edit_that_keeps_size_and_time_before_the_hidden_name_is_given_is_kept(
    study: Study, monkeypatch: pytest.MonkeyPatch, archive: str
) -> None:
    packet = study.put("S1", TREE, Kind.ZIP)
    edits: list[bytes] = []

    def edited(path: Path, kind: HiddenKind, tag: str) -> Path:
        if kind is HiddenKind.ASIDE:
            edits.append(exchange(packet, rename=False))
        return hidden_path(path, kind, tag)

    monkeypatch.setattr(packet_module, "hidden_path", edited)
    run = study.main(f"--archive={archive}")
    assert run.status == 1, run.text
    assert f"{packet}: changed while it was imported" in run.text
    assert [packet.read_bytes()] == edits


def test_an_edit_that_keeps_size_and_time_after_the_comparison_with_the_archive_is_kept(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet = study.put("S1", TREE, Kind.ZIP)
    study.archive.mkdir(parents=True)
    study.archive.joinpath("S1.zip").write_bytes(packet.read_bytes())
    edits: list[bytes] = []

    def edited(folder: Path, source: Path, name: str, number: int | None) -> ArchivePath:
        target = archive_path(folder, source, name, number)
        edits.append(exchange(source, rename=False))
        return target

    monkeypatch.setattr(packet_module, "archive_path", edited)
    run = study.main("--archive=move")
    assert run.status == 1, run.text
    assert f"{packet}: changed while it was imported" in run.text
    assert packet.read_bytes() == edits[-1]
    assert [path.name for path in study.inbox.iterdir()] == ["S1.zip"]


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP])
def test_a_packet_that_changes_when_it_is_renamed_for_removal_comes_back(
    study: Study, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    packet = study.put("S1", TREE, kind)

    def changed(path: Path, hidden: Path) -> None:
        put_aside(path, hidden)
        if HiddenKind.GONE in hidden.name:
            late = hidden / "T1" / "late.dcm" if kind is Kind.FOLDER else hidden
            late.write_bytes(LATE)

    monkeypatch.setattr(aside_module, "put_aside", changed)
    run = study.main("--archive=delete")
    assert run.status == 1, run.text
    assert f"{packet}: changed while it was imported" in run.text
    assert (packet / "T1" / "late.dcm" if kind is Kind.FOLDER else packet).read_bytes() == LATE
    assert [path.name for path in study.inbox.iterdir()] == [packet.name]


@pytest.mark.parametrize("archive", ["move", "delete", "copy"])
@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP])
@pytest.mark.parametrize("count", [1, 2])
def test_where_inodes_change_by_themselves_the_packet_is_read_again(
    study: Study, monkeypatch: pytest.MonkeyPatch, archive: str, kind: Kind, count: int
) -> None:
    for k in range(count):
        study.put(f"S1_{k}"[: 2 + 2 * k], {**TREE, f"note{k}": b"%d" % k}, kind)
    again = SamePacketCheck._read_again
    calls: list[Path] = []
    read: list[bool] = []

    def unsteady(path: Path) -> Fingerprint:
        current = fingerprint(path)
        calls.append(path)
        return replace(current, inodes=len(calls))

    def counted(self: SamePacketCheck, path: Path) -> PacketContent:
        content = again(self, path)
        read.append(content.is_fully_contained)
        return content

    monkeypatch.setattr(same_packet, "fingerprint", unsteady)
    monkeypatch.setattr(SamePacketCheck, "_read_again", counted)
    run = study.main(f"--archive={archive}", "--pattern=(?P<packet_name>S1)", "--on-same-session=merge")
    assert run.status == 0, run.text
    assert read
    assert all(read)
    assert len(list(study.inbox.iterdir())) == (count if archive == "copy" else 0)


@pytest.mark.parametrize("archive", ["move", "delete", "copy"])
def test_an_unchanged_packet_is_read_once(study: Study, monkeypatch: pytest.MonkeyPatch, archive: str) -> None:
    study.put("S1", TREE, Kind.ZIP)
    study.put("S2", {**TREE, "a/inner.zip": packed(TREE, Kind.ZIP)}, Kind.FOLDER)

    def never(*_: object) -> bool:
        raise AssertionError("the import itself does not change a packet")

    monkeypatch.setattr(SamePacketCheck, "_read_again", never)
    run = study.main(f"--archive={archive}")
    assert run.status == 0, run.text
    inbox = study.session("S3") / "inbox"
    (inbox / "deep").mkdir(parents=True)
    (inbox / "deep" / "inner.zip").write_bytes(packed(TREE, Kind.ZIP))
    (inbox / "scan.zip").write_bytes(packed(MrSeries(patient="P1", number=8).files(), Kind.ZIP))
    run = study.main("--masterinbox=none", "--sessions=S3", f"--archive={archive}")
    assert run.status == 0, run.text


def test_a_loose_file_that_comes_under_the_name_of_one_that_leaves_is_not_touched(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    for name, data in MrSeries(patient="P1").files().items():
        (inbox / name.replace("/", "-")).write_bytes(data)
    names = sorted(path.name for path in inbox.iterdir())
    rename = Path.rename

    def late(self: Path, target: Path) -> Path:
        renamed = rename(self, target)
        if self.resolve() == inbox / names[0]:
            self.write_bytes(LATE)
        return renamed

    monkeypatch.setattr(Path, "rename", late)
    run = study.main(*FOLDER_MODE)
    assert run.status == 1, run.text
    assert f"{inbox / names[0]}: changed while it was imported, and stays" in run.text
    assert snapshot(inbox).keys() == {names[0]}
    assert (inbox / names[0]).read_bytes() == LATE


def create_session(study: Study) -> dict[str, str]:
    """Create a session S1 of another packet, and return its snapshot."""
    session = study.session("S1")
    for name in ("session.txt", "dicom/30.tar.gz", "nii/31.nii.gz"):
        (session / name).parent.mkdir(parents=True, exist_ok=True)
        (session / name).write_text("of another packet")
    return snapshot(session)


@pytest.mark.parametrize("archive", ["move", "delete"])
@pytest.mark.parametrize("mode", [(), FOLDER_MODE], ids=["inbox mode", "folder mode"])
@pytest.mark.parametrize("moment", ["before publishing", "before the journal", "when publishing starts"])
def test_a_session_that_appears_meanwhile_is_not_replaced(
    study: Study, monkeypatch: pytest.MonkeyPatch, moment: str, mode: tuple[str, ...], archive: str
) -> None:
    inbox = study.session("S1") / "inbox" if mode else study.inbox
    inbox.mkdir(parents=True, exist_ok=True)
    packet = write_packet(TREE, inbox, "S1", Kind.ZIP)
    before = snapshot(inbox)
    appeared: list[dict[str, str]] = []
    with monkeypatch.context() as patched:
        if moment == "before publishing":
            before_delivery(patched, lambda: appeared.append(create_session(study)))
        elif moment == "before the journal":
            journal_of = journaling_module._journal

            def described(*args: Any) -> Any:
                appeared.append(create_session(study))
                return journal_of(*args)

            patched.setattr(journaling_module, "_journal", described)
        else:

            def written(*args: Any) -> None:
                write_journal(*args)
                appeared.append(create_session(study))

            patched.setattr(journaling_module, "write_journal", written)
        run = study.main(f"--archive={archive}", *mode)
    assert [snapshot(study.session("S1"))] == appeared, run.text
    assert snapshot(inbox) == before
    assert packet.exists()
    assert "S1 already exists" in run.text or "S1: is no longer the session that was made from its packets" in run.text
    assert not (study.sessions / ".qxbatch").exists()
    assert study.main(f"--archive={archive}", *mode, "--overwrite=yes").status == 0
    assert not packet.exists()


def test_with_overwrite_a_session_that_appears_during_the_import_is_replaced_and_kept(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.put("S1", TREE)
    before_delivery(monkeypatch, lambda: create_session(study))
    run = study.main("--overwrite=yes")
    assert run.status == 0, run.text
    replaced = study.archive.parent / "replaced" / "S1-1"
    assert (replaced / "nii" / "31.nii.gz").read_text() == "of another packet"
