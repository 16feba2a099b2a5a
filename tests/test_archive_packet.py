"""A packet is moved into the archive: nothing is overwritten or lost, and every step can be repeated."""

import contextlib
import errno
import os
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from qxbatch.archive import names as names_module
from qxbatch.archive import packet as module
from qxbatch.archive.aside import ChangedError
from qxbatch.archive.names import ArchivePath, archive_path, kth_name, numbered, unnumbered, used_numbers
from qxbatch.archive.packet import archive_packet as archive_packet_of
from qxbatch.core import hash_file
from qxbatch.discover.own_names import HiddenKind, hidden_name, is_own_name
from qxbatch.publish.durable import remove_tree
from qxbatch.publish.same_content import START_BYTES, same_content
from qxbatch.publish.transfer import try_rename
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Archive

TAG = "0123456789abcdef"
archive_packet = partial(archive_packet_of, tag=TAG)


def make(path: Path, text: str = "dicom") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def tree(top: Path) -> dict[str, str]:
    return {str(p.relative_to(top)): p.read_text() for p in sorted(top.rglob("*")) if p.is_file()}


@pytest.mark.parametrize(
    ("mode", "after"),
    [
        pytest.param(Archive.MOVE, {"archive/MR/P.zip": "dicom"}, id="move"),
        pytest.param(Archive.COPY, {"archive/MR/P.zip": "dicom", "inbox/P.zip": "dicom"}, id="copy"),
        pytest.param(Archive.LEAVE, {"inbox/P.zip": "dicom"}, id="leave"),
        pytest.param(Archive.DELETE, {}, id="delete"),
    ],
)
def test_a_packet_is_archived_as_the_mode_says(tmp_path: Path, mode: Archive, after: dict[str, str]) -> None:
    packet = make(tmp_path / "inbox" / "P.zip")
    target = archive_packet(packet, tmp_path / "archive" / "MR", mode)
    assert tree(tmp_path) == after
    assert target is None if mode is Archive.DELETE else target is not None and target.exists()
    archive_packet(packet, tmp_path / "archive" / "MR", mode)
    assert tree(tmp_path) == after


@pytest.mark.parametrize("mode", list(Archive))
def test_a_folder_is_archived_like_a_file(tmp_path: Path, mode: Archive) -> None:
    make(tmp_path / "inbox" / "P" / "a" / "1.dcm")
    archive_packet(tmp_path / "inbox" / "P", tmp_path / "archive" / "MR", mode)
    archived = {"archive/MR/P/a/1.dcm": "dicom"} if mode in (Archive.MOVE, Archive.COPY) else {}
    kept = {"inbox/P/a/1.dcm": "dicom"} if mode in (Archive.COPY, Archive.LEAVE) else {}
    assert tree(tmp_path) == archived | kept


@pytest.mark.parametrize("mode", [Archive.MOVE, Archive.COPY])
def test_an_existing_name_gets_a_number(tmp_path: Path, mode: Archive) -> None:
    make(tmp_path / "archive" / "MR" / "P.tar.gz", "other")
    make(tmp_path / "archive" / "MR" / "P_2.tar.gz", "third")
    packet = make(tmp_path / "inbox" / "P.tar.gz")
    assert archive_packet(packet, tmp_path / "archive" / "MR", mode) == tmp_path / "archive" / "MR" / "P_3.tar.gz"
    assert tree(tmp_path / "archive" / "MR") == {"P.tar.gz": "other", "P_2.tar.gz": "third", "P_3.tar.gz": "dicom"}


def test_the_same_bytes_with_the_same_name_are_one_packet(tmp_path: Path) -> None:
    make(tmp_path / "archive" / "MR" / "P.zip")
    archive_packet(make(tmp_path / "inbox" / "P.zip"), tmp_path / "archive" / "MR", Archive.MOVE)
    assert tree(tmp_path) == {"archive/MR/P.zip": "dicom"}


