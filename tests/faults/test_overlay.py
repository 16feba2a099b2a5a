"""A study in the lower layer of an overlay file system, as in a container: its files can be renamed, its folders cannot."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qxbatch.archive.aside import finish_partial_move
from qxbatch.archive.session_bytes import SessionBytes
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.own_names import HiddenKind
from qxbatch.model import Packet
from qxbatch.pipeline.archiving import _PacketArchiving
from qxbatch.publish import durable
from qxbatch.publish.locks import Locks
from qxbatch.publish.plain_files import LinkError
from qxbatch.publish.transfer import hidden_path, move_files, put_aside
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, read_tree, under, write_folder
from tests.build.study import Study, run_command, snapshot
from tests.faults.contents import hashes_below

TREE = {**under("T1", MrSeries().files()), **under("a/b", {"README": b"of the scanner\n"})}

TAG = "0123456789abcdef"


@pytest.fixture
def overlay_of(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Return a function that mounts an overlay over a folder and returns it; the folder stays unchanged. It can be called once."""
    upper = tmp_path / "upper"
    upper.mkdir()
    mounted: list[Path] = []

    def mount(folder: Path, *words: str | Path) -> None:
        process = subprocess.run(["mount", *words, folder], capture_output=True, check=False)
        if process.returncode != 0:
            pytest.skip("an overlay cannot be mounted here (no right to mount)")
        mounted.append(folder)

    def overlay(lower: Path) -> Path:
        merged = tmp_path / "merged"
        for folder in (merged, upper / "files", upper / "work"):
            folder.mkdir()
        options = f"lowerdir={lower},upperdir={upper}/files,workdir={upper}/work,redirect_dir=off"
        mount(merged, "-t", "overlay", "overlay", "-o", options)
        return merged

    mount(upper, "-t", "tmpfs", "tmpfs")
    yield overlay
    for folder in reversed(mounted):
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("archive", ["move", "copy", "delete"])
def test_a_packet_that_is_a_folder_is_archived(study: Study, overlay_of: Callable[[Path], Path], archive: str) -> None:
    packet = study.put("S1", TREE, Kind.FOLDER)
    before = snapshot(packet)
    merged = overlay_of(study.sessions)
    run = run_command(str(merged), f"--archive={archive}")
    assert run.status == 0, run.text
    assert run_command("verify", str(merged / "S1")).status == 0
    assert (merged / "inbox" / "MR" / "S1").exists() == (archive == "copy")
    if archive != "delete":
        assert snapshot(merged / "archive" / "MR" / "S1") == before
    assert list(merged.rglob(".qxbatch*")) == []


def test_a_session_is_imported_again(study: Study, overlay_of: Callable[[Path], Path]) -> None:
    study.put("S1", TREE)
    assert study.main("--archive=leave").status == 0
    (study.session("S1") / "nii" / "mine").mkdir()
    (study.session("S1") / "nii" / "mine" / "notes.txt").write_text("mine\n")
    merged = overlay_of(study.sessions)
    known = hashes_below(study.archive.parent.parent / "inbox") | hashes_below(study.session("S1") / "nii" / "mine")
    run = run_command(str(merged), "--overwrite=yes", "--archive=leave")
    assert run.status == 0, run.text
    assert run_command("verify", str(merged / "S1")).status == 0
    assert (merged / "archive" / "replaced" / "S1-1" / "nii" / "mine" / "notes.txt").read_text() == "mine\n"
    assert known <= hashes_below(merged)
    assert list(merged.rglob(".qxbatch*")) == []


def test_the_lock_of_a_killed_run_is_free_at_once(tmp_path: Path, overlay_of: Callable[[Path], Path]) -> None:
    """In an overlay the device of a file differs from that of its folder."""
    lower = tmp_path / "lower"
    lower.mkdir()
    folder = overlay_of(lower) / "locks"
    killed = (
        f"import os, pathlib; from qxbatch.publish.locks import Locks; Locks(pathlib.Path({str(folder)!r})).take('S1')"
    )
    assert subprocess.run([sys.executable, "-c", f"{killed}; os._exit(9)"], check=False).returncode == 9
    assert [path.name for path in folder.iterdir()] != []
    locks = Locks(folder)
    assert locks.take("S1") is not None
    locks.close()


class KilledError(Exception):
    """Simulates the end of a killed run."""


