"""Folder mode: kept files get the names of the ledger, and what a user wrote there meanwhile gets a numbered name."""

import os
from pathlib import Path

import pytest

from qxbatch.publish import durable
from qxbatch.publish.exchange import publish
from qxbatch.publish.kept_files import RenamedFile
from tests.test_publish_exchange import KilledError, appears, read, stop_before, write

KEPT = "inbox/P.zip_files/notes.txt"
BUILD = {"session.txt": "new", "dicom/30.tar.gz": "new", KEPT: "kept", "inbox/P.zip_files/README": "kept"}


def published(top: Path) -> list[RenamedFile]:
    return publish(top / "build", top / "S1", top / "old", with_inbox=False, replace=True)


@pytest.mark.parametrize(
    ("mine", "now"),
    [
        (KEPT, "inbox/P.zip_files/notes_2.txt"),
        (f"{KEPT}/in", "inbox/P.zip_files/notes_2.txt/in"),
        ("inbox/P.zip_files", "inbox/P_2.zip_files"),
    ],
    ids=["file", "folder", "file in place of a folder"],
)
def test_a_users_file_with_the_name_of_a_kept_one_gets_a_numbered_name(tmp_path: Path, mine: str, now: str) -> None:
    write(tmp_path / "build", BUILD)
    write(tmp_path / "S1", {mine: "mine", "inbox/P.zip": "packet"})
    renamed = published(tmp_path)
    assert read(tmp_path / "S1") == BUILD | {now: "mine", "inbox/P.zip": "packet"}
    at = tmp_path / "S1"
    assert [tuple(file) for file in renamed] == [(at / mine.removesuffix("/in"), at / now.removesuffix("/in"))]


def test_numbered_names_that_are_in_use_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "build", BUILD)
    others = {"inbox/P.zip_files/notes_2.txt": "other", "inbox/P.zip_files/notes_3.txt": "other"}
    write(tmp_path / "S1", {KEPT: "mine", **others})
    published(tmp_path)
    assert read(tmp_path / "S1") == BUILD | others | {"inbox/P.zip_files/notes_4.txt": "mine"}


def test_a_file_that_appears_when_a_kept_file_gets_its_name_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "build", BUILD)
    write(tmp_path / "S1", {"inbox/P.zip": "packet"})
    with monkeypatch.context() as patch:
        written = appears(patch, tmp_path / "S1" / KEPT, 2)
        assert len(published(tmp_path)) == 2
    assert len(written) == 2
    files = read(tmp_path / "S1")
    assert {name: files[name] for name in BUILD} == BUILD
    assert {files["inbox/P.zip_files/notes_2.txt"], files["inbox/P.zip_files/notes_3.txt"]} == {*written}


MOVES = {True: 8, False: 10}
"""Steps of the next test, as in tests/test_publish_exchange.py; one fails, since the name is in use.

The user's file gets its new name by renameat2, or in two steps by a hard link.
"""


@pytest.mark.parametrize(("by_kernel", "stop"), [(each, stop) for each in MOVES for stop in range(MOVES[each] + 1)])
def test_an_interrupted_call_is_completed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_kernel: bool, stop: int
) -> None:
    write(tmp_path / "build", BUILD)
    write(tmp_path / "S1", {KEPT: "mine"})
    with monkeypatch.context() as patch:
        if not by_kernel:
            patch.setattr(durable, "_renameat2", lambda *_: False)
        done = stop_before(patch, stop)
        try:
            published(tmp_path)
            assert len(done) == stop == MOVES[by_kernel], "only the last stop is after the last step"
        except KilledError:
            assert stop < MOVES[by_kernel]
    published(tmp_path)
    assert read(tmp_path / "S1") == BUILD | {"inbox/P.zip_files/notes_2.txt": "mine"}
    assert not os.path.lexists(tmp_path / "build")
