"""New submissions: each unit is submitted, however many packets it has, or the message says why none is."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from qxbatch.cluster import state as state_module
from qxbatch.cluster.command import Answer
from qxbatch.cluster.creation import make_submission
from qxbatch.cluster.end_job import write_study_level
from qxbatch.cluster.follow import follow
from qxbatch.cluster.grouping import SubmissionPlan
from qxbatch.cluster.new_submission import new_submission
from qxbatch.cluster.queue import Queue
from qxbatch.cluster.remaining import submit_remaining
from qxbatch.cluster.state import ImportState, UnitState
from qxbatch.cluster.submission import Submission, read_submissions
from qxbatch.cluster.submit_new import submit_new
from qxbatch.discover.units import units_of
from qxbatch.exits import ExitStatus
from qxbatch.model import Candidate, Report, Verdict
from qxbatch.problems import UsageError
from qxbatch.settings.model import Settings
from qxbatch.settings.parse import parse
from qxbatch.settings.scheduler import scheduler_spec
from tests.build.inbox import DummyStudy
from tests.build.study import Study

RECORD = {"options": {}, "scheduler": "SLURM", "cwd": "/", "bids_app": False, "found": []}
SPEC = scheduler_spec("SLURM")
ONE = UnitState(0, "S0", ("S0.zip",), 1000)
MANY = UnitState(1, "S1", tuple(f"S1_a-name-of-some-length_{k}.dcm" for k in range(3000)), 1000)


def damaged(submission: Submission) -> Submission:
    """Return a submission after the state of its first unit was damaged."""
    (submission.states_folder / "0000" / "0.json").write_text("[")
    return submission


def submitted_numbers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the tasks of each round that is submitted."""
    tasks: list[str] = []

    def run(words: Sequence[str], **_: object) -> Answer:
        if words[0] == "sbatch":
            tasks[:] = Path(words[-1]).with_name("round-1.tasks").read_text().split()
        return Answer(0, "7\n") if words[0] == "sbatch" else Answer(None)

    monkeypatch.setattr("qxbatch.cluster.submit.run_scheduler_command", run)
    return tasks


def test_a_session_of_thousands_of_packets_is_submitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = submitted_numbers(monkeypatch)
    submission = new_submission(tmp_path, RECORD, [ONE, MANY])
    assert submission.state(1) == MANY
    submission.write_state(MANY._replace(state=ImportState.FAILED, reason="is damaged"))
    assert submission.state(1).state is ImportState.FAILED
    submission.write_state(MANY)
    assert "2 sessions" in submit_new(submission, SPEC, None)
    assert ",".join(tasks) in ("0-1", "0,1", "1,0")


def test_a_new_submission_with_a_state_that_cannot_be_read_is_not_submitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = submitted_numbers(monkeypatch)
    submission = damaged(new_submission(tmp_path, RECORD, [ONE, MANY]))
    with pytest.raises(UsageError, match="1 state of the new submission cannot be read: the state of unit 0") as raised:
        submit_new(submission, SPEC, None)
    assert raised.value.hint == "Nothing was submitted. Submit the packets again."
    assert tasks == []
    assert not submission.folder.exists()


def test_a_state_that_is_too_long_to_be_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = new_submission(tmp_path, RECORD, [ONE])
    monkeypatch.setattr(state_module, "MAX_BYTES", 1 << 10)
    with pytest.raises(OSError, match="names 3000 packets of S1, too many") as raised:
        submission.write_state(MANY._replace(number=0))
    assert str(raised.value.filename) == str(submission.states_folder / "0000" / "0.json")
    assert submission.state(0) == ONE
    with pytest.raises(OSError, match="names 3000 packets of S1, too many"):
        new_submission(tmp_path, RECORD, [MANY])
    assert [each.id for each in read_submissions(tmp_path)] == [submission.id]


def test_a_record_that_is_too_long_to_be_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qxbatch.cluster.new_submission.MOST_BYTES_IN_MEMORY", 1 << 10)
    with pytest.raises(UsageError, match="20 entries are not ready"):
        new_submission(tmp_path, {**RECORD, "found": [{"path": "a" * 100}] * 20}, [ONE])
    assert list((tmp_path / ".qxbatch" / "jobs").iterdir()) == []


