"""A packet that is a link leads to the same file from the archive."""

import os
from functools import partial
from pathlib import Path

import pytest

from qxbatch.archive.packet import archive_packet as archive_packet_of
from qxbatch.publish.link_target import absolute_target, target_from
from qxbatch.publish.same_content import same_content
from qxbatch.publish.transfer import copy_verified
from qxbatch.settings.model import Archive

archive_packet = partial(archive_packet_of, mode=Archive.MOVE, tag="0123456789abcdef")


def make(path: Path, text: str = "dicom") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def linked(path: Path, target: str | Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def test_a_link_in_an_inbox_that_is_reached_through_a_link_keeps_its_target(tmp_path: Path) -> None:
    make(tmp_path / "data" / "real" / "pool" / "P.zip")
    make(tmp_path / "pool" / "P.zip", "another file")
    linked(tmp_path / "data" / "real" / "inbox" / "P.zip", "../pool/P.zip")
    inbox = linked(tmp_path / "in", "data/real/inbox")
    archived = archive_packet(inbox / "P.zip", tmp_path / "archive")
    assert archived is not None
    assert archived.read_text() == "dicom"


def test_a_link_through_a_folder_that_is_a_link_keeps_its_target(tmp_path: Path) -> None:
    make(tmp_path / "data" / "P.zip")
    (tmp_path / "data" / "deep").mkdir()
    linked(tmp_path / "store", tmp_path / "data" / "deep")
    packet = linked(tmp_path / "inbox" / "P.zip", "../store/../P.zip")
    archived = archive_packet(packet, tmp_path / "archive")
    assert archived is not None
    assert archived.read_text() == "dicom"


def test_links_of_one_text_with_different_targets_are_different_packets(tmp_path: Path) -> None:
    for folder in "AB":
        make(tmp_path / folder / "P.zip", folder)
        (tmp_path / folder / "deep").mkdir()
        store = linked(tmp_path / "store", tmp_path / folder / "deep")
        archive_packet(linked(tmp_path / "inbox" / "P.zip", "../store/../P.zip"), tmp_path / "archive")
        store.unlink()
    assert {path.name: path.read_text() for path in (tmp_path / "archive").iterdir()} == {"P.zip": "A", "P_2.zip": "B"}


def test_a_link_that_is_put_into_the_inbox_again_is_the_same_packet(tmp_path: Path) -> None:
    make(tmp_path / "pool" / "P.zip")
    for _ in range(2):
        archive_packet(linked(tmp_path / "inbox" / "P.zip", "../pool/P.zip"), tmp_path / "archive")
    assert [path.name for path in (tmp_path / "archive").iterdir()] == ["P.zip"]
    assert list((tmp_path / "inbox").iterdir()) == []


def test_a_link_that_is_copied_to_another_file_system_keeps_its_target(tmp_path: Path) -> None:
    make(tmp_path / "pool" / "P.zip")
    packet = linked(tmp_path / "a" / "inbox" / "P.zip", "../../pool/P.zip")
    (tmp_path / "archive").mkdir()
    copy_verified(packet, tmp_path / "archive" / "P.zip")
    assert (tmp_path / "archive" / "P.zip").read_text() == "dicom"
    assert same_content(packet, tmp_path / "archive" / "P.zip")


@pytest.mark.parametrize("text", ["../pool/P.zip", "/pool/deep/../P.zip", "../pool/", "..", "nothing/at/all"])
def test_the_target_of_a_link_leads_where_the_link_leads(tmp_path: Path, text: str) -> None:
    make(tmp_path / "pool" / "P.zip")
    link = linked(tmp_path / "inbox" / "P.zip", text)
    target = absolute_target(link)
    assert target.is_absolute()
    assert os.path.realpath(target) == os.path.realpath(link)
    if text.startswith("/"):
        assert str(target) == text


def test_a_link_to_a_link_leads_to_that_link(tmp_path: Path) -> None:
    linked(tmp_path / "pool" / "latest.zip", "P.zip")
    link = linked(tmp_path / "inbox" / "P.zip", "../pool/latest.zip")
    assert absolute_target(link) == tmp_path / "pool" / "latest.zip"


@pytest.mark.parametrize("archive", ["study/archive/MR", "elsewhere/archive"])
def test_an_archived_relative_link_is_right_under_another_path_of_the_study(tmp_path: Path, archive: str) -> None:
    lab, moved = tmp_path / "lab", tmp_path / "moved"
    make(lab / "study" / "raw" / "P.zip")
    packet = linked(lab / "study" / "inbox" / "MR" / "P.zip", "../../raw/P.zip")
    archive_packet(packet, lab / archive)
    lab.rename(moved)
    assert (moved / archive / "P.zip").read_text() == "dicom"
    assert not (moved / archive / "P.zip").readlink().is_absolute()


def test_a_copied_relative_link_is_right_under_another_path_of_the_study(tmp_path: Path) -> None:
    make(tmp_path / "study" / "raw" / "P.zip")
    packet = linked(tmp_path / "study" / "inbox" / "P.zip", "../raw/P.zip")
    (tmp_path / "study" / "archive" / "MR").mkdir(parents=True)
    copy_verified(packet, tmp_path / "study" / "archive" / "MR" / "P.zip")
    (tmp_path / "study").rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "archive" / "MR" / "P.zip").read_text() == "dicom"


def test_a_target_is_relative_to_the_folder_that_a_linked_archive_is(tmp_path: Path) -> None:
    make(tmp_path / "pool" / "P.zip")
    packet = linked(tmp_path / "inbox" / "P.zip", "../pool/P.zip")
    (tmp_path / "deep" / "er" / "archive").mkdir(parents=True)
    archive = linked(tmp_path / "archive", "deep/er/archive")
    assert target_from(archive, packet) == Path("../../../pool/P.zip")
    absolute = linked(tmp_path / "inbox" / "Q.zip", tmp_path / "pool" / "P.zip")
    assert target_from(archive, absolute) == tmp_path / "pool" / "P.zip"
