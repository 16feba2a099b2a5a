"""A command that submits again names the path that it cannot write, and does not end with an empty folder that it can remove."""

import errno
import os
import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qxbatch.cluster.grouping import JobArray, SubmissionPlan
from qxbatch.cluster.new_submission import new_submission
from qxbatch.cluster.queue import Queue
from qxbatch.cluster.remaining import submit_remaining
from qxbatch.cluster.resubmit import prepare_resubmission
from qxbatch.cluster.state import ImportState, UnitState, write_new_states, write_state
from qxbatch.cluster.submission import Submission
from qxbatch.cluster.submit_lock import submit_lock
from qxbatch.problems import UsageError
from qxbatch.publish.open_folders import opened_folder
from qxbatch.settings.scheduler import scheduler_spec
from qxbatch.textfile import create_text
from tests.build.study import Study, run_main
from tests.faults.unprivileged import unprivileged

UNIT = UnitState(0, "S0", ("S0.zip",), 1000, ImportState.WAITING)


@contextmanager
def no_room() -> Iterator[None]:
    """Let each write to a file fail, as on a full file system: the kernel's error has no path."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def submitted(study: Study) -> Submission:
    record = {"options": {"sessionsfolder": str(study.sessions)}, "scheduler": "SLURM", "cwd": "/"}
    return new_submission(study.sessions, record | {"bids_app": False, "typed": [], "found": []}, [UNIT])


def lock(study: Study) -> None:
    with submit_lock(study.sessions):
        raise AssertionError("no lock can be written")


def state(study: Study) -> None:
    write_state(study.sessions, UNIT, study.sessions)


def new_states(study: Study) -> None:
    with opened_folder(study.inbox) as folder:
        write_new_states(folder, [UNIT])


def text(study: Study) -> None:
    with create_text(study.sessions / "text") as file:
        file.write("x")


@pytest.mark.parametrize("write", [lock, state, new_states, text])
def test_an_error_of_writing_names_the_file(study: Study, write: Callable[[Study], None]) -> None:
    with opened_folder(study.sessions) as folder:
        write_new_states(folder, [UNIT])
    with no_room(), pytest.raises(OSError, match="too large") as caught:
        write(study)
    assert caught.value.errno == errno.EFBIG
    assert str(caught.value.filename).startswith(os.fspath(study.sessions))


def test_the_id_of_a_job_that_cannot_be_recorded_names_the_file(study: Study) -> None:
    submission = submitted(study)
    with no_room(), pytest.raises(OSError, match="too large") as caught:
        submission.record_job(1, "0", "7")
    assert str(caught.value.filename) == str(submission.jobs_path(1))


def test_an_empty_folder_of_locks_that_cannot_be_entered_is_created_again(study: Study) -> None:
    submitted(study)
    locks = study.sessions / ".qxbatch" / "locks"
    locks.mkdir()
    locks.chmod(0)
    run = unprivileged("resume", str(study.sessions))
    assert "ermission denied" not in run.text


def test_the_error_of_a_folder_of_locks_that_is_not_empty_names_it(study: Study) -> None:
    submitted(study)
    locks = study.sessions / ".qxbatch" / "locks"
    locks.mkdir()
    (locks / "of another run").touch()
    locks.chmod(0)
    run = unprivileged("resume", str(study.sessions))
    locks.chmod(0o700)
    assert run.status == 73, run.text
    assert f"{locks} has mode d---------" in run.text


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo])
def test_a_file_in_place_of_the_folder_of_logs_is_named_with_the_command_that_removes_it(
    study: Study, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None]
) -> None:
    monkeypatch.setattr("qxbatch.cluster.status.query_queue", lambda _scheduler, _names: Queue(True))
    submission = submitted(study)
    number = submission.add_round(SubmissionPlan((), ()), [0])
    before = submission.state(0)
    logs = submission.folder / "logs"
    make(logs)
    assert submit_remaining(submission, number) == 73
    with pytest.raises(UsageError, match=re.escape(f"(look at it, then remove it: `rm -- {logs}`)")):
        prepare_resubmission(submission, [before], scheduler_spec("SLURM"))
    assert submission.state(0) == before
    assert submission.round_numbers() == [number]


def test_what_is_left_of_an_incomplete_submission_is_removed(study: Study) -> None:
    submission = submitted(study)
    jobs = submission.folder.parent
    left = [jobs / ".20260101-000000-0123abcd.new", jobs / ".20260101-000001-0123abcd.new"]
    (left[0] / "states").mkdir(parents=True)
    left[1].touch()
    (jobs / ".other.new").touch()
    assert run_main("resume", str(study.sessions)).status in (0, 69)
    assert sorted(jobs.iterdir()) == sorted([submission.folder, jobs / ".other.new"])


def test_the_dependent_job_submits_nothing_beside_another_command_that_submits(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qxbatch.publish.locks.LONGEST_WAIT_SECONDS", 0.1)
    monkeypatch.setattr("qxbatch.cluster.status.query_queue", lambda _scheduler, _names: Queue(True))
    submission = submitted(study)
    number = submission.add_round(SubmissionPlan((), ()), [0])
    with submit_lock(study.sessions), pytest.raises(TimeoutError):
        submit_remaining(submission, number)
    assert submission.round_numbers() == [number]


def test_the_dependent_job_leaves_out_what_was_submitted_in_a_later_round(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qxbatch.cluster.status.query_queue", lambda _scheduler, _names: Queue(True))
    submission = submitted(study)
    first = submission.add_round(SubmissionPlan((), ()), [0])
    submission.add_round(SubmissionPlan(((0,),), (JobArray(0, 1, 1, 1),)))
    assert submit_remaining(submission, first) == 0
    assert len(submission.round_numbers()) == 2
