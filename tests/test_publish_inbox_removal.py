"""Sorted files, and no others, are removed from a session's inbox."""

import errno
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from qxbatch.ledger_cells import member_path
from qxbatch.publish.inbox_removal import UnremovedFile, remove_listed, write_removal_list
from qxbatch.publish.removal_list import RemovalList

TAG = "0123456789abcdef"


def make(inbox: Path, name: str, data: bytes) -> tuple[str, str]:
    path = inbox / member_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return name, hashlib.sha256(data).hexdigest()


def remaining(inbox: Path) -> set[str]:
    return {os.fsencode(p.relative_to(inbox)).decode("latin-1") for p in inbox.rglob("*")}


def test_sorted_files_and_emptied_folders_are_removed(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    members = [make(inbox, "a/b/1.dcm", b"1"), make(inbox, "a/2.dcm", b"2"), make(inbox, "\\xff\\x09.dcm", b"3")]
    make(inbox, "a/README", b"kept")
    write_removal_list(inbox, members, tmp_path / "taken.tsv")
    assert remove_listed(inbox, RemovalList(tmp_path / "taken.tsv"), TAG, tmp_path) == []
    assert remaining(inbox) == {"a", "a/README"}


def test_a_changed_file_is_kept(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    members = [make(inbox, "1.dcm", b"1"), make(inbox, "2.dcm", b"2"), make(inbox, "3.dcm", b"3")]
    write_removal_list(inbox, members, tmp_path / "taken.tsv")
    (inbox / "1.dcm").write_bytes(b"longer")
    status = (inbox / "2.dcm").stat()
    with (inbox / "2.dcm").open("r+b") as file:
        file.write(b"x")
    os.utime(inbox / "2.dcm", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert remove_listed(inbox, RemovalList(tmp_path / "taken.tsv"), TAG, tmp_path) == [
        UnremovedFile(inbox / "1.dcm"),
        UnremovedFile(inbox / "2.dcm"),
    ]
    assert remaining(inbox) == {"1.dcm", "2.dcm"}


def test_the_removal_can_be_repeated(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    write_removal_list(inbox, [make(inbox, "a/1.dcm", b"1"), make(inbox, "a/2.dcm", b"2")], tmp_path / "taken.tsv")
    (inbox / "a" / "1.dcm").unlink()
    (inbox / "a" / "2.dcm").unlink()
    assert remove_listed(inbox, RemovalList(tmp_path / "taken.tsv"), TAG, tmp_path) == []
    assert remaining(inbox) == set()


def test_an_empty_folder_that_cannot_be_removed_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = tmp_path / "inbox"
    write_removal_list(inbox, [make(inbox, "a/1.dcm", b"1")], tmp_path / "taken.tsv")

    def broken(_: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rmdir", broken)
        assert remove_listed(inbox, RemovalList(tmp_path / "taken.tsv"), TAG, tmp_path) == [
            UnremovedFile(inbox / "a", "input/output error")
        ]
    assert remove_listed(inbox, RemovalList(tmp_path / "taken.tsv"), TAG, tmp_path) == []
    assert remaining(inbox) == set()


def test_a_file_renamed_by_a_killed_run_is_removed_or_restored(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    members = [make(inbox, "1.dcm", b"1"), make(inbox, "2.dcm", b"2"), make(inbox, "3.dcm", b"3")]
    write_removal_list(inbox, members, tmp_path / "taken.tsv")
    for name in ("1.dcm", "2.dcm", "3.dcm"):
        (inbox / name).rename(inbox / f".qxbatch-aside-{TAG}-{name}")
    (inbox / f".qxbatch-aside-{TAG}-2.dcm").write_bytes(b"x")
    (inbox / "3.dcm").write_bytes(b"new")
    unremoved = remove_listed(inbox, RemovalList(tmp_path / "taken.tsv"), TAG, tmp_path)
    assert unremoved == [UnremovedFile(inbox / "2.dcm"), UnremovedFile(inbox / "3.dcm")]
    assert {path.name: path.read_bytes() for path in inbox.iterdir()} == {"2.dcm": b"x", "3.dcm": b"new"}


def test_contents_are_compared_where_inodes_are_not_stable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = tmp_path / "inbox"
    write_removal_list(inbox, [make(inbox, "1.dcm", b"1")], tmp_path / "taken.tsv")
    rename = Path.rename

    def copying(self: Path, target: Path) -> Path:
        status = self.stat()
        target.write_bytes(self.read_bytes())
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.unlink()
        return target

    monkeypatch.setattr(Path, "rename", copying)
    assert remove_listed(inbox, RemovalList(tmp_path / "taken.tsv"), TAG, tmp_path) == []
    monkeypatch.setattr(Path, "rename", rename)
    assert remaining(inbox) == set()


@pytest.mark.parametrize("linked", ["inbox", "folder"])
def test_nothing_is_removed_through_a_link(tmp_path: Path, linked: str) -> None:
    make(tmp_path / "raw" / "a", "1.dcm", b"1")
    inbox = tmp_path / "study" / "inbox"
    inbox.parent.mkdir()
    if linked == "inbox":
        inbox.symlink_to(tmp_path / "raw")
    else:
        inbox.mkdir()
        (inbox / "a").symlink_to(tmp_path / "raw" / "a")
    write_removal_list(inbox, [("a/1.dcm", hashlib.sha256(b"1").hexdigest())], tmp_path / "taken.tsv")
    assert remove_listed(inbox, RemovalList(tmp_path / "taken.tsv"), TAG, tmp_path / "study") == []
    assert (tmp_path / "raw" / "a" / "1.dcm").exists()


def test_a_folder_that_becomes_a_link_meanwhile_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = tmp_path / "study" / "inbox"
    write_removal_list(inbox, [make(inbox, f"a/{k}.dcm", b"1") for k in range(3)], tmp_path / "taken.tsv")
    backup = tmp_path / "backup"
    shutil.copytree(inbox / "a", backup, copy_function=shutil.copy2)
    unlink = Path.unlink

    def exchange(self: Path, *, missing_ok: bool = False) -> None:
        unlink(self, missing_ok=missing_ok)
        if not (inbox / "a").is_symlink():
            (inbox / "a").rename(inbox / "b")
            (inbox / "a").symlink_to(backup)

    monkeypatch.setattr(Path, "unlink", exchange)
    remove_listed(inbox, RemovalList(tmp_path / "taken.tsv"), TAG, tmp_path / "study")
    assert remaining(backup) == {"0.dcm", "1.dcm", "2.dcm"}
    assert remaining(inbox) == {"a", "b"}, "all listed files are removed"


def test_no_folder_of_a_forged_list_is_stored_that_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = tmp_path / "inbox"
    make(inbox, "a/1.dcm", b"1")
    removed: list[Path] = []

    def rmdir(folder: Path) -> None:
        removed.append(folder)

    monkeypatch.setattr(Path, "rmdir", rmdir)
    with (tmp_path / "taken.tsv").open("w") as file:
        file.writelines(f"1\t1\t{'0' * 64}\ta/{k}/b/c/x\n" for k in range(100))
    assert remove_listed(inbox, RemovalList(tmp_path / "taken.tsv"), TAG, tmp_path) == []
    assert removed == [inbox / "a"]


def test_folders_are_removed_whose_files_and_folders_a_killed_run_removed(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    write_removal_list(inbox, [make(inbox, "a/b/c/1.dcm", b"1")], tmp_path / "taken.tsv")
    shutil.rmtree(inbox / "a" / "b")
    assert remove_listed(inbox, RemovalList(tmp_path / "taken.tsv"), TAG, tmp_path) == []
    assert remaining(inbox) == set()


def test_a_list_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"{k}\t1\t{'0' * 64}\tfile-{k}\n" for k in range(20)]
    (tmp_path / "taken.tsv").write_text("".join(lines))
    monkeypatch.setattr("qxbatch.publish.removal_list._BLOCK", 37)
    for source in (tmp_path / "taken.tsv", "".join(lines).encode()):
        assert [file.path.name for file in RemovalList(source).files()] == [f"file-{k}" for k in range(20)]


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_line_that_is_longer_than_a_block_is_refused_by_its_length(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.setattr("qxbatch.publish.removal_list._BLOCK", 16)
    monkeypatch.setattr("qxbatch.publish.removal_list.LONGEST_LINE", 16)
    listed = RemovalList(f"1\t1\t0\t{'a' * 50}{end}".encode())
    with pytest.raises(ValueError, match="has a line of 16 bytes or more"):
        list(listed.files())


@pytest.mark.parametrize(
    "content", ["", "1\t1\t0\ta\n", "1\t1\t0\ta\n1\t1\t0\tc\n", "1\t1\t0\ta\n1\t1\t0\tb\n1\t1\t0\tc\n"]
)
def test_no_line_of_a_changed_block_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.setattr("qxbatch.publish.removal_list._BLOCK", 8)
    (tmp_path / "taken.tsv").write_text("1\t1\t0\ta\n1\t1\t0\tb\n")
    listed = RemovalList(tmp_path / "taken.tsv")
    (tmp_path / "taken.tsv").write_text(content)
    names = []
    with pytest.raises(OSError, match="changed while it was read"):
        names += [file.path.name for file in listed.files()]
    assert "c" not in names