def rename_only_files(monkeypatch: pytest.MonkeyPatch, stop: int, fault: Exception, *, in_one_step: bool) -> None:
    """Let renames of visible folders fail as in a lower layer; the step after `stop` successful ones raises `fault`.

    A file is renamed in one step, or by a link and the removal of its old name.
    """
    rename, link, unlink, by_kernel = os.rename, os.link, os.unlink, durable._renameat2
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count == stop + 1:
            raise fault

    def renamed(source: str | Path, target: str | Path, **folders: Any) -> None:
        if not folders and Path(source).is_dir() and not Path(source).name.startswith("."):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source))
        step()
        rename(source, target, **folders)

    def linked(*names: str, **folders: Any) -> None:
        step()
        link(*names, **folders)

    def unlinked(name: str, **folder: Any) -> None:
        step()
        unlink(name, **folder)

    def renamed_by_kernel(*arguments: Any) -> bool:
        if in_one_step:
            step()
        return in_one_step and by_kernel(*arguments)

    monkeypatch.setattr(durable, "_renameat2", renamed_by_kernel)
    for name, call in (("rename", renamed), ("link", linked), ("unlink", unlinked)):
        monkeypatch.setattr(os, name, call)


OTHER = {**under("T1", MrSeries(patient="P009", number=8, study="other").files()), "NOTES": b"of another patient"}
PACKET = {name: name.encode() for name in ("a", "b/c", "b/d/e")}


STEPS = [(True, stop) for stop in range(len(PACKET))] + [(False, stop) for stop in range(2 * len(PACKET))]
"""Whether files are renamed in one step, and the number of steps before the last one."""


@pytest.mark.parametrize(("in_one_step", "stop"), [*STEPS, (True, len(PACKET)), (False, 2 * len(PACKET))])
def test_a_packet_that_is_moved_aside_file_by_file_is_complete_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_one_step: bool, stop: int
) -> None:
    packet = tmp_path / "S1"
    write_folder(PACKET, packet)
    before, whole = snapshot(packet), fingerprint(packet)
    aside = hidden_path(packet, HiddenKind.ASIDE, TAG)
    with monkeypatch.context() as patch:
        rename_only_files(patch, stop, KilledError(), in_one_step=in_one_step)
        with pytest.raises(KilledError):
            put_aside(packet, aside)
    finish_partial_move(Packet(packet, "S1", whole), TAG)
    assert snapshot(aside) == before
    assert list(tmp_path.iterdir()) == [aside]


@pytest.mark.parametrize("archive", ["move", "delete"])
@pytest.mark.parametrize("kind", ["link", "file", "folder"])
def test_what_took_the_name_of_a_packet_meanwhile_is_not_moved_with_it(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, archive: str
) -> None:
    packet = study.put("S1", TREE, Kind.FOLDER)

    def killed(source: Path, aside: Path) -> None:
        part = aside.with_name(aside.name.replace(HiddenKind.ASIDE, HiddenKind.PART, 1))
        part.mkdir()
        (source / "a").rename(part / "a")
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.archive.aside.put_aside", killed)
        study.main(f"--archive={archive}")
    assert list((study.sessions / ".qxbatch" / "journal").iterdir())
    packet.rename(tmp_path / "elsewhere")
    if kind == "link":
        packet.symlink_to(tmp_path / "elsewhere")
    elif kind == "file":
        packet.write_text("mine\n")
    else:
        write_folder(OTHER, packet)
    outside = snapshot(tmp_path / "elsewhere")
    assert outside
    run = study.main()
    assert run.status == 1, run.text
    assert snapshot(tmp_path / "elsewhere") == outside
    assert f"{packet if kind == 'folder' else packet.with_name('S1_2')}: changed" in run.text
    if kind == "folder":
        assert read_tree(packet) == OTHER
    else:
        assert packet.is_symlink() if kind == "link" else packet.read_text() == "mine\n"
    assert (packet.with_name("S1_2")).is_dir(), "the files that were moved before"
    assert list(study.inbox.glob(".qxbatch*")) == []


def test_files_are_moved_through_no_link(tmp_path: Path) -> None:
    target = write_folder(PACKET, tmp_path / "target")
    (tmp_path / "link").symlink_to(target)
    before = snapshot(tmp_path)
    with pytest.raises(LinkError):
        move_files(tmp_path / "link", tmp_path / "new")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(("in_one_step", "stop"), STEPS)
