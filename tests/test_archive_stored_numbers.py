"""A run stores its archive numbers for the next run, which ignores invalid numbers and removes the file at the end."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.archive.stored_numbers import forget_numbers
from qxbatch.publish.durable import write_json
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, write_packet
from tests.build.study import Study, run_main, snapshot
from tests.faults.same_name import FOLDER_MODE, arguments, fill, fill_with_an_archive_that_stays, status_with_fault
from tests.faults.stage import command
from tests.faults.unprivileged import unprivileged


def stored_numbers(study: Study) -> dict[str, int]:
    """Return the numbers in numbers.json."""
    path = study.sessions / ".qxbatch" / "numbers.json"
    return dict(json.loads(path.read_bytes())) if path.exists() else {}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"S1/inbox/scan.zip": -5, "S2/inbox/scan.zip": 1e999}', id="negative and infinite"),
        pytest.param(b'{"S1/inbox/scan.zip": 0, "S2/inbox/scan.zip": 1000000}', id="zero and a million"),
        pytest.param(b'{"S1/inbox/scan.zip": "7", "S2/inbox/scan.zip": true}', id="not numbers"),
        pytest.param(b'{"": 2, ".": 2, "../S1": 2, "/": 2, "\\u0000": 2, "\\ud800": 2}', id="not paths"),
    ],
)
def test_invalid_numbers_are_ignored(study: Study, content: bytes) -> None:
    expected = fill(study, 2)
    (study.sessions / ".qxbatch").mkdir()
    (study.sessions / ".qxbatch" / "numbers.json").write_bytes(content)
    run = study.main(*FOLDER_MODE)
    assert run.status == 0, run.text
    assert snapshot(study.archive) == expected
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"S1/inbox/scan.zip": %s}' % (b"9" * 5000), id="more digits than Python reads"),
        pytest.param(b'["S1/inbox/scan.zip", 7]', id="a list"),
        pytest.param(b"[" * 100_000, id="nested too deep"),
        pytest.param(b"\xff\xfe{", id="not text"),
        pytest.param(b'{"S1/inbox/scan.zip": 7', id="cut short"),
    ],
)
def test_a_file_without_numbers_is_named_with_the_command_that_removes_it(study: Study, content: bytes) -> None:
    fill(study, 2)
    numbers = study.sessions / ".qxbatch" / "numbers.json"
    numbers.parent.mkdir()
    numbers.write_bytes(content)
    before = snapshot(study.sessions)
    run = study.main(*FOLDER_MODE)
    assert run.status == 73, run.text
    assert f"{numbers}: is not a file of numbers that qxbatch wrote" in run.err
    assert f"`rm -- {numbers}`" in run.err
    assert snapshot(study.sessions) == before
    numbers.unlink()
    assert study.main(*FOLDER_MODE).status == 0


def test_numbers_that_cannot_be_read_end_the_run_and_are_kept(study: Study) -> None:
    fill(study, 2)
    numbers = study.sessions / ".qxbatch" / "numbers.json"
    numbers.parent.mkdir()
    write_json(numbers, {"S2/inbox/scan.zip": 7})
    numbers.chmod(0)
    run = unprivileged(*arguments(study))
    assert run.status == 73, run.text
    assert f"Cannot read or write {numbers}: permission denied" in run.err
    assert stored_numbers(study) == {"S2/inbox/scan.zip": 7}
    assert not study.session("S1/session.txt").exists()
    numbers.chmod(0o600)
    assert unprivileged(*arguments(study)).status == 0
    assert "scan_7.zip" in snapshot(study.archive)


@pytest.mark.parametrize("name", ["numbers.json", "numbers.json.new"])
def test_archive_numbers_are_not_written_through_a_link(study: Study, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "thesis.tex"
    victim.write_text("years of work\n")
    expected = fill(study, 2)
    (study.sessions / ".qxbatch").mkdir()
    (study.sessions / ".qxbatch" / name).symlink_to(victim)
    run = study.main(*FOLDER_MODE)
    assert run.status == 0, run.text
    assert victim.read_text() == "years of work\n"
    assert snapshot(study.archive) == expected
    assert not (study.sessions / ".qxbatch").exists()


def test_a_run_that_cannot_store_the_numbers_changes_nothing(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(study)
    before = snapshot(study.sessions)

    def disk_full(path: Path, _: object, **_keywords: object) -> None:
        path.with_name(f"{path.name}.new").touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("qxbatch.archive.stored_numbers.write_json", disk_full)
        run = study.main(*FOLDER_MODE)
    assert run.status == 73
    assert "no space left" in run.text
    assert snapshot(study.sessions) == before
    assert study.main(*FOLDER_MODE).status == 0
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("sessions", ["nobody*", "T*"], ids=["no session matches", "another session is imported"])
def test_a_run_of_other_sessions_keeps_the_numbers_of_waiting_sessions(
    study: Study, tmp_path: Path, sessions: str
) -> None:
    expected = fill_with_an_archive_that_stays(study)
    write_packet(MrSeries(patient="P9").files(), study.session("T1") / "inbox", "other", Kind.ZIP)
    assert status_with_fault(study, "KILL@S2/scratch", tmp_path / "steps") == -9
    between = study.main("--masterinbox=none", f"--sessions={sessions}", "--check=no")
    assert between.status == 0, between.text
    assert stored_numbers(study) == {"S2/inbox/scan.zip": 2}, "S1 is done, S3 is archived"
    rerun = command(arguments(study), study.sessions)
    assert rerun.status == 0, rerun.text
    assert {name: digest for name, digest in snapshot(study.archive).items() if name != "other.zip"} == expected
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("archive", ["move", "copy"])
def test_numbers_of_a_run_killed_at_its_end_are_removed_by_a_run_without_work(
    study: Study, tmp_path: Path, archive: str
) -> None:
    expected = fill(study)
    more = f"--archive={archive}"
    assert status_with_fault(study, "KILL@os.remove {}/.qxbatch/numbers.json", tmp_path / "steps", more) == -9
    assert len(stored_numbers(study)) == 3
    rerun = command(arguments(study, more), study.sessions)
    assert rerun.status == 0, rerun.text
    assert snapshot(study.archive) == expected
    assert not (study.sessions / ".qxbatch").exists()


class TwoRuns:
    """Two runs that have chosen numbers and hold no lock: one ends, the other has not started its work."""

    def __init__(self, study: Study) -> None:
        fill(study, 2)
        self.study = study
        self.workspace = Workspace(study.sessions)
        self.workspace.top.mkdir()
        write_json(self.workspace.numbers_path, {"S1/inbox/scan.zip": 1, "S2/inbox/scan.zip": 2})
        self.workspace.temporary_numbers_path.touch()

    def end_first_run(self) -> None:
        forget_numbers(self.workspace, Locks(self.workspace.locks_folder), [self.study.session("S1") / "inbox"])
        self.workspace.tidy()


def test_a_run_removes_its_own_numbers_and_keeps_those_of_another_run(study: Study) -> None:
    runs = TwoRuns(study)
    runs.end_first_run()
    assert stored_numbers(study) == {"S2/inbox/scan.zip": 2}
    assert not runs.workspace.temporary_numbers_path.exists()


def test_the_number_of_a_missing_archive_is_removed(study: Study) -> None:
    runs = TwoRuns(study)
    (study.session("S1") / "inbox" / "scan.zip").unlink()
    forget_numbers(runs.workspace, Locks(runs.workspace.locks_folder))
    assert stored_numbers(study) == {"S2/inbox/scan.zip": 2}


@pytest.mark.parametrize("lock", ["archive", "session S2"])
def test_all_numbers_are_kept_while_another_run_holds_a_lock(study: Study, lock: str) -> None:
    runs = TwoRuns(study)
    other = Locks(runs.workspace.locks_folder)
    taken = other.take(lock)
    assert taken is not None
    runs.end_first_run()
    assert len(stored_numbers(study)) == 2
    assert runs.workspace.temporary_numbers_path.exists(), "the other run may be writing it"
    other.release(taken)
    runs.end_first_run()
    assert stored_numbers(study) == {"S2/inbox/scan.zip": 2}


@pytest.mark.parametrize("name", ["numbers.json", "numbers.json.new", "journal/S1.json.new"])
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["folder", "FIFO"])
def test_an_empty_folder_or_a_fifo_in_place_of_a_file_is_replaced(
    study: Study, name: str, make: Callable[[Path], object]
) -> None:
    fill(study, 2)
    path = study.sessions / ".qxbatch" / name
    path.parent.mkdir(parents=True)
    make(path)
    run = run_main(*arguments(study))
    assert run.status == 0, run.text
    assert len(list(study.archive.iterdir())) == 2
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("name", ["numbers.json", "numbers.json.new"])
def test_a_folder_with_content_is_named_with_the_command_that_removes_it(study: Study, name: str) -> None:
    fill(study, 2)
    folder = study.sessions / ".qxbatch" / name
    folder.mkdir(parents=True)
    (folder / "notes").write_text("of a colleague")
    run = run_main(*arguments(study))
    assert run.status == 73
    assert f"{folder}: is a folder with content" in run.err
    assert f"`rm -r -- {folder}`" in run.err
    assert (folder / "notes").exists()
    shutil.rmtree(folder)
    assert run_main(*arguments(study)).status == 0


def test_a_run_that_needs_no_numbers_ignores_a_folder_with_content(study: Study) -> None:
    study.put("S1", MrSeries().files())
    for name in ("numbers.json.new", "journal/S1.json.new"):
        (study.sessions / ".qxbatch" / name / "notes").mkdir(parents=True)
    run = study.main()
    assert run.status == 0, run.text
    assert (study.sessions / ".qxbatch" / "numbers.json.new" / "notes").exists()


@pytest.mark.parametrize("name", ["journal", "locks", "work"])
def test_a_file_in_place_of_a_folder_is_named_with_the_command_that_removes_it(study: Study, name: str) -> None:
    study.put("S1", MrSeries().files())
    path = study.sessions / ".qxbatch" / name
    path.parent.mkdir()
    path.write_text("notes")
    run = study.main()
    assert run.status == 73
    assert f"{path}: is not a folder" in run.err
    assert f"`rm -- {path}`" in run.err
    assert path.read_text() == "notes"