def test_the_record_of_a_session_with_many_packets_grows_with_their_number_only(tmp_path: Path) -> None:
    sizes = []
    for count in (200, 400):
        dummy = DummyStudy(tmp_path / str(count))
        dummy.put("OP2.zip", *(f"OP1_{'x' * 80}_{k:04}.zip" for k in range(count)))
        options = {"sessionsfolder": str(dummy.sessions), "scheduler": "SLURM", "pattern": "(?P<packet_name>[^_.]+)"}
        found = dummy.candidates(pattern=options["pattern"])
        refused = [candidate for candidate in found if candidate.verdict is Verdict.REFUSED]
        assert len(refused) == count
        assert len({candidate.problem for candidate in refused}) == 1
        assert refused[0].problem is not None
        assert refused[0].problem.subject.endswith(f"_0019.zip and {count - 20} more")
        submission = _submit_found(parse(options).settings, options, found)
        assert submission is not None
        sizes.append(sum(path.stat().st_size for path in submission.folder.rglob("*.json")))
    assert sizes[1] < 2.1 * sizes[0]


def _submit_found(settings: Settings, options: dict[str, str], found: Sequence[Candidate]) -> Submission | None:
    ready = [candidate for candidate in found if candidate.verdict is Verdict.READY]
    return make_submission(settings, options, units_of(ready, folder_mode=False), Report(tuple(found)))


def test_the_notes_of_merged_packets_do_not_name_all_of_them(tmp_path: Path) -> None:
    dummy = DummyStudy(tmp_path).put(*(f"OP1_{k:04}.zip" for k in range(30)))
    found = dummy.candidates(pattern="(?P<packet_name>[^_.]+)", on_same_session="merge")
    assert {candidate.verdict for candidate in found} == {Verdict.READY}
    assert found[0].note == f"one session with {', '.join(f'OP1_{k:04}.zip' for k in range(1, 21))} and 9 more"
    assert found[29].note == f"one session with {', '.join(f'OP1_{k:04}.zip' for k in range(20))} and 9 more"


@pytest.mark.parametrize("message", ["states", "record"])
def test_follow_says_which_submission_it_cannot_read_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], message: str
) -> None:
    monkeypatch.setattr("qxbatch.cluster.status.query_queue", lambda _scheduler, _names: Queue(True))
    done = ONE._replace(state=ImportState.DONE)
    submission = new_submission(tmp_path, RECORD, [done, MANY._replace(state=ImportState.DONE)])
    settings = parse({"sessionsfolder": str(tmp_path), "scheduler": "SLURM"}).settings
    assert follow(settings, [submission.id]) == ExitStatus.OK
    if message == "states":
        damaged(submission)
    else:
        submission.record_file.path.write_text("[")
    assert follow(settings, [submission.id]) == ExitStatus.FAILED
    assert f"Submission {submission.id}" in capsys.readouterr().err


def test_the_dependent_job_says_which_states_it_cannot_read(
    study: Study, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("qxbatch.cluster.status.query_queue", lambda _scheduler, _names: Queue(True))
    record = {**RECORD, "options": {"sessionsfolder": str(study.sessions)}}
    submission = damaged(new_submission(study.sessions, record, [ONE]))
    text = f"Submission {submission.id}: 1 state cannot be read: the state of unit 0 is not JSON."
    settings = parse({"sessionsfolder": str(study.sessions)}).settings
    assert write_study_level(submission, settings) == ExitStatus.OK
    assert text in capsys.readouterr().err
    number = submission.add_round(SubmissionPlan((), ()), [0])
    assert submit_remaining(submission, number) == ExitStatus.OK
    assert text in capsys.readouterr().err


def test_a_run_that_submits_says_which_previous_states_it_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("qxbatch.cluster.status.query_queue", lambda _scheduler, _names: Queue(True))
    dummy = DummyStudy(tmp_path).put("S1.zip")
    options = {"sessionsfolder": str(dummy.sessions), "scheduler": "SLURM"}
    previous = damaged(new_submission(dummy.sessions, RECORD, [ONE]))
    left = previous.folder.with_name(".20260101-000000-0123abcd.new")  # of a killed run
    left.mkdir()
    assert _submit_found(parse(options).settings, options, dummy.candidates()) is not None
    assert f"Submission {previous.id}: 1 state cannot be read" in capsys.readouterr().out
    assert not left.exists()


@pytest.mark.parametrize(
    ("scheduler", "folder", "hint"),
    [
        ("PBS", "a b", "Use a sessions folder whose path has no blanks and no special characters."),
        ("SLURM", "a", "Correct the options of --scheduler."),
    ],
)
def test_the_hint_is_that_of_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str, folder: str, hint: str
) -> None:
    monkeypatch.setattr(
        "qxbatch.cluster.submit.run_scheduler_command", lambda *_, **__: Answer(1, "", "invalid account")
    )
    sessions = tmp_path / folder
    sessions.mkdir()
    submission = new_submission(sessions, {**RECORD, "scheduler": scheduler}, [ONE])
    with pytest.raises(UsageError) as raised:
        submit_new(submission, scheduler_spec(scheduler), None)
    assert raised.value.hint == hint
    assert not submission.folder.exists()