def test_a_packet_is_copied_to_another_file_system_and_then_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = try_rename
    monkeypatch.setattr(module, "try_rename", lambda source, to: source.parent == to.parent and rename(source, to))
    make(tmp_path / "inbox" / "P" / "a" / "1.dcm")
    archive_packet(tmp_path / "inbox" / "P", tmp_path / "archive" / "MR", Archive.MOVE)
    assert tree(tmp_path) == {"archive/MR/P/a/1.dcm": "dicom"}
    assert [p.name for p in (tmp_path / "inbox").iterdir()] == []


def test_a_hidden_copy_that_was_already_published_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = make(tmp_path / "inbox" / "P.zip")
    archive = tmp_path / "archive" / "MR"

    class Killed(BaseException):
        """The run is killed here."""

    unlink = os.unlink

    def killed(path: str, **folder: Any) -> None:
        if "-copy-" in str(path):
            raise Killed
        unlink(path, **folder)

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", killed)
        patched.setattr(module, "remove_tree", lambda path: None if "-copy-" in path.name else remove_tree(path))
        with pytest.raises(Killed):
            archive_packet(packet, archive, Archive.COPY)
    assert len(list(archive.iterdir())) == 2
    archive_packet(packet, archive, Archive.COPY)
    assert [path.name for path in archive.iterdir()] == ["P.zip"]


def test_a_packet_with_a_fifo_and_links_is_moved_to_another_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = try_rename
    monkeypatch.setattr(module, "try_rename", lambda source, to: source.parent == to.parent and rename(source, to))
    source = make(tmp_path / "inbox" / "P" / "a" / "1.dcm").parents[1]
    os.mkfifo(source / "fifo")
    (source / "latest").symlink_to("a/1.dcm")
    (source / "gone").symlink_to("/nowhere/at/all")
    (source / "folder").symlink_to("a")
    os.utime(source / "a", (10**9, 10**9))
    (source / "a").chmod(0o550)
    target = archive_packet(source, tmp_path / "archive", Archive.MOVE)
    assert target is not None
    assert target.joinpath("fifo").is_fifo()
    assert target.joinpath("latest").readlink() == Path("a/1.dcm")
    assert target.joinpath("gone").is_symlink()
    assert target.joinpath("folder").readlink() == Path("a")
    assert target.joinpath("a").stat().st_mode & 0o777 == 0o550
    assert target.joinpath("a").stat().st_mtime == 10**9
    assert not source.exists()


def test_a_copy_that_differs_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = make(tmp_path / "inbox" / "P.zip")
    monkeypatch.setattr("shutil.copyfileobj", lambda _source, target, _at_once: target.write(b"wrong"))
    with pytest.raises(OSError, match="differs"):
        archive_packet(packet, tmp_path / "archive" / "MR", Archive.COPY)
    assert tree(tmp_path) == {"inbox/P.zip": "dicom"}


def test_each_archive_of_one_name_is_examined_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, packet = tmp_path / "archive", tmp_path / "scan.zip"
    archive.mkdir()
    packet.write_bytes(b"new")
    for k in range(1, 101):
        (archive / kth_name("scan.zip", k)).write_bytes(b"x" * (4 + k))
    examined: list[Path] = []
    original = os.stat

    def counted(path: str | Path, *args: Any, **options: Any) -> os.stat_result:
        examined.append(Path(path))
        return original(path, *args, **options)

    monkeypatch.setattr(os, "stat", counted)
    monkeypatch.setattr(os, "lstat", lambda path, **options: counted(path, follow_symlinks=False, **options))
    assert archive_path(archive, packet, "scan.zip").path.name == "scan_101.zip"
    monkeypatch.undo()
    assert max(Counter(path for path in examined if path.parent == archive).values()) == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [("P.zip", "P_2.zip"), ("P.TAR.GZ", "P_2.TAR.GZ"), ("P", "P_2"), ("P.1.tgz", "P.1_2.tgz"), (".P", ".P_2")],
)
def test_the_number_precedes_the_extension(name: str, expected: str) -> None:
    assert numbered(name, 2) == expected


def test_a_packet_in_the_archive_stays_there(tmp_path: Path) -> None:
    packet = make(tmp_path / "archive" / "MR" / "P.zip")
    for mode in (Archive.MOVE, Archive.COPY):
        assert archive_packet(packet, tmp_path / "archive" / "MR", mode) == packet
    assert tree(tmp_path) == {"archive/MR/P.zip": "dicom"}


