"""A packet that is imported from the archive stays there, whatever folder of the archive it is in."""

from pathlib import Path

import pytest

from qxbatch.archive.inside import is_in_archive
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_packet
from tests.build.study import Study, snapshot

TREE = under("T1", MrSeries(patient="P1").files())


@pytest.mark.parametrize("mode", ["move", "copy", "delete"])
@pytest.mark.parametrize(
    ("inbox", "packet"),
    [("MR", "S1"), ("MR/2024", "S1"), ("MR/2024/May", "S1"), ("replaced", "S1-1"), ("", "replaced")],
)
def test_an_import_from_a_folder_of_the_archive_changes_nothing_there(
    study: Study, mode: str, inbox: str, packet: str
) -> None:
    archive = study.archive.parent
    study.archive.mkdir(parents=True)
    (archive / inbox).mkdir(parents=True, exist_ok=True)
    write_packet(TREE, archive / inbox, packet, Kind.FOLDER)
    before = snapshot(archive)
    run = study.main(f"--masterinbox={archive / inbox}", f"--archive={mode}")
    assert run.status == 0, run.text
    assert study.session_names() == [packet]
    assert snapshot(archive) == before


@pytest.mark.parametrize("linked", ["MR", "MR/2024", "."])
def test_a_packet_of_the_archive_is_recognised_by_any_path(tmp_path: Path, linked: str) -> None:
    archive = tmp_path / "sessions" / "archive"
    (archive / "MR" / "2024").mkdir(parents=True)
    (tmp_path / "link").symlink_to(archive / linked)
    packet = tmp_path / "link" / "P.zip"
    assert is_in_archive(packet, archive / "MR") == (linked != ".")


def test_an_archive_on_another_disk_is_recognised_by_any_path(tmp_path: Path) -> None:
    (tmp_path / "disk" / "MR" / "2024").mkdir(parents=True)
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions" / "archive").symlink_to(tmp_path / "disk")
    assert is_in_archive(tmp_path / "disk" / "MR" / "2024" / "P.zip", tmp_path / "sessions" / "archive" / "MR")


def test_a_link_to_the_archive_is_not_in_the_archive(tmp_path: Path) -> None:
    (tmp_path / "archive" / "MR").mkdir(parents=True)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "P").symlink_to(tmp_path / "archive" / "MR")
    assert not is_in_archive(tmp_path / "inbox" / "P", tmp_path / "archive" / "MR")
    assert not is_in_archive(tmp_path / "archive" / "P.zip", tmp_path / "archive" / "MR"), "beside the packets"
