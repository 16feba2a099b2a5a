"""A task of a cluster with several packets of one session: each of them has the state that fits what became of it."""

from collections.abc import Sequence

import pytest

from qxbatch.cluster.creation import make_submission
from qxbatch.cluster.grouping import JobArray, SubmissionPlan
from qxbatch.cluster.new_submission import new_submission
from qxbatch.cluster.state import ImportState, UnitState
from qxbatch.cluster.submission import Submission
from qxbatch.discover.candidates import candidates
from qxbatch.discover.units import units_of
from qxbatch.model import Report
from qxbatch.settings.parse import parse
from tests.build.dicom import MrSeries
from tests.build.packets import Kind
from tests.build.study import Run, Study, run_main


def run_task(submission: Submission, units: Sequence[int]) -> Run:
    """Run a task with these units."""
    number = submission.add_round(SubmissionPlan((tuple(units),), (JobArray(0, 1, 1, 1),)))
    return run_main("worker", str(submission.sessionsfolder), f"--submission={submission.id}", f"--task={number}/0")


@pytest.fixture
def merged(study: Study) -> Submission:
    """A submission of one unit: the packets `S1.zip` and `S1.tar` are merged."""
    study.put("S1", MrSeries(number=1).files())
    study.put("S1", MrSeries(number=2).files(), Kind.TAR)
    options = {"sessionsfolder": str(study.sessions), "scheduler": "SLURM", "on_same_session": "merge"}
    settings = parse(options).settings
    submission = make_submission(settings, options, units_of(candidates(settings), folder_mode=False), Report())
    assert submission is not None
    return submission


def test_merged_packets_are_done_if_all_of_them_were_imported(merged: Submission) -> None:
    run = run_task(merged, [0])
    assert run.status == 0, run.text
    assert merged.state(0).state is ImportState.DONE
    assert merged.state(0).attempts == 1


def test_a_unit_is_not_done_if_one_of_its_packets_cannot_be_read(merged: Submission, study: Study) -> None:
    path = study.inbox / "S1.zip"
    path.unlink()
    path.symlink_to(path)
    run = run_task(merged, [0])
    assert "S1.zip" in run.text
    assert study.session_names() == ["S1"]
    state = merged.state(0)
    assert (state.state, state.published) == (ImportState.FAILED, True)
    assert state.reason.startswith("its session was written without S1.zip: cannot be read")


def test_a_unit_is_not_done_if_one_of_its_packets_left_the_inbox(merged: Submission, study: Study) -> None:
    (study.inbox / "S1.tar").unlink()
    assert run_task(merged, [0]).status == 0
    state = merged.state(0)
    assert state.state is ImportState.FAILED
    assert state.reason == "its session was written without S1.tar: it is not in the inbox any more"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_each_of_two_units_of_one_session_has_a_state(study: Study, order: tuple[int, int]) -> None:
    """They were refused together; one packet left the inbox before `resume --failed` submitted both."""
    study.put("S1", MrSeries().files())
    record = {"options": {"sessionsfolder": str(study.sessions)}, "scheduler": "SLURM", "cwd": "/", "bids_app": False}
    states = [UnitState(0, "S1", ("S1.zip",), 1000), UnitState(1, "S1", ("S1.tar",), 1000)]
    submission = new_submission(study.sessions, record, states)
    run = run_task(submission, order)
    assert run.status == 0, run.text
    first, second = submission.state(0), submission.state(1)
    assert (first.state, first.reason, first.attempts) == (ImportState.DONE, "", 1)
    assert (second.state, second.reason, second.attempts) == (ImportState.DONE, "its session existed already", 0)