def test_a_name_of_the_maximum_length_is_shortened_for_its_number(tmp_path: Path) -> None:
    name = "P" * 251 + ".zip"
    make(tmp_path / "archive" / "MR" / name).write_text("other")
    archive_packet(make(tmp_path / "inbox" / name), tmp_path / "archive" / "MR", Archive.MOVE)
    archive_packet(make(tmp_path / "inbox" / name), tmp_path / "archive" / "MR", Archive.DELETE)
    assert tree(tmp_path) == {f"archive/MR/{name}": "other", f"archive/MR/{'P' * 249}_2.zip": "dicom"}


@pytest.mark.parametrize(
    "name", ["x." + "z" * 253, "x." + "\N{LATIN SMALL LETTER U WITH DIAERESIS}" * 126, "P." + "z" * 20]
)
def test_a_long_extension_is_part_of_the_name_that_gets_a_number(tmp_path: Path, name: str) -> None:
    make(tmp_path / "archive" / "MR" / name, "other")
    target = archive_packet(make(tmp_path / "inbox" / name), tmp_path / "archive" / "MR", Archive.MOVE)
    assert target is not None
    assert target.name.endswith("_2")
    assert used_numbers(name, [name, target.name]) == {1, 2}
    assert tree(tmp_path) == {f"archive/MR/{name}": "other", f"archive/MR/{target.name}": "dicom"}


def test_a_moved_link_keeps_its_target_and_a_copied_link_becomes_data(tmp_path: Path) -> None:
    make(tmp_path / "far" / "data.zip")
    link = tmp_path / "inbox" / "deep" / "P.zip"
    link.parent.mkdir(parents=True)
    link.symlink_to("../../far/data.zip")
    copy = archive_packet(link, tmp_path / "archive" / "MR", Archive.COPY)
    assert copy is not None
    assert not copy.is_symlink()
    copy.unlink()
    moved = archive_packet(link, tmp_path / "archive" / "MR", Archive.MOVE)
    assert moved is not None
    assert moved.read_text() == "dicom"
    assert not link.is_symlink()


