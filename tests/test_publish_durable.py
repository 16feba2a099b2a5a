"""A rename to a new name replaces nothing.

Only a file that is renamed without hard links and renameat2 can replace one that appears after the check.
"""

import ctypes
import errno
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from qxbatch.publish import durable
from qxbatch.publish.durable import remove_tree, rename_noreplace, sync_tree


@pytest.fixture(params=["links", "kernel", "neither"])
def means(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The means that the file system and the kernel offer: hard links, renameat2 or neither."""

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    if request.param != "links":
        monkeypatch.setattr(os, "link", refused)
    if request.param == "neither":
        monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    return str(request.param)


@pytest.mark.usefixtures("means")
def test_a_file_a_link_and_a_folder_can_be_renamed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a")
    (tmp_path / "link").symlink_to("file2")
    (tmp_path / "folder" / "in").mkdir(parents=True)
    for name in ("file", "link", "folder"):
        rename_noreplace(tmp_path / name, tmp_path / f"{name}2")
    assert sorted(os.listdir(tmp_path)) == ["file2", "folder2", "link2"]  # noqa: PTH208 - names
    assert (tmp_path / "link2").is_symlink()
    assert (tmp_path / "link2").read_text() == "a"


@pytest.mark.usefixtures("means")
@pytest.mark.parametrize("source", ["file", "folder"])
@pytest.mark.parametrize("target", ["other file", "other folder"])
def test_a_rename_to_an_existing_name_is_refused(tmp_path: Path, source: str, target: str) -> None:
    for name in ("file", "other file"):
        (tmp_path / name).write_text(name)
    for name in ("folder", "other folder"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "in").write_text(name)
    with pytest.raises(FileExistsError):
        rename_noreplace(tmp_path / source, tmp_path / target)
    assert (tmp_path / "other file").read_text() == "other file"
    assert (tmp_path / "other folder" / "in").read_text() == "other folder"
    assert (tmp_path / source).exists()


@pytest.mark.parametrize("target", ["file", "folder"])
@pytest.mark.parametrize(
    ("means", "source"),
    [*((means, source) for means in ("links", "kernel") for source in ("file", "folder")), ("neither", "folder")],
    indirect=["means"],
)
@pytest.mark.usefixtures("means")
def test_a_name_that_appears_after_the_check_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, target: str
) -> None:
    for name in ("source", "target"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "folder").mkdir()
        (tmp_path / name / "folder" / "in").write_text(name)
        (tmp_path / name / "file").write_text(name)
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    with pytest.raises(FileExistsError):
        rename_noreplace(tmp_path / "source" / source, tmp_path / "target" / target)
    assert (tmp_path / "target" / "file").read_text() == "target"
    assert (tmp_path / "target" / "folder" / "in").read_text() == "target"


def test_syncing_a_tree_does_not_open_its_links(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").write_text("a")
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "nowhere")
    sync_tree(tmp_path / "tree")


def test_removing_a_missing_tree_on_a_read_only_file_system_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, **_: bool) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))

    monkeypatch.setattr(Path, "unlink", refuse)
    remove_tree(tmp_path / "nothing")


@pytest.mark.parametrize("by_kernel", [True, False])
def test_a_file_that_gets_the_old_name_during_a_rename_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_kernel: bool
) -> None:
    (tmp_path / "study.tsv").write_text("first")
    steps = (durable._renameat2, os.link)

    def saved_after(step: Any, *arguments: Any, **folders: Any) -> Any:
        result = step(*arguments, **folders)
        (tmp_path / "new").write_text("second")
        (tmp_path / "new").replace(tmp_path / "study.tsv")
        return result

    if by_kernel:
        monkeypatch.setattr(durable, "_renameat2", partial(saved_after, steps[0]))
    else:
        monkeypatch.setattr(durable, "_renameat2", lambda *_: False)
        monkeypatch.setattr(os, "link", partial(saved_after, steps[1]))
    rename_noreplace(tmp_path / "study.tsv", tmp_path / "study.tsv.1", others_may_write_source=True)
    assert (tmp_path / "study.tsv.1").read_text() == "first"
    assert (tmp_path / "study.tsv").read_text() == "second"
