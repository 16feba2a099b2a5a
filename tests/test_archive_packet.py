"""The packet's last move: nothing is overwritten, nothing is lost, every step can be repeated."""

from pathlib import Path

import pytest

from qxbatch.archive import packet as module
from qxbatch.archive.packet import numbered, settle_packet
from qxbatch.settings.model import Archive


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
def test_a_packet_ends_where_archive_says(tmp_path: Path, mode: Archive, after: dict[str, str]) -> None:
    packet = make(tmp_path / "inbox" / "P.zip")
    place = settle_packet(packet, tmp_path / "archive" / "MR", mode)
    assert tree(tmp_path) == after
    assert place is None if mode is Archive.DELETE else place is not None and place.exists()
    settle_packet(packet, tmp_path / "archive" / "MR", mode)
    assert tree(tmp_path) == after


@pytest.mark.parametrize("mode", list(Archive))
def test_a_folder_is_a_packet_like_any_other(tmp_path: Path, mode: Archive) -> None:
    make(tmp_path / "inbox" / "P" / "a" / "1.dcm")
    settle_packet(tmp_path / "inbox" / "P", tmp_path / "archive" / "MR", mode)
    there = {"archive/MR/P/a/1.dcm": "dicom"} if mode in (Archive.MOVE, Archive.COPY) else {}
    here = {"inbox/P/a/1.dcm": "dicom"} if mode in (Archive.COPY, Archive.LEAVE) else {}
    assert tree(tmp_path) == there | here


@pytest.mark.parametrize("mode", [Archive.MOVE, Archive.COPY])
def test_a_name_that_is_taken_gets_a_numbered_one(tmp_path: Path, mode: Archive) -> None:
    make(tmp_path / "archive" / "MR" / "P.tar.gz", "other")
    make(tmp_path / "archive" / "MR" / "P_2.tar.gz", "third")
    packet = make(tmp_path / "inbox" / "P.tar.gz")
    assert settle_packet(packet, tmp_path / "archive" / "MR", mode) == tmp_path / "archive" / "MR" / "P_3.tar.gz"
    assert tree(tmp_path / "archive" / "MR") == {"P.tar.gz": "other", "P_2.tar.gz": "third", "P_3.tar.gz": "dicom"}


def test_the_same_bytes_under_the_same_name_are_one_packet(tmp_path: Path) -> None:
    make(tmp_path / "archive" / "MR" / "P.zip")
    settle_packet(make(tmp_path / "inbox" / "P.zip"), tmp_path / "archive" / "MR", Archive.MOVE)
    assert tree(tmp_path) == {"archive/MR/P.zip": "dicom"}


def test_between_file_systems_a_packet_is_copied_then_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "renamed", lambda *_: False)
    make(tmp_path / "inbox" / "P" / "a" / "1.dcm")
    settle_packet(tmp_path / "inbox" / "P", tmp_path / "archive" / "MR", Archive.MOVE)
    assert tree(tmp_path) == {"archive/MR/P/a/1.dcm": "dicom"}
    assert [p.name for p in (tmp_path / "inbox").iterdir()] == []


def test_a_copy_that_differs_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = make(tmp_path / "inbox" / "P.zip")
    monkeypatch.setattr("shutil.copy2", lambda _source, target, **_: Path(target).write_text("wrong"))
    with pytest.raises(OSError, match="differs"):
        settle_packet(packet, tmp_path / "archive" / "MR", Archive.COPY)
    assert tree(tmp_path) == {"inbox/P.zip": "dicom"}


def test_a_removal_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    make(tmp_path / "inbox" / ".qxbatch-P" / "rest.dcm")
    settle_packet(tmp_path / "inbox" / "P", tmp_path / "archive" / "MR", Archive.DELETE)
    assert list((tmp_path / "inbox").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "second"),
    [("P.zip", "P_2.zip"), ("P.TAR.GZ", "P_2.TAR.GZ"), ("P", "P_2"), ("P.1.tgz", "P.1_2.tgz"), (".P", ".P_2")],
)
def test_the_number_stands_before_the_extension(name: str, second: str) -> None:
    assert numbered(name, 2) == second


def test_a_packet_that_is_imported_again_from_the_archive_stays_there(tmp_path: Path) -> None:
    packet = make(tmp_path / "archive" / "MR" / "P.zip")
    for mode in (Archive.MOVE, Archive.COPY):
        assert settle_packet(packet, tmp_path / "archive" / "MR", mode) == packet
    assert tree(tmp_path) == {"archive/MR/P.zip": "dicom"}


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    name = "P" * 251 + ".zip"
    make(tmp_path / "archive" / "MR" / name).write_text("other")
    settle_packet(make(tmp_path / "inbox" / name), tmp_path / "archive" / "MR", Archive.MOVE)
    settle_packet(make(tmp_path / "inbox" / name), tmp_path / "archive" / "MR", Archive.DELETE)
    assert tree(tmp_path) == {f"archive/MR/{name}": "other", f"archive/MR/{'P' * 249}_2.zip": "dicom"}


def test_a_link_leads_to_the_same_data_after_it_was_moved_and_is_copied_as_data(tmp_path: Path) -> None:
    make(tmp_path / "far" / "data.zip")
    link = tmp_path / "inbox" / "deep" / "P.zip"
    link.parent.mkdir(parents=True)
    link.symlink_to("../../far/data.zip")
    copy = settle_packet(link, tmp_path / "archive" / "MR", Archive.COPY)
    assert copy is not None
    assert not copy.is_symlink()
    copy.unlink()
    moved = settle_packet(link, tmp_path / "archive" / "MR", Archive.MOVE)
    assert moved is not None
    assert moved.read_text() == "dicom"
    assert not link.is_symlink()
