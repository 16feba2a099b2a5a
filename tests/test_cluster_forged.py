"""Submissions that another user forged in a sessions folder: commands refuse them, and change no files elsewhere."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from qxbatch.cluster.creation import SUBMIT_LOCK, _remove_done
from qxbatch.cluster.grouping import JobArray, SubmissionPlan
from qxbatch.cluster.new_submission import new_submission
from qxbatch.cluster.state import ImportState, UnitState
from qxbatch.cluster.submission import Submission
from qxbatch.cluster.submit import RoundSubmitter
from qxbatch.exits import ExitStatus
from qxbatch.publish.below import remove_below
from qxbatch.publish.durable import make_folder
from qxbatch.publish.locks import Locks
from qxbatch.settings.scheduler import scheduler_spec
from tests.build.study import Run, Study, run_main
from tests.cluster.submitted import packet

FAKES = {
    "sbatch": 'echo "$*" >> "$folder/calls"; echo 9',
    "squeue": '[ ! -e "$folder/down" ] || { echo down >&2; exit 1; }',
    "scancel": 'echo "scancel $*" >> "$folder/calls"',
    "scontrol": "exit 1",
}


class Forged:
    """A submission of two packets whose jobs have ended, a file that it must not change, and fake commands of Slurm."""

    def __init__(self, study: Study, folder: Path) -> None:
        self.study = study
        self.folder = folder
        folder.mkdir()
        for name, commands in FAKES.items():
            (folder / name).write_text(f'#!/bin/bash\nfolder=$(dirname "$0")\n{commands}\n')
            (folder / name).chmod(0o755)
        self.victim = folder / "victim"
        self.victim.mkdir()
        self.file = self.victim / "thesis.tex"
        self.file.write_text("years of work\n")
        self.submission = self.submit()

    def submit(self) -> Submission:
        """Return a new submission."""
        options = {"sessionsfolder": str(self.study.sessions)}
        record = {"options": options, "scheduler": "SLURM", "cwd": "/", "bids_app": False, "typed": [], "found": []}
        units = [UnitState(k, f"S{k}", (f"S{k}.zip",), 1000) for k in range(2)]
        submission = new_submission(self.study.sessions, record, units)
        number = submission.add_round(SubmissionPlan(((0,), (1,)), (JobArray(0, 2, 1, 1),)))
        submission.record_job(number, "0", "7")
        submission.record_job(number, "end", "8")
        return submission

    def call(self, command: str, *options: str) -> Run:
        return run_main(command, str(self.study.sessions), *options)

    def worker(self, digest: str = "") -> Run:
        return self.call("worker", f"--submission={self.submission.id}{digest}", "--task=1/0")

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def change(self, name: str, **changes: object) -> None:
        """Change fields of a JSON file; `...` removes one."""
        path = self.submission.folder / name
        value = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps({key: each for key, each in value.items() if each is not ...}))

    def call_all(self) -> dict[str, Run]:
        """Call every command that reads submissions, and check that none ends with an internal error."""
        runs = {words: self.call(*words.split()) for words in ("jobs", "jobs --json", "resume", "resume --failed")}
        runs |= {"worker": self.worker(), "cancel": self.call("cancel")}
        for words, run in runs.items():
            assert run.status in (0, 1, 64, 66, 69), (words, run.text)
            assert "Traceback" not in run.text, words
        return runs


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """Interrupt a test that hangs."""

    def interrupt(*_: object) -> None:
        raise AssertionError("the test takes too long")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def forged(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forged:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.chdir(Path.cwd())  # resume changes to the working folder of the submission
    return Forged(study, tmp_path / "bin")


@pytest.mark.parametrize(
    "name", ["round-2.tasks", "round-2.jobs", "round-2.tasks.new", "round-2.0.sh", "round-2.end.sh"]
)
def test_a_resumed_submission_replaces_links(forged: Forged, name: str) -> None:
    path = forged.submission.folder / name
    path.symlink_to(forged.file)
    run = forged.call("resume")
    assert run.status == 0, run.text
    assert forged.file.read_text() == "years of work\n"
    assert not path.is_symlink() or name.endswith(".new")
    assert forged.submission.round(2).jobs == {"0": "9", "end": "9"}


def test_the_logs_of_a_new_round_are_not_written_through_a_link(forged: Forged) -> None:
    (forged.submission.folder / "logs").mkdir()
    log_folder = forged.submission.folder / "logs" / "2-0"
    log_folder.symlink_to(forged.victim)
    assert forged.call("resume").status == 0
    assert log_folder.is_dir()
    assert not log_folder.is_symlink()


def test_a_submission_that_is_done_is_removed_at_any_depth(tmp_path: Path) -> None:
    folder = tmp_path / "submission"
    make_folder(folder.joinpath(*["d"] * 1200))
    done = SimpleNamespace(state=ImportState.DONE)
    submission = SimpleNamespace(
        unit_count=1, owner_id=os.geteuid(), all_states=lambda: [done], remove=lambda: remove_below(folder, tmp_path)
    )
    _remove_done([cast("Submission", submission)])
    assert not folder.exists()


@pytest.mark.parametrize("task", ["1/0", "1/end"])
def test_locks_are_not_removed_through_a_link(forged: Forged, task: str) -> None:
    for unit in range(2):
        forged.submission.write_state(forged.submission.state(unit)._replace(state=ImportState.DONE))
    (forged.victim / "empty").write_text("")
    (forged.victim / "link.lock").symlink_to("thesis.tex")
    before = sorted(forged.victim.iterdir())
    (forged.study.sessions / ".qxbatch" / "locks").symlink_to(forged.victim)
    run = forged.call("worker", f"--submission={forged.submission.id}", f"--task={task}")
    assert run.status == 0, run.text
    assert sorted(forged.victim.iterdir()) == before


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_submission_is_not_resumed_if_the_folder_of_locks_is_another_thing(forged: Forged, kind: str) -> None:
    locks = forged.study.sessions / ".qxbatch" / "locks"
    if kind == "link":
        locks.symlink_to(forged.victim)
    else:
        locks.write_text("")
    os.utime(forged.victim, (1, 1))
    run = forged.call("resume")
    assert run.status == 73, run.text
    assert str(locks) in run.err
    assert forged.victim.stat().st_mtime == 1
    assert forged.calls() == []


def _lock_in_use(forged: Forged) -> Path:
    """Let another run hold the lock of submissions; return its file."""
    locks = Locks(forged.study.sessions / ".qxbatch" / "locks")
    lock = locks.take(SUBMIT_LOCK)
    assert lock is not None
    return lock.path


@pytest.mark.parametrize("command", ["resume", "import"])
def test_a_folder_with_content_in_place_of_the_lock_of_submissions_is_named(forged: Forged, command: str) -> None:
    lock = _lock_in_use(forged)
    lock.unlink()
    (lock / "content").mkdir(parents=True)
    forged.study.put_bytes("S7.zip", packet(7))
    run = forged.call("resume") if command == "resume" else forged.study.main("--scheduler=SLURM")
    assert run.status == 73, run.text
    assert f"rm -r -- {lock}" in run.err
    assert (lock / "content").is_dir()
    assert forged.calls() == []


@pytest.mark.parametrize("command", ["resume", "import"])
def test_a_command_does_not_wait_for_ever_for_a_stopped_one_that_submits(
    forged: Forged, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qxbatch.publish.locks.LONGEST_WAIT_SECONDS", 0.1)
    lock = _lock_in_use(forged)
    forged.study.put_bytes("S7.zip", packet(7))
    run = forged.call("resume") if command == "resume" else forged.study.main("--scheduler=SLURM")
    assert run.status == 73, run.text
    holder = f"its last holder is process {os.getpid()} on {socket.gethostname()}, which may be suspended"
    assert f"the lock 'submit' was not free for 0.1 s; {holder}" in " ".join(run.err.split())
    assert lock.exists()
    assert forged.calls() == []


@pytest.mark.parametrize("name", ["states", "states/0000", "logs"])
def test_a_submission_with_a_folder_that_is_a_link_is_not_continued(forged: Forged, name: str) -> None:
    folder = forged.submission.folder / name
    if folder.exists():
        folder.rename(forged.folder / "old")
    for path in (forged.victim / "0.json", forged.victim / "0000" / "0.json"):
        path.parent.mkdir(exist_ok=True)
        path.write_text('{"number": 0, "unit": "S0", "packets": ["S0.zip"], "size": 1, "state": "waiting"}')
    before = {path: path.read_text() for path in forged.victim.rglob("*.*")}
    folder.symlink_to(forged.victim)
    for run in (forged.worker(), forged.call("resume"), forged.call("resume", "--failed")):
        assert "Traceback" not in run.text
    assert {path: path.read_text() for path in forged.victim.rglob("*.*")} == before
    assert forged.calls() == []


@pytest.mark.parametrize("name", [".qxbatch", ".qxbatch/jobs"])
def test_a_submission_below_a_folder_that_is_a_link_is_not_continued(forged: Forged, name: str) -> None:
    folder = forged.study.sessions / name
    folder.rename(forged.folder / "old")
    folder.symlink_to(forged.folder / "old")
    before = {path: path.read_bytes() for path in (forged.folder / "old").rglob("*.*") if path.is_file()}
    for run in (forged.worker(), forged.call("resume"), forged.call("jobs")):
        assert "Traceback" not in run.text
    assert forged.worker().status != 0
    assert {path: path.read_bytes() for path in before} == before
    assert forged.calls() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"units": 10**15},
        {"units": -5},
        {"units": True},
        {"options": []},
        {"scheduler": ...},
        {"scheduler": {}},
        {"scheduler": "CONDOR"},
        {"cwd": 5},
        {"typed": 5},
        {"schema": 10**20},
    ],
    ids=str,
)
def test_a_forged_record_is_named_and_hides_no_other_submission(forged: Forged, changes: dict[str, Any]) -> None:
    forged.change("submission.json", **changes)
    other = forged.submit()
    os.utime(other.folder / "round-1.json", (1, 1))
    runs = forged.call_all()
    for command in ("jobs", "resume", "cancel"):
        assert f"Submission {forged.submission.id} cannot be read: submission.json" in runs[command].err
    assert {each["submission"] for each in json.loads(runs["jobs --json"].out)["packets"]} == {other.id}
    assert runs["worker"].status == 64


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("round-1.json", "[" * 60_000),
        ("round-1.json", "null"),
        ("round-1.json", "{}"),
        ("round-1.json", '{"arrays": [[1]], "remaining": "", "printed": false}'),
        ("round-1.json", '{"arrays": [["a", "b", "c", "d"]], "remaining": "", "printed": false}'),
        ("round-1.json", '{"arrays": [[0, 2, 1, 1]], "remaining": 5, "printed": false}'),
        ("round-1.json", '{"arrays": [[0, 2, 1, 1]], "remaining": "x", "printed": false}'),
        ("round-1.json", '{"arrays": [[0, 2, 1, 1]], "remaining": "0-99999999", "printed": false}'),
        ("round-1.json", '{"arrays": [[0, 99999999, 1, 1]], "remaining": "", "printed": false}'),
        ("round-2.json", "{}"),
        ("round-1.tasks", "0-99999999\n"),
        ("round-1.tasks", "0-1\n0-1\n"),
        ("round-1.tasks", "x\n"),
        ("round-1.tasks", "\udcff\n"),
        ("round-1.tasks", None),
        ("round-1.jobs", None),
    ],
)
def test_packets_of_a_forged_round_are_neither_lost_nor_submitted_again(
    forged: Forged, name: str, text: str | None
) -> None:
    path = forged.submission.folder / name
    path.unlink(missing_ok=True)
    if text is None:
        os.mkfifo(path)
    else:
        path.write_text(text, errors="surrogateescape")
    runs = forged.call_all()
    assert f"Submission {forged.submission.id} cannot be read: {name.partition('.')[0] if text is None else ''}" in (
        runs["resume"].err
    )
    packets = json.loads(runs["jobs --json"].out)["packets"]
    assert [(each["packet"], each["unknown"]) for each in packets] == [("S0.zip", True), ("S1.zip", True)]
    assert not any(call.startswith("--parsable") for call in forged.calls())


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": 5, "state": "failed"},
        {"seconds": "x"},
        {"seconds": float("inf")},
        {"size": "z"},
        {"size": float("nan")},
        {"problem": [1], "state": "failed"},
        {"problem": {"code": 1}},
        {"packets": "abc"},
        {"packets": ["a/b"]},
        {"unit": "\ud800"},
        {"number": 0.0},
        {"number": 1},
        {"attempts": -1},
        {"attempts": 10**18},
        {"published": []},
    ],
    ids=str,
)
def test_a_forged_state_is_named_and_hides_no_other(forged: Forged, changes: dict[str, Any]) -> None:
    forged.change("states/0000/0.json", **changes)
    runs = forged.call_all()
    assert f"Submission {forged.submission.id}: 1 state cannot be read: " in runs["jobs"].err
    assert [each["packet"] for each in json.loads(runs["jobs --json"].out)["packets"]] == ["S1.zip"]


def test_forged_values_of_the_right_kind_do_no_harm(forged: Forged) -> None:
    forged.change("states/0000/0.json", attempts=10**17, size=10**17, problem={"code": "x"}, state="failed")
    (forged.submission.folder / "states" / "0000" / "1.json").write_text("[" * 60_000)
    (forged.submission.folder / "round-999999999999.json").write_text("{}")
    forged.call_all()
    run = forged.call("worker", f"--submission={forged.submission.id}", "--task=1/99999999999999999999")
    assert run.status == 64
    run = forged.call("worker", f"--submission={forged.submission.id}", "--task=1/end")
    assert run.status == 0, run.text


@pytest.mark.parametrize("job", ["--user=root", "-9", "0", "00", "7 8", "7;reboot", "seven"])
@pytest.mark.parametrize("queue_is_down", [False, True])
def test_only_ids_of_jobs_are_cancelled(forged: Forged, job: str, queue_is_down: bool) -> None:
    if queue_is_down:
        (forged.folder / "down").touch()
    (forged.submission.folder / "round-1.jobs").write_text(f"0 {job}\nend 8\n")
    run = forged.call("cancel")
    assert run.status == 69
    assert f"round-1.jobs names {job!r}, which is not the id of a job" in run.err
    assert forged.calls() == []
    forged.call("resume")
    assert forged.calls() == []


@pytest.mark.parametrize(("name", "cancelled"), [("thesis", []), ("", ["scancel 8", "scancel 7"])])
def test_only_jobs_of_the_submission_are_cancelled(forged: Forged, name: str, cancelled: list[str]) -> None:
    job_name = name or forged.submission.job_name
    squeue = forged.folder / "squeue"
    squeue.write_text(
        f"#!/bin/bash\n[[ $* == *--jobs* ]] && {{ echo {job_name}; exit; }}\nprintf '7|0|RUNNING\\n8|N/A|PENDING\\n'\n"
    )
    run = forged.call("cancel")
    assert run.status == 0, run.text
    assert forged.calls() == cancelled
    assert ("job 7 of the queue is another one, thesis" in run.text) == bool(name)


def _change_options(forged: Forged) -> None:
    """Change the record in place, as a member of the group can do: its owner stays the same."""
    inbox = forged.folder / "photos"
    make_folder(inbox / "S0")
    (inbox / "S0" / "diary.txt").write_text("dear diary\n")
    options = {"sessionsfolder": str(forged.study.sessions), "masterinbox": str(inbox), "archive": "delete"}
    forged.change("submission.json", options=options)


def test_a_job_refuses_a_record_that_was_changed_after_it_was_submitted(forged: Forged) -> None:
    digest = f":{forged.submission.record_file.digest}"
    assert forged.worker(digest).status == ExitStatus.OK
    _change_options(forged)
    run = forged.worker(digest)
    assert run.status == ExitStatus.USAGE
    assert "submission.json was changed after this job was submitted" in run.err
    assert (forged.folder / "photos" / "S0" / "diary.txt").exists()


def test_the_jobs_get_the_checksum_of_their_record(forged: Forged) -> None:
    RoundSubmitter(forged.submission, scheduler_spec("SLURM")).submit({0: 1000})
    word = f"--submission={forged.submission.id}:{forged.submission.record_file.digest}"
    for name in ("round-2.0.sh", "round-2.end.sh"):
        assert word in (forged.submission.folder / name).read_text()


def test_nobody_else_can_write_a_record_or_a_script_whatever_the_umask(forged: Forged) -> None:
    before = os.umask(0o002)
    try:
        forged.submission = forged.submit()
        RoundSubmitter(forged.submission, scheduler_spec("SLURM")).submit({0: 1000})
    finally:
        os.umask(before)
    for name in ("submission.json", "round-2.0.sh"):
        assert (forged.submission.folder / name).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_record_that_others_can_write_is_not_resumed(forged: Forged, mode: int) -> None:
    path = forged.submission.folder / "submission.json"
    path.chmod(mode)
    for run in (forged.call("resume"), forged.worker()):
        assert run.status == ExitStatus.USAGE
        assert f"{path} can be written by other users" in run.err
        assert f"chmod go-w {path}" in run.err
    assert forged.calls() == []
    path.chmod(0o644)
    assert forged.call("resume").status == ExitStatus.OK


def test_a_file_system_that_shows_all_files_as_writable_stops_no_job_and_no_cancel(forged: Forged) -> None:
    (forged.submission.folder / "submission.json").chmod(0o777)
    assert forged.worker(f":{forged.submission.record_file.digest}").status == ExitStatus.OK
    assert forged.call("cancel").status == ExitStatus.OK


def test_a_printed_script_submits_no_script_that_was_changed(forged: Forged) -> None:
    printed = RoundSubmitter(forged.submission, scheduler_spec("SLURM")).write_scripts({0: 1000})
    path = forged.submission.folder / "round-2.0.sh"
    text = path.read_text()
    path.write_text(text + "echo more\n")
    assert subprocess.run(["bash", "-c", printed], check=False, capture_output=True).returncode != 0
    assert forged.calls() == []
    path.write_text(text)
    subprocess.run(["bash", "-c", printed], check=True)
    assert len(forged.calls()) == 2


@pytest.mark.parametrize("command", ["jobs", "resume", "cancel"])
@pytest.mark.parametrize("name", [".qxbatch", ".qxbatch/jobs"])
def test_a_file_in_place_of_the_folder_of_submissions_is_named(study: Study, name: str, command: str) -> None:
    path = study.sessions / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    run = run_main(command, str(study.sessions))
    assert run.status == ExitStatus.CANNOT_WRITE, run.text
    assert f"{path}: is not a folder" in run.err
