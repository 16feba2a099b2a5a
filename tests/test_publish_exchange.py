"""A session folder is absent, old or complete; an interrupted exchange can be continued."""

import contextlib
import errno
import itertools
import os
from pathlib import Path
from typing import Any

import pytest

from qxbatch.publish.exchange import publish
from qxbatch.publish.plain import LinkError
from qxbatch.publish.transfer import move_files
from tests.build.becomes_link import becomes_link

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
    """Simulates a kill of the run."""


RENAMES = 9
"""Number of renames that exchange OLD for NEW."""


@pytest.mark.parametrize("stop", range(RENAMES + 1))
def test_an_exchange_interrupted_at_any_rename_is_completed_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    target = write(tmp_path / "OP3", OLD)
    build = write(tmp_path / "build", NEW)
    done = 0
    rename = os.rename

    def counted(*names: Any, **folders: Any) -> None:
        nonlocal done
        if done == stop:
            raise KilledError
        done += 1
        rename(*names, **folders)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", counted)
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
    rename = os.rename

    def counted(name: str, to: str, src_dir_fd: int, dst_dir_fd: int) -> None:
        nonlocal done
        folder = Path(os.readlink(f"/proc/self/fd/{src_dir_fd}"))  # noqa: PTH115 - of the kernel
        if (folder / name).is_dir() and folder == target:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), name)
        if done == stop:
            raise KilledError
        done += 1
        rename(name, to, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", counted)
        with contextlib.suppress(KilledError):
            publish(build, target, tmp_path / "old", with_inbox=True, replace=True)
        done = -100  # the second call is not stopped
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
    remaining = stop
    rename = os.rename

    def counted(*names: Any, **folders: Any) -> None:
        nonlocal remaining
        remaining -= 1
        if remaining < 0:
            raise KilledError
        rename(*names, **folders)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", counted)
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


@pytest.mark.parametrize("folder", ["packet", "packet/sub", "part", "part/sub"])
def test_no_file_is_moved_through_a_folder_that_becomes_a_link_at_any_step(tmp_path: Path, folder: str) -> None:
    ends = set()
    for step in itertools.count(1):
        top, outside = tmp_path / str(step), tmp_path / f"outside-{step}"
        write(outside, {"2.dcm": "other", "sub/2.dcm": "other"})
        source = write(top / "packet", {"sub/1.dcm": "image", "1.dcm": "image"})
        with becomes_link(top / folder, outside, step) as exchanged:
            try:
                move_files(source, top / "part")
                ends.add("moved")
            except OSError:
                ends.add("refused")
        assert read(outside) == {"2.dcm": "other", "sub/2.dcm": "other"}
        assert sorted(read(top).values()) == ["image", "image"]
        if not exchanged:
            break
    assert "moved" in ends


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
        publish(build, session, tmp_path / "old", with_inbox=False, replace=True)
    assert [path.name for path in outside.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    "folder",
    ["build", "build/S1", "build/S1/inbox/P.zip_files", "S1", "S1/dicom", "S1/inbox/P.zip_files/sub", "old/S1"],
)
def test_nothing_is_moved_through_a_folder_that_becomes_a_link_at_any_step(tmp_path: Path, folder: str) -> None:
    ends = set()
    for step in itertools.count(1):
        top, outside = tmp_path / str(step), tmp_path / f"outside-{step}"
        write(outside, OLD)
        session = write(top / "S1", OLD | {"inbox/README": "mine", "inbox/P.zip_files/sub/0": "mine"})
        build = write(top / "build" / "S1", NEW | {"inbox/P.zip_files/sub/1": "new"})
        before = sorted([*read(session).values(), *read(build).values()])
        with becomes_link(top / folder, outside, step) as exchanged:
            try:
                publish(build, session, top / "old" / "S1", with_inbox=False, replace=True)
                ends.add("published")
            except OSError:
                ends.add("refused")
        assert read(outside) == OLD
        assert sorted(read(top).values()) == before
        if not exchanged:
            break
    assert "published" in ends
