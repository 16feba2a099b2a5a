"""The numbers that a run chose are written down for the next one, believed as far as they can be, and removed in the end."""

import errno
import json
import os
from pathlib import Path

import pytest

from qxbatch.archive.kept_numbers import forget_numbers
from qxbatch.publish.durable import write_json
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, write_packet
from tests.build.study import Study, snapshot
from tests.faults.alike import NONE, disturbed, fill, fill_with_one_that_stays, words
from tests.faults.stage import command


def kept(study: Study) -> dict[str, int]:
    """Return the numbers that are written down."""
    path = study.sessions / ".qxbatch" / "numbers.json"
    return dict(json.loads(path.read_bytes())) if path.exists() else {}


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(b'{"S1/inbox/scan.zip": -5, "S2/inbox/scan.zip": 1e999}', id="negative and infinite"),
        pytest.param(b'{"S1/inbox/scan.zip": 0, "S2/inbox/scan.zip": 1000000}', id="nothing and a million"),
        pytest.param(b'{"S1/inbox/scan.zip": "7", "S2/inbox/scan.zip": true}', id="no numbers"),
        pytest.param(b'{"S1/inbox/scan.zip": %s}' % (b"9" * 5000), id="more digits than Python reads"),
        pytest.param(b'{"": 2, ".": 2, "../S1": 2, "/": 2, "\\u0000": 2, "\\ud800": 2}', id="no paths"),
        pytest.param(b'["S1/inbox/scan.zip", 7]', id="a list"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"\xff\xfe{", id="no text"),
        pytest.param(b'{"S1/inbox/scan.zip": 7', id="cut short"),
    ],
)
def test_what_no_run_has_written_is_not_believed(study: Study, told: bytes) -> None:
    wanted = fill(study, 2)
    (study.sessions / ".qxbatch").mkdir()
    (study.sessions / ".qxbatch" / "numbers.json").write_bytes(told)
    run = study.main(*NONE)
    assert run.status == 0, run.text
    assert snapshot(study.archive) == wanted
    assert not (study.sessions / ".qxbatch").exists()


def test_where_they_cannot_be_written_down_nothing_is_begun(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(study)
    before = snapshot(study.sessions)

    def full(path: Path, _: object) -> None:
        path.with_name(f"{path.name}.new").touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("qxbatch.archive.kept_numbers.write_json", full)
        run = study.main(*NONE)
    assert run.status == 73
    assert "no space left" in run.text
    assert snapshot(study.sessions) == before
    assert study.main(*NONE).status == 0
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("sessions", ["nobody*", "T*"], ids=["nothing is ready", "another session is imported"])
def test_a_run_of_other_sessions_leaves_them_to_those_that_wait(study: Study, tmp_path: Path, sessions: str) -> None:
    wanted = fill_with_one_that_stays(study)
    write_packet(MrSeries(patient="P9").files(), study.session("T1") / "inbox", "other", Kind.ZIP)
    assert disturbed(study, "KILL@S2/scratch", tmp_path / "steps") == -9
    between = study.main("--masterinbox=none", f"--sessions={sessions}", "--check=no")
    assert between.status == 0, between.text
    assert kept(study) == {"S2/inbox/scan.zip": 2}, "S1 is done, S3 is archived"
    again = command(words(study), study.sessions)
    assert again.status == 0, again.text
    assert {name: digest for name, digest in snapshot(study.archive).items() if name != "other.zip"} == wanted
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("archive", ["move", "copy"])
def test_those_of_a_run_that_was_killed_at_its_end_are_removed_by_one_that_has_nothing_to_do(
    study: Study, tmp_path: Path, archive: str
) -> None:
    wanted = fill(study)
    more = f"--archive={archive}"
    assert disturbed(study, "KILL@os.remove {}/.qxbatch/numbers.json", tmp_path / "steps", more) == -9
    assert len(kept(study)) == 3
    again = command(words(study, more), study.sessions)
    assert again.status == 0, again.text
    assert snapshot(study.archive) == wanted
    assert not (study.sessions / ".qxbatch").exists()


class TwoRuns:
    """Two runs of which each has chosen a number and holds no lock: the one ends, the other has not begun its work."""

    def __init__(self, study: Study) -> None:
        fill(study, 2)
        self.study = study
        self.workspace = Workspace(study.sessions)
        self.workspace.top.mkdir()
        write_json(self.workspace.numbers, {"S1/inbox/scan.zip": 1, "S2/inbox/scan.zip": 2})
        self.workspace.new_numbers.touch()

    def first_one_ends(self) -> None:
        forget_numbers(self.workspace, Locks(self.workspace.locks), [self.study.session("S1") / "inbox"])
        self.workspace.tidy()


def test_a_run_that_ends_removes_its_own_and_not_those_that_another_one_has_just_chosen(study: Study) -> None:
    runs = TwoRuns(study)
    runs.first_one_ends()
    assert kept(study) == {"S2/inbox/scan.zip": 2}
    assert not runs.workspace.new_numbers.exists()


@pytest.mark.parametrize("lock", ["archive", "session S2"])
def test_while_another_run_holds_a_lock_all_of_them_stay(study: Study, lock: str) -> None:
    runs = TwoRuns(study)
    other = Locks(runs.workspace.locks)
    held = other.take(lock)
    assert held is not None
    runs.first_one_ends()
    assert len(kept(study)) == 2
    assert runs.workspace.new_numbers.exists(), "it may be writing them"
    other.release(held)
    runs.first_one_ends()
    assert kept(study) == {"S2/inbox/scan.zip": 2}
