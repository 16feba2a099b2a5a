"""A session folder is absent, old or complete; an interrupted exchange can be continued."""

import contextlib
import errno
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qxbatch.publish.exchange import publish
from qxbatch.publish.open_folders import OpenFolder
from qxbatch.publish.plain_files import LinkError
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


STEPS = ("rename", "link", "unlink")
"""The calls that move entries: session.txt is renamed by a link, and by the removal of its old name."""
MOVES = 10
"""Number of steps that exchange OLD for NEW."""


def stop_before(monkeypatch: pytest.MonkeyPatch, stop: int) -> list[str]:
    """Let the step after `stop` steps raise KilledError. Return the list of steps that were done, which grows."""
    done: list[str] = []

    def counted(name: str, original: Callable[..., None]) -> Callable[..., None]:
        def call(*names: Any, **folders: Any) -> None:
            if len(done) == stop:
                raise KilledError
            done.append(name)
            original(*names, **folders)

        return call

    for name in STEPS:
        monkeypatch.setattr(os, name, counted(name, getattr(os, name)))
    return done


@pytest.mark.parametrize("stop", range(MOVES + 1))
def test_an_exchange_interrupted_at_any_step_is_completed_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    target = write(tmp_path / "OP3", OLD)
    build = write(tmp_path / "build", NEW)
    with monkeypatch.context() as patch:
        done = stop_before(patch, stop)
        try:
            publish(build, target, tmp_path / "old", with_inbox=True, replace=True)
            assert (len(done), stop) == (MOVES, MOVES), "only the last stop is after the last step"
        except KilledError:
            assert stop < MOVES
            present = read(target)
            assert "session.txt" not in present or set(present.values()) - {"later"} in ({"old"}, {"new"})
    everything = (
        [*read(target).values(), *(read(tmp_path / "old").values()), *read(build).values()] if build.exists() else []
    )
    linked = stop == MOVES - 1
    assert not everything or (everything.count("old"), everything.count("new")) == (4, 5 + linked)
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


def appears(monkeypatch: pytest.MonkeyPatch, path: Path, times: int = 1) -> list[str]:
    """Let another program write a file when the entry of its name, or the folder it is in, is about to be moved to its place.

    Return the texts that it wrote, which grow.
    """
    written: list[str] = []

    def before(original: Callable[..., None]) -> Callable[..., None]:
        def call(name: str, new_name: str, *args: Any, **folders: Any) -> None:
            place = Path(f"/proc/self/fd/{folders.get('dst_dir_fd', -1)}")
            is_here = place.exists() and place.readlink() / new_name in (path, path.parent)
            if is_here and len(written) < times and not path.exists():
                path.parent.mkdir(exist_ok=True)
                written.append(f"of a user {len(written)}")
                path.write_text(written[-1])
            original(name, new_name, *args, **folders)

        return call

    for step in ("rename", "link"):
        monkeypatch.setattr(os, step, before(getattr(os, step)))
    return written


@pytest.mark.parametrize("appeared", ["session.txt", "nii/mine.txt", "qxbatch", "inbox/mine.txt"])
@pytest.mark.parametrize("before", [OLD, {"hcp/x": "later"}], ids=["replaced", "new"])
@pytest.mark.parametrize("times", [1, 3])
def test_what_another_program_writes_during_an_exchange_is_moved_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, appeared: str, before: dict[str, str], times: int
) -> None:
    target = write(tmp_path / "OP3", before)
    build = write(tmp_path / "build", NEW)
    with monkeypatch.context() as patch:
        written = appears(patch, target / appeared, times)
        publish(build, target, tmp_path / "old", with_inbox=True, replace=before is OLD)
    assert len(written) == times
    assert read(target) == NEW | {"hcp/x": "later"}
    assert set(read(tmp_path / "old").values()) - {"old"} == set(written)


def test_a_program_that_writes_session_txt_again_and_again_ends_the_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = write(tmp_path / "OP3", OLD)
    build = write(tmp_path / "build", NEW)
    with monkeypatch.context() as patch:
        written = appears(patch, target / "session.txt", 10**6)
        with pytest.raises(OSError, match=r"again and again: .*OP3/session\.txt"):
            publish(build, target, tmp_path / "old", with_inbox=True, replace=True)
    everything = [*read(target).values(), *read(tmp_path / "old").values()]
    assert {*written} <= {*everything}
    publish(build, target, tmp_path / "old", with_inbox=True, replace=True)
    assert read(target) == NEW | {"hcp/x": "later"}


def test_a_session_folder_that_appears_when_the_build_gets_its_name_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = write(tmp_path / "build", NEW)
    target = tmp_path / "OP3"
    has = OpenFolder.has

    def missing(folder: OpenFolder, name: str) -> bool:
        is_there = has(folder, name)
        if name == target.name and not is_there:
            write(target, {"session.txt": "of another packet"})
        return is_there

    monkeypatch.setattr(OpenFolder, "has", missing)
    publish(build, target, tmp_path / "old", with_inbox=True, replace=False)
    assert read(target) == {"session.txt": "of another packet"}
    assert read(build) == NEW


@pytest.mark.parametrize("appeared", ["session.txt", "dicom/30.tar.gz", "nii/31.nii.gz"])
def test_a_session_that_appeared_meanwhile_is_not_replaced(tmp_path: Path, appeared: str) -> None:
    target = write(tmp_path / "OP3", {appeared: "of another packet", "hcp/x": "later"})
    build = write(tmp_path / "build", NEW)
    publish(build, target, tmp_path / "old", with_inbox=True, replace=False)
    assert read(target) == {appeared: "of another packet", "hcp/x": "later"}
    assert read(build) == NEW


@pytest.mark.parametrize("stop", range(7))
def test_an_interrupted_exchange_with_a_folder_that_is_no_session_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    target = write(tmp_path / "OP3", {"hcp/x": "later"})
    (target / "nii").mkdir()
    build = write(tmp_path / "build", NEW)
    with monkeypatch.context() as patch:
        stop_before(patch, stop)
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