def test_a_free_name_starts_at_the_number_and_equal_bytes_are_found_beyond_gaps(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    packet = tmp_path / "scan.zip"
    packet.write_text("mine")
    assert archive_path(archive, packet, "scan.zip", 3).path.name == "scan_3.zip"
    (archive / "scan_3.zip").write_text("another")
    assert archive_path(archive, packet, "scan.zip", 3).path.name == "scan_4.zip", (
        "an existing archive is not overwritten"
    )
    (archive / "scan_7.zip").write_text("mine")
    assert archive_path(archive, packet, "scan.zip", 1).path.name == "scan_7.zip"
    assert archive_packet(packet, archive, Archive.MOVE, number=1) == archive / "scan_7.zip"
    assert not packet.exists()
    assert archive_packet(packet, archive, Archive.MOVE, number=7) == archive / "scan_7.zip", (
        "repeating it changes nothing"
    )


def test_packets_of_one_size_that_begin_differently_are_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in range(3):
        (tmp_path / f"{k}").write_bytes(b"%d" % (k % 2) + bytes(2 * START_BYTES))
    read: list[str] = []

    def counted(path: str) -> tuple[int, str]:
        read.append(Path(path).name)
        return hash_file(path)

    monkeypatch.setattr("qxbatch.publish.same_content.hash_file", counted)
    assert not same_content(tmp_path / "0", tmp_path / "1")
    assert read == []
    assert same_content(tmp_path / "0", tmp_path / "2")
    assert read == ["0", "2"]


def test_a_free_name_is_found_without_counting_up_to_a_large_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "archive" / "MR"
    for k in (2, 20240115, 999_999_999):
        make(archive / f"AP_{k}.zip", f"of {k}")
    calls: list[object] = []

    def counted(function: Callable[..., bool]) -> Callable[..., bool]:
        def call(*paths: object) -> bool:
            calls.append(paths)
            assert len(calls) < 50
            return function(*paths)

        return call

    monkeypatch.setattr(names_module, "same_content", counted(same_content))
    monkeypatch.setattr("os.path.lexists", counted(os.path.lexists))
    expected = {1: "AP.zip", 3: "AP_3.zip", 20240115: "AP_20240116.zip", 999_999_999: "AP_1000000000.zip"}
    for number, name in expected.items():
        assert archive_path(archive, tmp_path, "AP.zip", number).path.name == name
    packet = make(tmp_path / "inbox" / "AP.zip", "of 20240115")
    assert archive_packet(packet, archive, Archive.MOVE, number=1) == archive / "AP_20240115.zip", "the same bytes"


def test_only_names_with_a_valid_number_are_compared() -> None:
    long = "P" * 255
    names = [
        "AP.zip",
        "AP_2.zip",
        "AP_10.zip",
        "AP_1.zip",
        "AP_02.zip",
        "AP_٣.zip",
        "AP_4.tar",
        "BAP_5.zip",
        "AP_6_7.zip",
    ]
    assert used_numbers("AP.zip", names) == {1, 2, 10}
    assert used_numbers("AP", ["AP_3", "AP_4.zip"]) == {3}
    assert used_numbers(long, [numbered(long, 12)]) == {12}
    assert unnumbered("AP_6_7.zip") == "AP_6.zip"
    assert unnumbered("AP.zip") == "AP.zip"
    assert unnumbered("AP_02.zip") == "AP_02.zip"


@pytest.mark.parametrize("mode", [Archive.MOVE, Archive.COPY])
@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("other_file_system", [False, True])
def test_studies_that_share_an_archive_do_not_overwrite_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Archive, kind: str, other_file_system: bool
) -> None:
    archive = tmp_path / "archive" / "MR"
    member = "P/1.dcm" if kind == "folder" else "P"
    make(tmp_path / "inbox" / member, "mine")
    late_packets: list[Path] = []

    def rename_after_another_study(source: Path, target: Path) -> bool:
        if target.parent == archive and not late_packets:
            late_packets.append(make(archive / member, "of another study"))
        return (not other_file_system or source.parent == target.parent) and try_rename(source, target)

    monkeypatch.setattr(module, "try_rename", rename_after_another_study)
    target = archive_packet(tmp_path / "inbox" / "P", archive, mode)
    assert target == archive / "P_2"
    archived = {f"archive/MR/{member}": "of another study", f"archive/MR/{member.replace('P', 'P_2')}": "mine"}
    kept = {f"inbox/{member}": "mine"} if mode is Archive.COPY else {}
    assert tree(tmp_path) == archived | kept
    assert len(list(archive.iterdir())) == 2


@pytest.mark.parametrize("mode", [Archive.MOVE, Archive.DELETE])
def test_a_file_with_a_similar_hidden_name_is_not_removed(tmp_path: Path, mode: Archive) -> None:
    make(tmp_path / "inbox" / "P.zip")
    make(tmp_path / "inbox" / ".qxbatch-P.zip", "not ours")
    make(tmp_path / "inbox" / ".qxbatch-gone-ffffffffffffffff-P.zip", "of another run")
    archive_packet(tmp_path / "inbox" / "P.zip", tmp_path / "archive", mode)
    assert sorted(text for name, text in tree(tmp_path).items() if name.startswith("inbox")) == [
        "not ours",
        "of another run",
    ]


def test_hidden_names_of_two_units_differ() -> None:
    workspace = Workspace(Path("/study"))
    names = {
        hidden_name(HiddenKind.COPY, each.hidden_name_tag(unit), name)
        for each in (workspace, Workspace(Path("/study")))
        for unit, name in (("OP1", "2-scan.zip"), ("OP1-2", "scan.zip"), ("OP1", "scan.zip"), ("OP1", "P" * 255))
    }
    assert len(names) == 8
    assert all(is_own_name(name) and len(name) <= 255 for name in names)
    assert workspace.of_run(workspace.run).hidden_name_tag("OP1") == workspace.hidden_name_tag("OP1"), (
        "the next run finds the hidden names"
    )


def comparison(same: bool) -> Callable[..., bool]:
    def compare(path: Path, *, renamed: bool) -> bool:
        assert renamed or "-aside-" in path.name
        return same

    return compare


