"""Folder mode: a member of an archive that the user has in the inbox, too, is kept once, and the user may edit that file."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.pipeline.check_published import check_published
from qxbatch.pipeline.publishing import publish_sessions
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_folder, write_packet
from tests.build.study import Study, snapshot

README = b"README of the scanner\n"
FOLDER_MODE = ("--masterinbox=none", "--sessions=S1", "--archive=delete", "--check=no")


def put_archive(study: Study, folder: str = "", number: int = 2) -> Path:
    place = study.session("S1") / "inbox" / folder
    place.mkdir(parents=True, exist_ok=True)
    tree = under("T1", MrSeries(number=number, patient="P1").files())
    write_packet({**tree, "README": README}, place, "scan", Kind.ZIP)
    return place / "scan.zip"


def put_copy(study: Study, name: str = "scan.zip_files/README") -> Path:
    write_folder({name: README}, study.session("S1") / "inbox")
    return study.session("S1") / "inbox" / name


def edit(path: Path) -> None:
    path.write_bytes(b"my new text\n")


def link(path: Path) -> None:
    shutil.move(path, path.parent.parent / "moved")
    path.symlink_to(path.parent.parent / "moved")


def before_publishing(monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], path: Path) -> None:
    """Change a file after the journal was written."""

    def change_and_publish(*args: object) -> object:
        change(path)
        return publish_sessions(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("qxbatch.pipeline.finish.publish_sessions", change_and_publish)


@pytest.mark.parametrize("change", [edit, link, Path.unlink])
@pytest.mark.parametrize("name", ["scan.zip_files/README", "scan.zip!README"])
def test_an_archive_is_moved_if_the_copy_of_a_member_changed(
    study: Study, monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[Path], None]
) -> None:
    archive, copy = put_archive(study), put_copy(study, name)
    before_publishing(monkeypatch, change, copy)
    run = study.main(*FOLDER_MODE, "--list-all")
    assert run.status == 0, run.text
    assert "may not be deleted, since the inbox no longer has a file that was kept from it" in (
        " ".join(run.text.split())
    )
    assert not archive.exists()
    assert list(snapshot(study.archive)) == ["scan.zip"]


def test_an_archive_is_deleted_if_the_copy_of_a_member_remains(study: Study) -> None:
    put_archive(study)
    copy = put_copy(study)
    run = study.main(*FOLDER_MODE)
    assert run.status == 0, run.text
    assert list(snapshot(study.session("S1") / "inbox")) == ["scan.zip_files", "scan.zip_files/README"]
    assert copy.read_bytes() == README
    assert not study.archive.exists()


@pytest.mark.parametrize(("folder", "name"), [("", "scan.zip_files/README"), ("sub", "sub_files/scan.zip/README")])
def test_a_copy_that_an_earlier_import_listed_is_compared_too(
    study: Study, monkeypatch: pytest.MonkeyPatch, folder: str, name: str
) -> None:
    write_folder(under("T1", MrSeries(patient="P1").files()), study.session("S1") / "inbox")
    copy = put_copy(study, name)
    assert study.main(*FOLDER_MODE).status == 0
    put_archive(study, folder, number=7)
    before_publishing(monkeypatch, edit, copy)
    run = study.main(*FOLDER_MODE, "--overwrite=yes")
    assert run.status == 0, run.text
    assert list(snapshot(study.archive)) == ["scan.zip"]


def test_a_run_that_finishes_an_interrupted_one_compares_the_copy(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_archive(study)
    copy = put_copy(study)

    def stop(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "stopped")

    def check_and_edit(*args: object, **options: object) -> object:
        problems = check_published(*args, **options)  # type: ignore[arg-type]
        edit(copy)
        return problems

    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.pipeline.finish.archive_packets", stop)
        assert study.main(*FOLDER_MODE).status == 1
    monkeypatch.setattr("qxbatch.pipeline.finish.check_published", check_and_edit)
    run = study.main(*FOLDER_MODE)
    assert run.status == 0, run.text
    assert list(snapshot(study.archive)) == ["scan.zip"]


def test_a_loose_file_stays_if_its_copy_in_a_split_session_changed(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = (*FOLDER_MODE, "--on-mixed=split", "--overwrite=yes")
    people = {**under("a", MrSeries(patient="P1").files()), **under("b", MrSeries(patient="P2").files())}
    loose, copy = (study.session(name) / "inbox" / "a" / "README" for name in ("S1", "S1-1"))
    write_folder({**people, "a/README": README}, study.session("S1") / "inbox")
    assert study.main(*split).status == 0
    assert not loose.exists()
    write_folder({**people, "a/README": README}, study.session("S1") / "inbox")
    before_publishing(monkeypatch, edit, copy)
    run = study.main(*split)
    assert run.status == 1, run.text
    assert f"{loose}: stays in the inbox, because no session contains its bytes now" in run.text
    assert loose.read_bytes() == README
