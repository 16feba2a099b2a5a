"""Folders nested to any depth are listed, synced, created and removed; a packet has a limit."""

import errno
import os
import re
import time
from pathlib import Path

import pytest

from qxbatch.discover.fingerprint import fingerprint
from qxbatch.publish.durable import make_folder, remove_tree, sync_tree
from qxbatch.publish.locks import Locks
from qxbatch.publish.open_folders import opened_folder
from qxbatch.walk import MAX_DEPTH, remove_folder, walk


def make_deep(top: Path, levels: int) -> Path:
    path = top
    path.mkdir()
    for _ in range(levels):
        path = path / "d"
        path.mkdir()
    (path / "file").write_bytes(b"x")
    return path


def test_the_listing_equals_that_of_os_walk(tmp_path: Path) -> None:
    for name in ("a/b/1", "a/2", "c/3", "4"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "link").symlink_to("a")
    listed = {folder: (sorted(folders), sorted(files)) for folder, folders, files in walk(tmp_path)}
    expected = {folder: (sorted(folders), sorted(files)) for folder, folders, files in os.walk(tmp_path)}
    assert listed == expected
    order = [folder for folder, _, _ in walk(tmp_path, topdown=False)]
    assert all(order.index(folder) < order.index(os.path.dirname(folder)) for folder in order[:-1])  # noqa: PTH120


def test_the_order_is_that_of_the_names_whatever_the_file_system_lists_first(tmp_path: Path) -> None:
    names = [f"{k:02}" for k in range(40)]
    for order in (names, names[::-1]):
        top = tmp_path / order[0]
        for name in order:
            (top / "folders" / name).mkdir(parents=True)
            (top / name).touch()
        [first, second, *others] = walk(top)
        assert first == (str(top), ["folders"], names)
        assert second[1] == names
        assert [Path(folder).name for folder, _, _ in others] == names


def test_folders_deeper_than_the_interpreter_can_recurse_are_synced_and_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    make_deep(top, 1500)
    sync_tree(top)
    remove_tree(top)
    assert not top.exists()


def test_folders_deeper_than_a_path_can_be_long_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = tmp_path / "top"
    top.mkdir()
    (tmp_path / "kept").write_bytes(b"x")
    monkeypatch.chdir(top)
    for _ in range(2200):
        Path("beside").mkdir()
        Path("link").symlink_to(tmp_path)
        Path("d").mkdir()
        os.chdir("d")
        os.chmod("..", 0o500)  # noqa: PTH101
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("the first attempt failed"))
    remove_tree(top)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_the_folder_that_cannot_be_removed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_deep(tmp_path / "top", 3)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), "file")

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(OSError, match=re.escape(str(tmp_path / "top/d/d/d"))):
        remove_folder(tmp_path / "top")


def test_folders_deeper_than_the_interpreter_can_recurse_are_created(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["d"] * 1500)
    make_folder(folder)
    make_folder(folder)
    assert folder.is_dir()
    remove_tree(tmp_path / "d")  # pytest cannot
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        make_folder(tmp_path / "file" / "d")


def test_a_folder_that_another_run_removes_meanwhile_is_created_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".qxbatch" / "locks"
    locks = Locks(folder)
    is_dir = Path.is_dir
    removed: list[Path] = []

    def removed_before(path: Path) -> bool:
        if path == folder and not removed:
            removed.append(path)
            path.rmdir()
        return is_dir(path)

    monkeypatch.setattr(Path, "is_dir", removed_before)
    for create in (lambda: make_folder(folder), lambda: locks.take("session S1")):
        make_folder(folder)
        removed.clear()
        create()
        assert removed
        assert is_dir(folder)


def test_a_packet_that_is_nested_too_deep_is_refused(tmp_path: Path) -> None:
    make_deep(tmp_path / "sound", MAX_DEPTH - 2)
    assert fingerprint(tmp_path / "sound").files == 1
    make_deep(tmp_path / "packet", MAX_DEPTH + 1)
    with pytest.raises(OSError, match="nested more than"):
        fingerprint(tmp_path / "packet")


def test_a_link_to_itself_hides_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("x")
    assert list(walk(tmp_path)) == [(str(tmp_path), [], ["file", "loop"])]


def test_an_error_names_the_whole_path_of_what_cannot_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "top" / "in").mkdir(parents=True)
    (tmp_path / "top" / "in" / "file").touch()

    def refused(name: str, **_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), name)

    monkeypatch.setattr(os, "unlink", refused)
    with opened_folder(tmp_path) as parent, pytest.raises(PermissionError) as caught:
        parent.remove("top")
    assert caught.value.filename == str(tmp_path / "top" / "in")
