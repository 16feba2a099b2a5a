"""State files of a submission, and how `jobs` and `resume` use them."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from qxbatch.cluster import status as module
from qxbatch.cluster.command import Answer
from qxbatch.cluster.creation import make_submission
from qxbatch.cluster.follow import follow
from qxbatch.cluster.grouping import JobArray, SubmissionPlan
from qxbatch.cluster.new_submission import new_submission
from qxbatch.cluster.observer import StateWriter
from qxbatch.cluster.queue import Queue
from qxbatch.cluster.remaining import submit_remaining
from qxbatch.cluster.state import ImportState, UnitState, as_text, state_of_text, state_path
from qxbatch.cluster.status import Status, live_jobs, query_status
from qxbatch.cluster.submission import Submission, read_submissions
from qxbatch.cluster.submit import RoundSubmitter, SubmitResult
from qxbatch.cluster.table import as_text as table_text
from qxbatch.cluster.unready import write_unready_states
from qxbatch.discover.units import units_of
from qxbatch.exits import ExitStatus
from qxbatch.model import Report, SeriesLabel, SessionId, SessionReport
from qxbatch.problems import Code, Problem, UsageError
from qxbatch.settings.parse import parse
from qxbatch.settings.scheduler import scheduler_spec
from tests.build.dicom import MrSeries
from tests.build.inbox import DummyStudy
from tests.build.study import Study, run_main

RECORD = {"options": {}, "scheduler": "SLURM", "cwd": "/", "bids_app": False, "found": []}


def unit(number: int, state: ImportState = ImportState.WAITING, **fields: object) -> UnitState:
    return UnitState(number, f"S{number}", (f"S{number}.zip",), 1000, state)._replace(**fields)  # type: ignore[arg-type]


def submitted(folder: Path, *units: UnitState) -> Submission:
    """Return a submission: each unit is a task of job 7, and job 8 is the dependent job."""
    submission = new_submission(folder, RECORD, list(units))
    tasks = tuple((each.number,) for each in units)
    number = submission.add_round(SubmissionPlan(tasks, (JobArray(0, len(tasks), 1, 1),)))
    submission.record_job(number, "0", "7")
    submission.record_job(number, "end", "8")
    return submission


def status_with(monkeypatch: pytest.MonkeyPatch, all_submissions: list[Submission], queue: Queue) -> Status:
    monkeypatch.setattr(module, "query_queue", lambda _scheduler, _names: queue)
    return query_status(all_submissions)


def states(status: Status) -> list[tuple[str, str, bool]]:
    return [(row.unit.name, str(row.state), row.is_unknown) for row in status.rows]


def test_a_state_is_read_back_unchanged() -> None:
    full = unit(3, ImportState.FAILED, reason="bad \udcff", attempts=2, seconds=1.5, problem={"code": "damaged"})
    assert state_of_text(as_text(full).encode("utf-8", "surrogateescape")) == full
    for invalid in ("null", "{}", "[", '{"number": 1, "unit": "../x", "packets": ["a"], "state": "done", "size": 0}'):
        with pytest.raises(ValueError):  # noqa: PT011 - json raises several messages
            state_of_text(invalid.encode())


def test_no_folder_contains_more_than_a_thousand_states() -> None:
    paths = [state_path(Path("s"), number) for number in range(0, 1_000_000, 997)]
    assert len({path.parent for path in paths}) == 1000
    assert state_path(Path("s"), 999).parent != state_path(Path("s"), 1000).parent


def test_the_state_of_units_comes_from_their_files_and_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = submitted(
        tmp_path, unit(0, ImportState.DONE), unit(1, ImportState.FAILED), unit(2), unit(3, ImportState.RUNNING), unit(4)
    )
    queue = Queue(True, frozenset({("7", 2), ("7", 3), ("8", None)}), pending=frozenset({("7", 2), ("8", None)}))
    assert states(status_with(monkeypatch, [submission], queue)) == [
        ("S0", "done", False),
        ("S1", "failed", False),
        ("S2", "waiting", False),
        ("S3", "running", False),
        ("S4", "lost", False),
    ]


def test_a_unit_without_a_round_waits_while_its_submission_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = new_submission(tmp_path, RECORD, [unit(0)])
    assert states(status_with(monkeypatch, [submission], Queue(True))) == [("S0", "waiting", False)]
    os.utime(submission.record_file.path, (0, 0))
    assert states(status_with(monkeypatch, [submission], Queue(True))) == [("S0", "lost", False)]


def test_a_submission_that_is_removed_while_it_is_read_is_no_internal_error(tmp_path: Path) -> None:
    submission = submitted(tmp_path, unit(0))
    submission.folder.rename(tmp_path / "removed")
    with pytest.raises(UsageError, match="cannot be read"):
        live_jobs([submission])


def test_a_unit_whose_printed_round_was_removed_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = new_submission(tmp_path, RECORD, [unit(0)])
    number = submission.add_round(SubmissionPlan(((0,),), (JobArray(0, 1, 1, 1),)), printed=True)
    submission.write_text(submission.script_path(number, "0"), "#!/bin/sh\n")
    assert states(status_with(monkeypatch, [submission], Queue(True))) == [("S0", "waiting", False)]
    submission.remove_round(number)
    assert states(status_with(monkeypatch, [submission], Queue(True))) == [("S0", "lost", False)]


def test_a_unit_whose_job_is_submitted_while_the_queue_is_read_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = new_submission(tmp_path, RECORD, [unit(0)])

    def ask(*_: object) -> Queue:
        number = submission.add_round(SubmissionPlan(((0,),), (JobArray(0, 1, 1, 1),)))
        submission.write_text(submission.script_path(number, "0"), "#!/bin/sh\n")
        submission.record_job(number, "0", "7")
        return Queue(True)

    monkeypatch.setattr(module, "query_queue", ask)
    assert states(query_status([submission])) == [("S0", "waiting", False)]


def test_units_of_a_later_array_are_not_lost_while_the_first_array_is_submitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {0: 5 << 30, 1: 1000}  # requests for different memory, and so two arrays
    submission = new_submission(tmp_path, RECORD, [unit(number, size=size) for number, size in sizes.items()])
    monkeypatch.setattr(module, "query_queue", lambda _scheduler, _names: Queue(True, frozenset({("7", 0)})))
    during: list[list[tuple[str, str, bool]]] = []

    def run(words: Sequence[str], **_: object) -> Answer:
        if words[0] != "sbatch":
            return Answer(None)
        during.append(states(query_status([submission])))
        return Answer(0, f"{6 + len(during)}\n")

    monkeypatch.setattr("qxbatch.cluster.submit.run_scheduler_command", run)
    assert RoundSubmitter(submission, scheduler_spec("SLURM")).submit(sizes).jobs == ("7", "8", "9")
    assert during[0] == [("S0", "waiting", False), ("S1", "waiting", False)]


def test_a_job_that_is_submitted_while_the_queue_is_read_is_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = submitted(tmp_path, unit(0))
    answers = [Queue(True, frozenset({("8", None)})), Queue(True, frozenset({("9", 0)}))]

    def ask(*_: object) -> Queue:
        """Return the queue before and after the dependent job submitted another round."""
        if len(answers) == 2:
            submission.record_job(submission.add_round(SubmissionPlan(((0,),), (JobArray(0, 1, 1, 1),))), "0", "9")
        return answers.pop(0)

    monkeypatch.setattr(module, "query_queue", ask)
    assert live_jobs([submission]).jobs == [(submission, "9")]


def test_packets_of_a_submission_without_a_round_are_not_submitted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "query_queue", lambda _scheduler, _names: Queue(True))
    dummy = DummyStudy(tmp_path).put("S1.zip")
    units = units_of(dummy.candidates(), folder_mode=False)
    settings = parse({"sessionsfolder": str(dummy.sessions), "scheduler": "SLURM"}).settings
    assert make_submission(settings, {"scheduler": "SLURM"}, units, Report()) is not None
    assert make_submission(settings, {"scheduler": "SLURM"}, units, Report()) is None


def test_a_requeued_task_is_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = submitted(tmp_path, unit(0, ImportState.RUNNING))
    queue = Queue(True, frozenset({("7", 0)}), pending=frozenset({("7", 0)}))
    assert states(status_with(monkeypatch, [submission], queue)) == [("S0", "waiting", False)]


def test_no_unit_is_lost_while_the_queue_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = submitted(tmp_path, unit(0), unit(1, ImportState.RUNNING), unit(2, ImportState.DONE))
    status = status_with(monkeypatch, [submission], Queue(False, reason="down"))
    assert states(status) == [("S0", "waiting", True), ("S1", "running", True), ("S2", "done", False)]
    assert "The queue does not answer (down)" in table_text(status)


def test_the_state_of_another_users_jobs_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = submitted(tmp_path, unit(0))
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert states(status_with(monkeypatch, [submission], Queue(True))) == [("S0", "waiting", True)]


def test_a_result_written_during_the_query_of_the_queue_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = submitted(tmp_path, unit(0, ImportState.RUNNING))

    def ask(*_: object) -> Queue:
        submission.write_state(unit(0, ImportState.DONE))
        return Queue(True)

    monkeypatch.setattr(module, "query_queue", ask)
    assert states(query_status([submission])) == [("S0", "done", False)]


def test_a_packet_of_two_submissions_has_the_state_of_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = submitted(tmp_path, unit(0, ImportState.FAILED), unit(1, ImportState.DONE))
    second = submitted(tmp_path, unit(0, ImportState.DONE))
    all_submissions = sorted([first, second], key=lambda each: each is second)
    assert states(status_with(monkeypatch, all_submissions, Queue(True))) == [
        ("S1", "done", False),
        ("S0", "done", False),
    ]


def test_a_long_table_is_shortened_and_starts_with_lost_and_failed_packets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = [unit(k, ImportState.DONE) for k in range(40)]
    units += [unit(40, ImportState.FAILED, reason="is damaged"), unit(41)]
    status = status_with(monkeypatch, [submitted(tmp_path, *units)], Queue(True))
    text = table_text(status).splitlines()
    assert text[0] == "42 packets: 40 done, 1 failed, 1 lost."
    assert text[1].split()[:2] == ["lost", "S41.zip:"]
    assert "failed    S40.zip: is damaged" in text[3]
    assert "40 more: --list-all lists them." in text
    assert len(table_text(status, list_all=True).splitlines()) > 42


def test_a_shortened_table_counts_packets_of_one_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units = [unit(k, packets=(f"S{k}.zip", f"S{k}.tar")) for k in range(20)]
    text = table_text(status_with(monkeypatch, [submitted(tmp_path, *units)], Queue(True))).splitlines()
    assert text[0] == "40 packets: 40 lost."
    assert "10 more: --list-all lists them." in text


def test_a_table_without_rows_says_so() -> None:
    assert table_text(Status(())) == "0 packets.\n"


def test_links_and_other_files_among_submissions_are_ignored(study: Study, tmp_path: Path) -> None:
    assert run_main("jobs", str(study.sessions)).status == 66
    submission = submitted(study.sessions, unit(0, ImportState.DONE))
    (tmp_path / "other").mkdir()
    outside = submitted(tmp_path / "other", unit(0, ImportState.DONE))
    submission.folder.with_name("20260101-000000-aaaaaaaa").symlink_to(outside.folder)
    submission.folder.with_name("20260101-000000-bbbbbbbb").mkdir()
    (submission.folder.with_name("20260101-000000-bbbbbbbb") / "submission.json").write_text("[]")
    assert [each.id for each in read_submissions(study.sessions)] == [submission.id]


def test_a_submission_of_another_user_is_not_continued(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = submitted(study.sessions, unit(0, ImportState.FAILED))
    assert run_main("jobs", str(study.sessions)).status == 1
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    run = run_main("resume", str(study.sessions), "--failed")
    assert run.status == 64
    assert f"Submission {submission.id} was made by user" in run.err


def test_resume_skips_a_published_session_with_a_failed_series(study: Study) -> None:
    submitted(study.sessions, unit(0, ImportState.FAILED, published=True))
    run = run_main("resume", str(study.sessions), "--failed")
    assert run.status == 0
    assert "1 failed session is published and not submitted again: S0." in run.out
    assert "There is nothing to resume." in run.out


def test_resume_prints_only_the_script_on_standard_output(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "query_queue", lambda _scheduler, _names: Queue(True))
    monkeypatch.chdir(study.sessions)  # resume changes to the working folder of the submission
    published = unit(0, ImportState.FAILED, name="S0;touch owned;", published=True)
    record = RECORD | {"options": {"sessionsfolder": str(study.sessions)}}
    submission = new_submission(study.sessions, record, [published])
    run = run_main("resume", str(study.sessions), "--failed", "--print-script")
    assert (run.status, run.out) == (0, "")
    assert "1 failed session is published and not submitted again: S0;touch owned;." in run.err
    assert "There is nothing to resume." in run.err
    submission.write_state(unit(0, ImportState.FAILED))
    run = run_main("resume", str(study.sessions), "--failed", "--print-script")
    assert run.status == 0, run.text
    assert run.out.startswith("#!/bin/bash\nset -eu")


def test_cancel_counts_the_submissions_of_other_users(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "query_queue", lambda _scheduler, _names: Queue(True, frozenset({("7", 0)})))
    submitted(study.sessions, unit(0))
    second = unit(0, name="S1", packets=("S1.zip",))
    submission = submitted(study.sessions, second)
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    run = run_main("cancel", str(study.sessions))
    assert (run.status, run.out) == (0, "No job of this user waits or runs.\n")
    assert run.err == "Not cancelled: 2 submissions of other users. Only these users can cancel them.\n"
    submission.write_state(second._replace(state=ImportState.DONE))
    run = run_main("cancel", str(study.sessions))
    assert run.err == f"Not cancelled: 1 submission of another user, {user}. Only that user can cancel it.\n"
    read_submissions(study.sessions)[0].write_state(unit(0, ImportState.DONE))
    run = run_main("cancel", str(study.sessions))
    assert (run.status, run.out, run.err) == (0, "No job waits or runs.\n", "")


def test_resume_submits_nothing_if_replaced_files_cannot_be_kept(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "query_queue", lambda _scheduler, _names: Queue(True))
    monkeypatch.chdir(study.sessions)  # resume changes to the working folder of the submission
    study.put("S0", MrSeries().files())
    assert study.main("--archive=copy").status == 0
    (study.archive.parent / "replaced").write_text("not a folder")
    record = RECORD | {"options": {"sessionsfolder": str(study.sessions), "overwrite": "yes"}}
    submission = new_submission(study.sessions, record, [unit(0)])
    os.utime(submission.record_file.path, (0, 0))
    run = run_main("resume", str(study.sessions))
    assert run.status == 73, run.text
    assert "the folder of replaced files cannot be created" in run.err


def test_a_packet_whose_sessions_a_killed_job_had_written_is_done_although_it_left_the_inbox(study: Study) -> None:
    files = {f"{k}/{path}": data for k in "12" for path, data in MrSeries(patient=f"P{k}", study=k).files().items()}
    study.put("S0", MrSeries().files())
    study.put("S1", files)
    assert study.main("--on-mixed=split").status == 0
    states = [unit(0), unit(1), unit(2)]
    writer = StateWriter(new_submission(study.sessions, RECORD, states), states, "job 7")
    settings = parse({"sessionsfolder": str(study.sessions), "on_mixed": "split"}).settings
    write_unready_states(Report(), writer, settings)
    assert [state.state for state in writer.states.values()] == [ImportState.DONE, ImportState.DONE, ImportState.FAILED]


@pytest.mark.parametrize(
    ("result", "later"),
    [
        (ImportState.DONE, ImportState.WAITING),
        (ImportState.DONE, ImportState.FAILED),
        (ImportState.DONE, ImportState.RUNNING),
        (ImportState.FAILED, ImportState.WAITING),
    ],
)
def test_a_stopped_task_leaves_the_result_of_the_task_that_followed_it(
    tmp_path: Path, result: ImportState, later: ImportState
) -> None:
    submission = new_submission(tmp_path, RECORD, [unit(0)])
    first, second = (StateWriter(submission, [unit(0)], f"job {k}") for k in (7, 8))
    second.write_changed(0, state=result)
    first.write_changed(0, state=later)
    assert submission.state(0).state is result


def test_a_task_that_did_not_see_a_result_in_time_leaves_it(tmp_path: Path) -> None:
    submission = new_submission(tmp_path, RECORD, [unit(0)])
    first, second = (StateWriter(submission, [unit(0)], f"job {k}") for k in (7, 8))
    first.write_done(0)
    second.write_failed(0, "its packet is missing")
    assert submission.state(0).state is ImportState.DONE


def test_the_reason_of_a_failed_unit_names_the_series_as_the_scanner_does(tmp_path: Path) -> None:
    states = [unit(0), unit(1)]
    writer = StateWriter(new_submission(tmp_path, RECORD, states), states, "job 7")
    series = Problem(Code.CONVERT_FAILED, "series 20", "no image.")
    packet = Problem(Code.DAMAGED, "S1.zip", "cut short.")
    labels = (SeriesLabel(20, 2, "epiRT"),)
    writer.write_result(0, [SessionReport("S0.zip", SessionId("S0"), tmp_path, (series,), labels=labels)])
    writer.write_result(1, [SessionReport("S1.zip", SessionId("S1"), None, (packet,))])
    assert [state.reason for state in writer.states.values()] == ["series 2, epiRT: no image.", "cut short."]


def test_the_last_job_counts_only_the_sessions_that_it_submitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    submission = submitted(tmp_path, unit(0), unit(1))
    submission.add_round(SubmissionPlan((), ()), [0, 1])
    monkeypatch.setattr(module, "query_queue", lambda _scheduler, _names: Queue(True))
    monkeypatch.setattr("qxbatch.cluster.remaining.resubmit", lambda *_: SubmitResult(3, 1, ("9", "10"), 1))
    assert submit_remaining(submission, 2) == ExitStatus.OK
    assert "Submitted 1 session: jobs 9, 10." in capsys.readouterr().out


def test_jobs_accepts_the_study_folder(study: Study) -> None:
    submitted(study.sessions, unit(0, ImportState.DONE))
    run = run_main("jobs", str(study.sessions.parent), "--json")
    assert run.status == 0
    assert [each["state"] for each in json.loads(run.out)["packets"]] == ["done"]


def test_a_packet_that_left_the_inbox_since_it_was_found_is_not_submitted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dummy = DummyStudy(tmp_path).put("S1.zip", "S2.zip")
    units = units_of(dummy.candidates(), folder_mode=False)
    (dummy.inbox / "S1.zip").unlink()
    settings = parse({"sessionsfolder": str(dummy.sessions), "scheduler": "SLURM"}).settings
    submission = make_submission(settings, {"scheduler": "SLURM"}, units, Report())
    assert submission is not None
    assert [state.packets for state in submission.all_states()] == [("S2.zip",)]
    assert "Packets of 1 of 2 sessions are no longer in the inbox." in capsys.readouterr().out
    (dummy.inbox / "S2.zip").unlink()
    assert make_submission(settings, {"scheduler": "SLURM"}, units, Report()) is None


def test_proposed_commands_quote_the_sessions_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dummy = DummyStudy(tmp_path / "a b").put("S1.zip")
    settings = parse({"sessionsfolder": str(dummy.sessions), "scheduler": "SLURM"}).settings
    units = units_of(dummy.candidates(), folder_mode=False)
    submission = make_submission(settings, {"scheduler": "SLURM"}, units, Report())
    assert submission is not None
    assert make_submission(settings, {"scheduler": "SLURM"}, units, Report()) is None
    folder = f"'{dummy.sessions}'"
    assert (
        f"Packets of 1 of 1 session are submitted already. To list them: qxbatch jobs {folder}"
        in capsys.readouterr().out
    )
    monkeypatch.setattr("qxbatch.cluster.follow._follow", interrupted)
    with pytest.raises(KeyboardInterrupt):
        follow(settings, [submission.id])
    assert f"qxbatch jobs {folder}" in capsys.readouterr().out
    submission.add_round(SubmissionPlan((), ()), [0])
    monkeypatch.setattr("qxbatch.cluster.remaining.resubmit", refused)
    assert submit_remaining(submission, 1) == ExitStatus.UNAVAILABLE
    assert f"qxbatch resume {folder}" in capsys.readouterr().err
    with pytest.raises(UsageError) as raised:
        RoundSubmitter(submission, scheduler_spec("SLURM"))._submit_end_job({0: 1})
    assert f"qxbatch resume {folder}" in raised.value.hint


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def refused(*_: object) -> None:
    raise UsageError("There is no sbatch on this host.", status=ExitStatus.UNAVAILABLE)