def test_a_packet_that_cannot_be_moved_aside_keeps_its_name_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_one_step: bool, stop: int
) -> None:
    packet = tmp_path / "S1"
    write_folder(PACKET, packet)
    before = snapshot(tmp_path)
    fault = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    rename_only_files(monkeypatch, stop, fault, in_one_step=in_one_step)
    with pytest.raises(OSError, match="No space left"):
        put_aside(packet, hidden_path(packet, HiddenKind.ASIDE, TAG))
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("archive", ["leave", "copy", "move", "delete"])
def test_a_planted_folder_of_moved_files_is_not_taken_for_one_of_this_run(
    study: Study, monkeypatch: pytest.MonkeyPatch, archive: str
) -> None:
    packet = study.put("S1", TREE, Kind.FOLDER)
    before = snapshot(packet)
    planted: list[Path] = []
    archived = _PacketArchiving.run

    def planting(self: _PacketArchiving, session_bytes: SessionBytes) -> Any:
        planted.append(write_folder({"mine": b"mine"}, hidden_path(packet, HiddenKind.PART, self.tag)))
        return archived(self, session_bytes)

    monkeypatch.setattr(_PacketArchiving, "run", planting)
    run = study.main(f"--archive={archive}")
    assert run.status == 0, run.text
    assert [(folder / "mine").read_bytes() for folder in planted] == [b"mine"]
    assert (snapshot(packet) if packet.exists() else None) == (before if archive in ("leave", "copy") else None)


def test_files_are_not_moved_into_a_planted_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = write_folder(PACKET, tmp_path / "S1")
    aside = hidden_path(packet, HiddenKind.ASIDE, TAG)
    write_folder({"mine": b"mine"}, hidden_path(packet, HiddenKind.PART, TAG))
    before = snapshot(tmp_path)
    rename_only_files(monkeypatch, 99, KilledError(), in_one_step=True)
    with pytest.raises(FileExistsError):
        put_aside(packet, aside)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("archive", ["leave", "copy"])
@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP])
def test_a_packet_that_a_killed_run_renamed_and_that_must_stay_gets_its_name_back(
    study: Study, monkeypatch: pytest.MonkeyPatch, kind: Kind, archive: str
) -> None:
    packet = study.put("S1", TREE, kind)
    before = snapshot(study.inbox)

    def killed(source: Path, aside: Path) -> None:
        source.rename(aside)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.archive.aside.put_aside", killed)
        study.main("--archive=move")
    assert not packet.exists()
    (journal,) = (study.sessions / ".qxbatch" / "journal").iterdir()
    journal.write_text(journal.read_text().replace('"archive": "move"', f'"archive": "{archive}"'))
    run = study.main("--check=no")
    assert run.status == 0, run.text
    assert snapshot(study.inbox) == before


def packet_of_a_killed_run(study: Study, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Return a packet, and the hidden folder to which a killed run moved some of its files."""
    packet = study.put("S1", TREE, Kind.FOLDER)
    parts: list[Path] = []

    def killed(source: Path, aside: Path) -> None:
        part = aside.with_name(aside.name.replace(HiddenKind.ASIDE, HiddenKind.PART, 1))
        part.mkdir()
        times = source.stat()
        (source / "a").rename(part / "a")
        os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
        parts.append(part)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.archive.aside.put_aside", killed)
        study.main("--archive=move")
    return packet, parts[0]


def test_files_of_a_packet_that_became_a_mount_point_are_moved_back(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet, part = packet_of_a_killed_run(study, monkeypatch)
    monkeypatch.setattr("qxbatch.pipeline.archiving.mount_at", lambda *_: packet / "T1")
    run = study.main()
    assert "is a mount point" in " ".join(run.text.split())
    assert read_tree(packet) == TREE
    assert not part.exists()


def test_files_of_a_packet_that_a_mount_hides_wait_until_it_is_unmounted(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet, part = packet_of_a_killed_run(study, monkeypatch)
    times = packet.stat()
    (packet / "mounted").write_text("of another disk")
    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.pipeline.archiving.mount_at", lambda *_: packet)
        run = study.main()
    assert run.status == 1, run.text
    assert "and the files there now are not the remaining ones" in " ".join(run.text.split())
    assert (part / "a/b/README").exists()
    (packet / "mounted").unlink()
    os.utime(packet, ns=(times.st_atime_ns, times.st_mtime_ns))
    run = study.main("--check=no")
    assert run.status == 0, run.text
    assert read_tree(study.archive / "S1") == TREE
    assert not part.exists()