@pytest.mark.parametrize("mode", [Archive.MOVE, Archive.DELETE])
@pytest.mark.parametrize("same", [True, False])
def test_a_packet_renamed_by_a_killed_run_is_compared_before_it_is_archived(
    tmp_path: Path, mode: Archive, same: bool
) -> None:
    packet = tmp_path / "inbox" / "P.zip"
    make(tmp_path / "inbox" / f".qxbatch-aside-{TAG}-P.zip")
    with contextlib.nullcontext() if same else pytest.raises(ChangedError):
        archive_packet(packet, tmp_path / "archive" / "MR", mode, is_same_packet=comparison(same))
    moved = {"archive/MR/P.zip": "dicom"} if mode is Archive.MOVE else {}
    assert tree(tmp_path) == (moved if same else {"inbox/P.zip": "dicom"})


@pytest.mark.parametrize("other_file_system", [False, True])
@pytest.mark.parametrize("mode", [Archive.MOVE, Archive.COPY])
def test_a_packet_that_appears_under_the_chosen_name_is_not_taken_for_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Archive, other_file_system: bool
) -> None:
    packet = make(tmp_path / "inbox" / "P.zip")
    target = tmp_path / "archive" / "P.zip"

    def chosen(folder: Path, source: Path, name: str, number: int | None) -> ArchivePath:
        path = archive_path(folder, source, name, number)
        if not target.exists():
            make(target, "of another study that shares the archive")
        return path

    monkeypatch.setattr(module, "archive_path", chosen)
    rename = try_rename
    monkeypatch.setattr(
        module,
        "try_rename",
        lambda source, to: (not other_file_system or source.parent == to.parent) and rename(source, to),
    )
    assert archive_packet(packet, tmp_path / "archive", mode) == tmp_path / "archive" / "P_2.zip"
    assert (tmp_path / "archive" / "P_2.zip").read_text() == "dicom"
    assert target.read_text() == "of another study that shares the archive"


@pytest.mark.parametrize("other_file_system", [False, True])
def test_a_packet_that_is_exchanged_when_it_is_compared_with_the_archive_is_archived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other_file_system: bool
) -> None:
    packet = make(tmp_path / "inbox" / "P.zip")
    make(tmp_path / "archive" / "P.zip", "older")
    calls: list[Path] = []

    def exchanged(folder: Path, source: Path, name: str, number: int | None) -> ArchivePath:
        if not calls:
            if packet.exists():
                packet.rename(packet.with_name(hidden_name(HiddenKind.ASIDE, TAG, "P.zip")))
            make(packet, "older")
        calls.append(source)
        return archive_path(folder, source, name, number)

    monkeypatch.setattr(module, "archive_path", exchanged)
    rename = try_rename
    monkeypatch.setattr(
        module,
        "try_rename",
        lambda source, to: (not other_file_system or source.parent == to.parent) and rename(source, to),
    )
    assert archive_packet(packet, tmp_path / "archive", Archive.MOVE) == tmp_path / "archive" / "P_2.zip"
    assert tree(tmp_path) == {"archive/P.zip": "older", "archive/P_2.zip": "dicom", "inbox/P.zip": "older"}


def test_a_packet_that_cannot_be_moved_gets_its_name_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = make(tmp_path / "inbox" / "P.zip")

    def broken(*_: object) -> bool:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(module, "try_rename", broken)
    with pytest.raises(OSError, match="Input/output error"):
        archive_packet(packet, tmp_path / "archive" / "MR", Archive.MOVE)
    assert tree(tmp_path) == {"inbox/P.zip": "dicom"}


def test_a_rename_interrupted_between_its_two_steps_is_finished(tmp_path: Path) -> None:
    aside = make(tmp_path / "inbox" / f".qxbatch-aside-{TAG}-P.zip")
    (tmp_path / "archive" / "MR").mkdir(parents=True)
    (tmp_path / "archive" / "MR" / "P.zip").hardlink_to(aside)
    target = archive_packet(tmp_path / "inbox" / "P.zip", tmp_path / "archive" / "MR", Archive.MOVE)
    assert target == tmp_path / "archive" / "MR" / "P.zip"
    assert tree(tmp_path) == {"archive/MR/P.zip": "dicom"}
