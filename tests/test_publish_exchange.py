"""A session folder is absent, old or complete; an interrupted exchange can be continued."""

import contextlib
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from qxbatch.publish import exchange
from qxbatch.publish.durable import make_folder
from qxbatch.publish.exchange import _merge, publish
from qxbatch.publish.plain import LinkError
from qxbatch.publish.transfer import move_files

OLD = {
    "session.txt": "old",
    "dicom/30.tar.gz": "old",
    "nii/31.nii.gz": "old",
    "qxbatch/ledger.tsv": "old",
    "hcp/x": "later",
}
NEW = {
    "session.txt": "new",
    "dicom/30.tar.gz": "new",
    "nii/31.nii.gz": "new",
    "qxbatch/ledger.tsv": "new",
    "inbox/README": "new",
}


def write(top: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    return top


def read(top: Path) -> dict[str, str]:
    return {str(p.relative_to(top)): p.read_text() for p in sorted(top.rglob("*")) if p.is_file()}


def test_a_new_session_is_published_complete(tmp_path: Path) -> None:
    build = write(tmp_path / "build", NEW)
    publish(build, tmp_path / "OP3", tmp_path / "old", with_inbox=True, replace=True)
    assert read(tmp_path / "OP3") == NEW
    assert not build.exists()


def test_files_of_later_processing_steps_are_kept(tmp_path: Path) -> None:
    target = write(tmp_path / "OP3", OLD | {"inbox/note": "of a user"})
    publish(write(tmp_path / "build", NEW), target, tmp_path / "old", with_inbox=True, replace=True)
    assert read(target) == NEW | {"hcp/x": "later"}
    assert read(tmp_path / "old") == {k: v for k, v in OLD.items() if k != "hcp/x"} | {"inbox/note": "of a user"}


def test_the_inbox_is_kept_in_folder_mode(tmp_path: Path) -> None:
    target = write(tmp_path / "OP3", {"inbox/README": "mine"})
    build = write(tmp_path / "build", {k: v for k, v in NEW.items() if k != "inbox/README"})
    (build / "inbox").mkdir()
    publish(build, target, tmp_path / "old", with_inbox=False, replace=True)
    assert read(target) == NEW | {"inbox/README": "mine"}
    assert not build.exists()


def test_no_replaced_file_is_moved_through_a_link(tmp_path: Path) -> None:
    target = write(tmp_path / "OP3", OLD)
    build = write(tmp_path / "build", NEW)
    outside, old = tmp_path / "outside", tmp_path / "old"
    outside.mkdir()
    old.symlink_to(outside)
    with pytest.raises(LinkError):
        publish(build, target, old, with_inbox=True, replace=True)
    assert read(outside) == {}
    assert read(target) == OLD


class KilledError(Exception):
    """Simulates a power failure."""


RENAMES = 9
"""Number of renames that exchange OLD for NEW."""


@pytest.mark.parametrize("stop", range(RENAMES + 1))
def test_an_exchange_interrupted_at_any_rename_is_completed_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    target = write(tmp_path / "OP3", OLD)
    build = write(tmp_path / "build", NEW)
    done = 0
    rename = Path.rename

    def counted(self: Path, to: Path) -> Path:
        nonlocal done
        if done == stop:
            raise KilledError
        done += 1
        return rename(self, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", counted)
        try:
            publish(build, target, tmp_path / "old", with_inbox=True, replace=True)
            assert (done, stop) == (RENAMES, RENAMES), "only the last stop is after the last rename"
        except KilledError:
            assert stop < RENAMES
            present = read(target)
            assert "session.txt" not in present or set(present.values()) - {"later"} in ({"old"}, {"new"})
    everything = (
        [*read(target).values(), *(read(tmp_path / "old").values()), *read(build).values()] if build.exists() else []
    )
    assert not everything or (everything.count("old"), everything.count("new")) == (4, 5)
    publish(build, target, tmp_path / "old", with_inbox=True, replace=True)
    assert read(target) == NEW | {"hcp/x": "later"}
    assert sorted(read(tmp_path / "old").values()) == ["old"] * 4


@pytest.mark.parametrize("stop", range(14))
def test_an_exchange_of_folders_that_cannot_be_renamed_is_completed_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    previous = {**OLD, "dicom/40.tar.gz": "old", "nii/a/b/32.nii.gz": "old", "nii/a/32.json": "old"}
    target = write(tmp_path / "OP3", previous)
    build = write(tmp_path / "build", NEW)
    done = 0
    rename = Path.rename

    def counted(self: Path, to: Path) -> Path:
        nonlocal done
        if self.is_dir() and self.parent == target:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(self))
        if done == stop:
            raise KilledError
        done += 1
        return rename(self, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", counted)
        with contextlib.suppress(KilledError):
            publish(build, target, tmp_path / "old", with_inbox=True, replace=True)
        done = -100
        publish(build, target, tmp_path / "old", with_inbox=True, replace=True)
    assert read(target) == NEW | {"hcp/x": "later"}
    assert read(tmp_path / "old") == {name: text for name, text in previous.items() if name != "hcp/x"}


@pytest.mark.parametrize("appeared", ["session.txt", "dicom/30.tar.gz", "nii/31.nii.gz"])
def test_a_session_that_appeared_meanwhile_is_not_replaced(tmp_path: Path, appeared: str) -> None:
    target = write(tmp_path / "OP3", {appeared: "of another packet", "hcp/x": "later"})
    build = write(tmp_path / "build", NEW)
    publish(build, target, tmp_path / "old", with_inbox=True, replace=False)
    assert read(target) == {appeared: "of another packet", "hcp/x": "later"}
    assert read(build) == NEW


@pytest.mark.parametrize("stop", range(6))
def test_an_interrupted_exchange_with_a_folder_that_is_no_session_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    target = write(tmp_path / "OP3", {"hcp/x": "later"})
    (target / "nii").mkdir()
    build = write(tmp_path / "build", NEW)
    left = stop
    rename = Path.rename

    def counted(self: Path, to: Path) -> Path:
        nonlocal left
        left -= 1
        if left < 0:
            raise KilledError
        return rename(self, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", counted)
        with pytest.raises(KilledError):
            publish(build, target, tmp_path / "old", with_inbox=True, replace=False)
    publish(build, target, tmp_path / "old", with_inbox=True, replace=False)
    assert read(target) == NEW | {"hcp/x": "later"}


def test_a_folder_is_not_moved_through_a_link(tmp_path: Path) -> None:
    source, target, outside = tmp_path / "packet", tmp_path / "part", tmp_path / "outside"
    for folder in (source / "sub", target, outside):
        folder.mkdir(parents=True)
    (source / "sub" / "1.dcm").write_bytes(b"image")
    outside.chmod(0o700)
    (target / "sub").symlink_to(outside)
    with pytest.raises(LinkError):
        move_files(source, target)
    assert list(outside.iterdir()) == []
    assert outside.stat().st_mode & 0o777 == 0o700
    assert (source / "sub" / "1.dcm").read_bytes() == b"image"


def test_a_folder_is_not_moved_through_a_link_that_appears_while_it_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target, outside = (
        write(tmp_path / "packet", {"sub/1.dcm": "image"}),
        tmp_path / "part",
        tmp_path / "outside",
    )
    target.mkdir()
    outside.mkdir()
    mkdir = Path.mkdir

    def made(self: Path, *args: Any, **options: Any) -> None:
        mkdir(self, *args, **options)
        if self == target / "sub":
            self.rmdir()
            self.symlink_to(outside)

    monkeypatch.setattr(Path, "mkdir", made)
    with pytest.raises(LinkError):
        move_files(source, target)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("linked", ["build/S1/inbox", "S1/inbox/P.zip_files"])
def test_kept_files_are_not_moved_through_a_link(tmp_path: Path, linked: str) -> None:
    outside, build, session = tmp_path / "outside", tmp_path / "build" / "S1", tmp_path / "S1"
    for folder in (outside, build, session / "inbox"):
        folder.mkdir(parents=True)
    (outside / "thesis.tex").write_text("years of work")
    if linked != "build/S1/inbox":
        (build / "inbox" / "P.zip_files").mkdir(parents=True)
        (build / "inbox" / "P.zip_files" / "notes").write_text("kept")
    (tmp_path / linked).symlink_to(outside)
    with pytest.raises(LinkError):
        _merge(build / "inbox", session / "inbox")
    assert [path.name for path in outside.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("linked", ["S1/inbox/P.zip_files", "S1/inbox/P.zip_files/sub"])
def test_kept_files_are_not_moved_through_a_link_that_appears_while_they_are_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    build = write(tmp_path / "build" / "inbox", {f"P.zip_files/sub/{k}": "kept" for k in range(3)})
    (tmp_path / "S1" / "inbox").mkdir(parents=True)

    def made(folder: Path) -> None:
        make_folder(folder)
        (tmp_path / linked).rename(tmp_path / "away")
        (tmp_path / linked).symlink_to(outside)

    monkeypatch.setattr(exchange, "make_folder", made)
    with pytest.raises(LinkError):
        _merge(build, tmp_path / "S1" / "inbox")
    assert list(outside.rglob("*")) == []
    assert len(read(build)) == 3
