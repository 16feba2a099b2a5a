"""The files of a replaced session wait in staging until the new session is verified, and until they can be kept."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.exits import ExitStatus
from qxbatch.publish.open_folders import OpenFolder
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, write_folder
from tests.build.sparse import grow, refuse_to_hash
from tests.build.study import Study, run_main, snapshot
from tests.faults.unprivileged import unprivileged

FILES = MrSeries().files()
FOLDER_MODE = ("--masterinbox=none", "--sessions=S1")


def stop(*_: object, **__: object) -> None:
    raise OSError(errno.EIO, "stopped")


def interrupt(study: Study, monkeypatch: pytest.MonkeyPatch, *args: str) -> None:
    """Replace a session; the run ends before it handles the replaced files."""
    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.pipeline.replaced_files.keep_unique_files", stop)
        run = study.main("--check=no", "--overwrite=yes", *args)
    assert run.status == 1, run.text
    assert list((study.sessions / ".qxbatch" / "journal").iterdir()), run.text


def damage(session: Path) -> None:
    path = session / "dicom" / "30.tar.gz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    path.write_bytes(data)


@pytest.mark.parametrize("change", [damage, shutil.rmtree])
def test_all_of_a_replaced_session_is_kept_if_the_new_one_is_damaged_or_missing(
    study: Study, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    session = study.session("S1")
    write_folder({Path(name).name: data for name, data in FILES.items()}, session / "inbox")
    assert study.main("--check=no", *FOLDER_MODE).status == 0
    only_copy = (session / "dicom" / "30.tar.gz").read_bytes()
    interrupt(study, monkeypatch, *FOLDER_MODE)
    change(session)
    run = study.main("--check=no", *FOLDER_MODE)
    assert run.status == 1, run.text
    assert "were kept in" in run.text
    assert (study.archive.parent / "replaced" / "S1-1" / "dicom" / "30.tar.gz").read_bytes() == only_copy
    assert not (study.sessions / ".qxbatch").exists()


def test_a_packet_is_imported_again_if_its_new_session_was_removed(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet = study.put("S1", FILES, Kind.ZIP)
    assert study.main("--archive=copy").status == 0
    (study.session("S1") / "dicom" / "notes").write_text("mine")
    interrupt(study, monkeypatch, "--archive=move")
    shutil.rmtree(study.session("S1"))
    run = study.main("--archive=move")
    assert run.status == 1, run.text
    assert "is no longer the session" in run.text
    assert (study.archive.parent / "replaced" / "S1-1" / "dicom" / "notes").read_text() == "mine"
    assert (study.session("S1") / "session.txt").exists()
    assert not packet.exists()
    assert study.main("--check=no").status == 0


@pytest.mark.parametrize("is_moved", [False, True])
def test_all_of_a_replaced_session_is_kept_if_the_journal_was_damaged_and_removed(
    study: Study, monkeypatch: pytest.MonkeyPatch, is_moved: bool
) -> None:
    study.put("S1", FILES, Kind.ZIP)
    assert study.main("--archive=copy").status == 0
    (study.session("S1") / "dicom" / "notes").write_text("mine")
    interrupt(study, monkeypatch, "--archive=copy")
    (old,) = (study.sessions / ".qxbatch" / "work" / "S1").glob("*/old/S1")
    if is_moved:  # a run was killed before it moved the kept files to the archive
        old.rename(old.with_name("S1.kept"))
    (journal,) = (study.sessions / ".qxbatch" / "journal").iterdir()
    journal.write_bytes(b"")
    refused = study.main("--check=no")
    assert "remove the journal" in " ".join(refused.text.split()), refused.text
    journal.unlink()
    run = study.main("--check=no")
    assert run.status == 1, run.text
    assert "its journal is missing" in " ".join(run.text.split())
    assert (study.archive.parent / "replaced" / "S1-1" / "dicom" / "notes").read_text() == "mine"
    assert not (study.sessions / ".qxbatch").exists()
    assert study.main("--check=no").status == 0


@pytest.mark.parametrize("args", [(), ("--packet=S1.zip",)], ids=["import", "worker"])
def test_a_session_is_not_imported_again_while_replaced_files_without_a_journal_cannot_be_kept(
    study: Study, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    study.put("S1", FILES, Kind.ZIP)
    assert study.main("--archive=copy").status == 0
    (study.session("S1") / "dicom" / "notes").write_text("mine")
    interrupt(study, monkeypatch, "--archive=copy")
    next((study.sessions / ".qxbatch" / "journal").iterdir()).unlink()
    command = ("worker",) if args else ()
    words = (*command, str(study.sessions), *args, "--check=no", "--archive=copy", "--overwrite=yes")
    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.pipeline.abandoned_files.keep_unique_files", stop)
        run = run_main(*words)
    assert run.status == 1, run.text
    assert "the files of that import are kept until then" in " ".join(run.text.split())
    run_main(*words)
    assert (study.archive.parent / "replaced" / "S1-1" / "dicom" / "notes").read_text() == "mine"


def test_a_closed_folder_of_a_replaced_session_is_entered(study: Study) -> None:
    study.put("S1", FILES, Kind.ZIP)
    words = (str(study.sessions), "--archive=copy", "--overwrite=yes")
    assert unprivileged(*words).status == 0
    for mode in (0o555, 0):
        folder = study.session("S1") / "dicom" / f"mine {mode}"
        folder.mkdir()
        (folder / "notes").write_text(folder.name)
        folder.chmod(mode)
    run = unprivileged(*words)
    assert run.status == 0, run.text
    kept = snapshot(study.archive.parent / "replaced" / "S1-1")
    assert [name for name in kept if name.endswith("notes")] == ["dicom/mine 0/notes", "dicom/mine 365/notes"]
    assert not (study.sessions / ".qxbatch").exists()


def test_a_file_that_cannot_be_read_is_kept(study: Study) -> None:
    study.put("S1", FILES, Kind.ZIP)
    words = (str(study.sessions), "--archive=copy", "--overwrite=yes")
    assert unprivileged(*words).status == 0
    notes = study.session("S1") / "dicom" / "notes"
    notes.write_text("of a colleague")
    notes.chmod(0)
    run = unprivileged(*words)
    assert run.status == 0, run.text
    kept = study.archive.parent / "replaced" / "S1-1" / "dicom" / "notes"
    kept.chmod(0o600)
    assert kept.read_text() == "of a colleague"


def test_replaced_files_that_cannot_be_kept_wait_beside_a_complete_session(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet = study.put("S1", FILES, Kind.ZIP)
    assert study.main("--archive=copy").status == 0
    (study.session("S1") / "dicom" / "notes").write_text("mine")
    for words in (("--overwrite=yes",), ()):
        with monkeypatch.context() as patch:
            patch.setattr("qxbatch.publish.replaced._rename_to_unused", stop)
            run = study.main("--check=no", *words)
        assert run.status == 1, run.text
        text = " ".join(run.text.split())
        assert "the session was written; its replaced files could not be kept: " in text
        assert "The packet is unchanged" not in text
        assert (study.session("S1") / "session.txt").exists()
        assert packet.exists()
    run = study.main("--check=no")
    assert run.status == 0, run.text
    assert (study.archive.parent / "replaced" / "S1-1" / "dicom" / "notes").read_text() == "mine"
    assert not packet.exists()
    assert not (study.sessions / ".qxbatch").exists()


def test_a_folder_that_cannot_take_replaced_files_is_reported_before_the_work(study: Study) -> None:
    study.put("S1", FILES, Kind.ZIP)
    words = (str(study.sessions), "--check=no", "--archive=leave")
    assert unprivileged(*words).status == 0
    (study.session("S1") / "dicom" / "notes").write_text("mine")
    study.archive.parent.mkdir(exist_ok=True)
    study.archive.parent.chmod(0o555)
    before = snapshot(study.session("S1"))
    assert unprivileged(*words).status == 0, "nothing is replaced"
    run = unprivileged(*words, "--overwrite=yes")
    assert run.status == ExitStatus.CANNOT_WRITE, run.text
    assert "cannot be written" in run.text
    assert snapshot(study.session("S1")) == before


def test_a_replaced_file_is_kept_if_the_new_session_has_a_link_to_it(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.put("S1", FILES, Kind.ZIP)
    assert study.main("--archive=leave").status == 0
    session = study.session("S1")
    only_copy = (session / "dicom" / "30.tar.gz").read_bytes()
    (session / "dicom" / "notes.txt").write_text("mine")
    interrupt(study, monkeypatch, "--archive=leave")
    (old,) = (study.sessions / ".qxbatch" / "work").rglob("old/S1")
    for name in ("30.tar.gz", "notes.txt"):  # as a program does that replaces equal files by links
        (session / "dicom" / name).unlink(missing_ok=True)
        (session / "dicom" / name).symlink_to(old / "dicom" / name)
    study.main("--archive=leave")
    kept = study.archive.parent / "replaced" / "S1-1" / "dicom"
    assert (kept / "notes.txt").read_text() == "mine"
    assert (kept / "30.tar.gz").read_bytes() == only_copy


def test_a_part_of_a_build_is_not_published_if_the_session_was_removed(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.put("S1", FILES, Kind.ZIP)
    assert study.main("--archive=copy").status == 0
    rename_noreplace = OpenFolder.rename_noreplace

    def stop_at_the_end(folder: OpenFolder, name: str, target: OpenFolder, new_name: str) -> None:
        if name == "session.txt" and "build" in folder.path.parts:
            stop()
        rename_noreplace(folder, name, target, new_name)

    with monkeypatch.context() as patch:
        patch.setattr(OpenFolder, "rename_noreplace", stop_at_the_end)
        assert study.main("--archive=copy", "--overwrite=yes").status == 1
    shutil.rmtree(study.session("S1"))
    study.main("--archive=copy")
    run = study.main("--archive=copy")
    assert run_main("verify", str(study.session("S1"))).status == 0, run.text


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, grow])
def test_a_ledger_that_is_no_file_or_too_large_does_not_block_the_next_run(
    study: Study, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None]
) -> None:
    study.put("S1", FILES, Kind.ZIP)
    assert study.main("--archive=copy").status == 0
    interrupt(study, monkeypatch, "--archive=copy")
    ledger = study.session("S1") / "qxbatch" / "ledger.tsv"
    ledger.unlink()
    make(ledger)
    refuse_to_hash(monkeypatch, "qxbatch.pipeline.check_published")
    run = study.main("--archive=copy")
    assert "is no longer the session that was made from its packets" in run.text
    assert not (study.sessions / ".qxbatch").exists()


def test_replaced_files_stay_in_staging_if_the_journal_is_removed_during_the_run(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.put("S1", FILES)
    assert study.main("--archive=copy").status == 0
    (study.session("S1") / "nii" / "mine.txt").write_text("mine")

    def remove_the_journal_and_fail(*_: object, **__: object) -> None:
        (study.sessions / ".qxbatch" / "journal" / "S1.json").unlink()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.pipeline.replaced_files.keep_unique_files", remove_the_journal_and_fail)
        assert study.main("--check=no", "--overwrite=yes", "--archive=delete").status == 1
    study.main("--check=no")
    (kept,) = (study.archive.parent / "replaced").rglob("mine.txt")
    assert kept.read_text() == "mine"
    assert not (study.sessions / ".qxbatch").exists()
