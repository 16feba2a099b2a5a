"""Permissions of a folder that is removed or renamed are changed; those of a folder that others put in its place are not."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qxbatch.publish.transfer import put_aside
from qxbatch.walk import folder_handle, remove_folder, set_mode


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let folders without permissions be closed to root, too."""
    really_open, really_rename = os.open, os.rename

    def opened(path: Any, flags: int, *args: Any, dir_fd: int | None = None) -> int:
        status = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
        if not flags & os.O_PATH and stat.S_ISDIR(status.st_mode) and not status.st_mode & stat.S_IRUSR:
            raise PermissionError(path)
        return really_open(path, flags, *args, dir_fd=dir_fd)

    def renamed(source: Path, target: Path) -> None:
        status = os.lstat(source)
        if stat.S_ISDIR(status.st_mode) and not status.st_mode & stat.S_IWUSR:
            raise PermissionError(source)
        really_rename(source, target)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "rename", renamed)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def exchange_before_chmod(monkeypatch: pytest.MonkeyPatch, folder: Path, target: Path) -> Path:
    """Exchange a folder for a link to `target` right before its permissions change; return its new path."""
    moved = folder.with_name("moved")
    chmod: Callable[..., None] = os.chmod

    def exchanged(*args: Any, **options: Any) -> None:
        monkeypatch.setattr(os, "chmod", chmod)
        os.replace(folder, moved)  # noqa: PTH105 - os.rename is replaced
        folder.symlink_to(target)
        chmod(*args, **options)

    monkeypatch.setattr(os, "chmod", exchanged)
    return moved


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of somebody else."""
    folder = tmp_path / "outside"
    folder.mkdir(mode=0o750)
    folder.chmod(0o750)
    return folder


@pytest.mark.usefixtures("user")
def test_a_folder_without_permissions_is_removed(tmp_path: Path) -> None:
    (tmp_path / "top" / "closed" / "folder").mkdir(parents=True)
    (tmp_path / "top" / "closed").chmod(0)
    remove_folder(tmp_path / "top")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("user")
def test_a_folder_that_becomes_a_link_when_it_is_removed_keeps_the_permissions_of_its_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outside: Path
) -> None:
    closed = tmp_path / "top" / "closed"
    closed.mkdir(parents=True)
    closed.chmod(0)
    moved = exchange_before_chmod(monkeypatch, closed, outside)
    with pytest.raises(NotADirectoryError):
        remove_folder(tmp_path / "top")
    assert mode_of(outside) == 0o750
    assert mode_of(moved) == 0o700


@pytest.mark.usefixtures("user")
def test_a_read_only_folder_is_renamed_and_stays_read_only(tmp_path: Path) -> None:
    packet = tmp_path / "P"
    packet.mkdir()
    packet.chmod(0o555)
    put_aside(packet, tmp_path / "aside")
    assert [path.name for path in tmp_path.iterdir()] == ["aside"]
    assert mode_of(tmp_path / "aside") == 0o555


@pytest.mark.usefixtures("user")
def test_a_folder_that_becomes_a_link_when_it_is_renamed_keeps_the_permissions_of_its_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outside: Path
) -> None:
    packet = tmp_path / "P"
    packet.mkdir()
    packet.chmod(0o555)
    moved = exchange_before_chmod(monkeypatch, packet, outside)
    put_aside(packet, tmp_path / "aside")
    assert mode_of(outside) == 0o750
    assert mode_of(moved) == 0o555


def test_an_error_names_the_folder_whose_permissions_cannot_be_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, _: int) -> None:
        raise PermissionError(1, os.strerror(1), path)

    monkeypatch.setattr(os, "chmod", refuse)
    with folder_handle(tmp_path) as handle, pytest.raises(PermissionError) as raised:
        set_mode(handle, 0o700)
    assert raised.value.filename == str(tmp_path)
