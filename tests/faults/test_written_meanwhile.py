"""Files that a user's program writes into a session while a run publishes it, or after that run was interrupted."""

import errno
from pathlib import Path

import pytest

from qxbatch.publish.open_folders import OpenFolder
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_packet
from tests.build.study import Study, run_main
from tests.test_publish_exchange import appears

TREE = {**under("T1", MrSeries(patient="P1").files()), "README": b"of the packet\n"}
FOLDER_MODE = ("--masterinbox=none", "--sessions=S1", "--check=no", "--archive=delete")
AGAIN = ("--check=no", "--archive=copy", "--overwrite=yes")


def with_archive(study: Study) -> Path:
    """Put an archive into the inbox of S1; return the place of the file of it that is kept."""
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    write_packet(TREE, inbox, "A", Kind.ZIP)
    return inbox / "A.zip_files" / "README"


def stop_at(study: Study, monkeypatch: pytest.MonkeyPatch, name: str, *args: str) -> None:
    """Run until an entry of this name of the build is about to be renamed."""
    rename_noreplace = OpenFolder.rename_noreplace

    def stopped(folder: OpenFolder, entry: str, target: OpenFolder, new_name: str) -> None:
        if entry == name:
            raise OSError(errno.EIO, "stopped")
        rename_noreplace(folder, entry, target, new_name)

    with monkeypatch.context() as patch:
        patch.setattr(OpenFolder, "rename_noreplace", stopped)
        assert study.main(*args).status == 1
    assert (study.sessions / ".qxbatch" / "journal" / "S1.json").exists()


def kept(study: Study) -> list[str]:
    """Return the texts of kept files of replaced sessions."""
    return [path.read_text() for path in (study.archive.parent / "replaced").rglob("session.txt*")]


def is_intact(study: Study) -> bool:
    return run_main("verify", str(study.session("S1"))).status == 0


@pytest.mark.parametrize("exists", [True, False], ids=["replaced session", "new session"])
def test_a_session_txt_that_is_written_during_the_exchange_is_kept(
    study: Study, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    study.put("S1", TREE)
    (study.session("S1") / "hcp").mkdir(parents=True)
    if exists:
        assert study.main(*AGAIN).status == 0
        (study.session("S1") / "session.txt").unlink()
    with monkeypatch.context() as patch:
        written = appears(patch, study.session("S1") / "session.txt")
        run = study.main(*AGAIN)
    assert run.status == 0, run.text
    assert kept(study) == written != []
    assert "were kept in" in run.text
    assert is_intact(study)
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("exists", [True, False], ids=["replaced session", "new session"])
def test_a_session_txt_that_is_written_after_an_interruption_is_kept(
    study: Study, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    study.put("S1", TREE)
    session_txt = study.session("S1") / "session.txt"
    (study.session("S1") / "hcp").mkdir(parents=True)
    if exists:
        assert study.main(*AGAIN).status == 0
    stop_at(study, monkeypatch, "session.txt", *AGAIN)
    session_txt.write_text("mine")
    run = study.main(*AGAIN)
    assert run.status == 0, run.text
    assert kept(study) == ["mine"]
    assert session_txt.read_text() != "mine"
    assert is_intact(study)


def test_a_file_that_appears_under_the_name_of_a_kept_file_gets_a_numbered_name(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = with_archive(study)
    with monkeypatch.context() as patch:
        (mine,) = [appears(patch, readme)]
        run = study.main(*FOLDER_MODE)
    assert run.status == 0, run.text
    assert [readme.read_bytes(), readme.with_name("README_2").read_text()] == [TREE["README"], *mine]
    assert f"{readme}: had the name of a file or folder that an archive contains. It is now {readme}_2." in unwrapped(
        run.text
    )
    assert is_intact(study)


@pytest.mark.parametrize("options", [(), ("--deidentify-logs",)])
def test_a_file_that_takes_the_name_of_a_kept_file_after_an_interruption_gets_a_numbered_name(
    study: Study, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    readme = with_archive(study)
    stop_at(study, monkeypatch, "README", *FOLDER_MODE, *options)
    readme.parent.mkdir(exist_ok=True)
    readme.write_text("mine")
    run = study.main(*FOLDER_MODE, *options)
    assert run.status == 0, run.text
    assert readme.read_bytes() == TREE["README"]
    assert readme.with_name("README_2").read_text() == "mine"
    assert ("README_2" in run.text) == (not options), "file names of an inbox are left out of de-identified messages"
    assert is_intact(study)
    assert not (readme.parent.parent / "A.zip").exists()


def unwrapped(text: str) -> str:
    return " ".join(text.split())
