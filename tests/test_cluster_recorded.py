"""PBS, LSF and SGE as fake commands: their arguments are recorded, and their output is parsed.

No real scheduler of these kinds was tested (see docs/cluster.md): the fakes print the output in their documentation.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from qxbatch.cluster.queue import query_queue
from qxbatch.cluster.schedulers import SCHEDULERS
from tests.build.dicom import MrSeries
from tests.build.packets import write_folder
from tests.build.study import Run, Study, run_command, snapshot
from tests.faults.unprivileged import unprivileged

FAKE = """\
#!/bin/bash
folder=$(dirname "$0")
printf '%s\\n' "$(basename "$0") $*" >> "$folder/calls"
case $(basename "$0") in
qsub | bsub)
    cat > "$folder/stdin"
    n=$(($(cat "$folder/count" 2>/dev/null || echo 100) + 1))
    echo "$n" > "$folder/count"
    sed "s/N/$n/" "$folder/printed"
    [ -s "$folder/stdin" ] && script=$folder/stdin || script=${!#}
    grep -oE 'qxbatch-[0-9]{8}-[0-9]{6}-[0-9a-f]{8}' "$script" | head -1 | tee "$folder/name-$n" > "$folder/name"
    ;;
qstat | bjobs)
    [ -e "$folder/down" ] && { echo 'cannot connect to server' >&2; exit 1; }
    n=$(grep -oE '^[0-9]+' <<< "${!#}") && {
        [ -e "$folder/name-$n" ] || { echo "no job $n" >&2; exit 1; }
        sed "s/NAME/$(cat "$folder/name-$n")/" "$folder/named"
        exit
    }
    name=$(cat "$folder/name" 2>/dev/null)
    sed "s/NAME15/${name:0:15}/; s/NAME12/${name:0:12}/; s/NAME10/${name:0:10}/" "$folder/queue"
    [ -s "$folder/queue" ] || [ ! -e "$folder/none" ] || { cat "$folder/none" >&2; exit 255; }
    ;;
esac
"""
PRINTED = {"PBS": "N[].pbs.host", "LSF": "Job <N> is submitted to queue <normal>.", "SGE": "N.1-2:1"}
NAMED = {
    "PBS": "Job Id: 101.pbs.host\n    Job_Name = NAME\n    Job_Owner = me@host\n",
    "LSF": "NAME[1]\nNAME[2]\n",
    "SGE": "==============\njob_number:                 101\njob_name:                   NAME\n",
}
"""Output of the query for one job, which shows its whole name."""
COMMANDS = {"PBS": ("qsub", "qstat", "qdel"), "LSF": ("bsub", "bjobs", "bkill"), "SGE": ("qsub", "qstat", "qdel")}
QUEUES = {
    "PBS": """\
Job id            Name             User              Time Use S Queue
----------------  ---------------- ----------------  -------- - -----
101[].pbs         NAME15  me                       0 B workq
101[0].pbs        NAME15  me                00:00:01 R workq
102.pbs           NAME15  me                       0 H workq
""",
    "LSF": "101 1 RUN NAME12*\n102 0 PEND NAME12*\n",
    "SGE": """\
job-ID  prior   name       user         state submit/start at     queue                          slots ja-task-ID
-----------------------------------------------------------------------------------------------------------------
    101 0.55500 NAME10 me           r     11/28/2026 10:00:00 all.q@node1                        1 1
    102 0.00000 NAME10 me           hqw   11/28/2026 10:00:00                                    1
""",
}
"""Task 0 is running, task 1 has ended, the dependent job is waiting. NAME15 becomes the first 15 characters of their name."""


class Recorded:
    """A study, and fake commands of a scheduler that record their calls."""

    def __init__(self, study: Study, folder: Path, name: str) -> None:
        self.study = study
        self.name = name
        self.folder = folder
        folder.mkdir()
        for command in COMMANDS[name]:
            (folder / command).write_text(FAKE)
            (folder / command).chmod(0o755)
        (folder / "printed").write_text(PRINTED[name] + "\n")
        (folder / "queue").write_text(QUEUES[name])
        (folder / "named").write_text(NAMED[name])
        if name == "LSF":
            (folder / "none").write_text("No unfinished job found\n")
        for k in (1, 2):
            study.put(f"S{k}", MrSeries(patient=f"P{k}").files())

    @property
    def env(self) -> dict[str, str]:
        return {"PATH": f"{self.folder}:{os.environ['PATH']}"}

    def submit(self) -> Run:
        return self.study.run(f"--scheduler={self.name},minutes=0.02,mem=1G", env=self.env)

    def call(self, command: str, *options: str) -> Run:
        return run_command(command, str(self.study.sessions), *options, env=self.env)

    def jobs(self) -> list[dict[str, Any]]:
        packets: list[dict[str, Any]] = json.loads(self.call("jobs", "--json").out)["packets"]
        return packets

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        lines = path.read_text().splitlines()
        path.unlink()
        return lines


@pytest.fixture(params=sorted(PRINTED))
def recorded(request: pytest.FixtureRequest, study: Study, tmp_path: Path) -> Recorded:
    return Recorded(study, tmp_path / "bin", request.param)


def test_a_submission_calls_the_scheduler_with_an_array_and_a_dependent_job(recorded: Recorded) -> None:
    run = recorded.submit()
    assert run.status == 0, run.text
    assert "2 sessions in 2 tasks" in run.out
    first, second = recorded.calls()
    folder = next((recorded.study.sessions / ".qxbatch" / "jobs").iterdir())
    array, end = folder / "round-1.0.sh", folder / "round-1.end.sh"
    assert (first, second) == {
        "PBS": (f"qsub {array}", f"qsub -W depend=afterany:101[].pbs.host {end}"),
        "LSF": ("bsub ", "bsub -w ended(101)"),
        "SGE": (f"qsub -terse {array}", f"qsub -terse -hold_jid 101 {end}"),
    }[recorded.name]
    if recorded.name == "LSF":
        assert (recorded.folder / "stdin").read_text() == end.read_text()


def test_tasks_that_are_not_in_the_queue_are_lost(recorded: Recorded) -> None:
    assert recorded.submit().status == 0
    recorded.calls()
    assert sorted(each["state"] for each in recorded.jobs()) == ["lost", "waiting"]
    [query] = recorded.calls()
    assert (
        query
        == {
            "PBS": "qstat -t",
            "LSF": "bjobs -u all -noheader -o jobid jobindex stat job_name:80",
            "SGE": "qstat -u * -g d",
        }[recorded.name]
    )


def test_an_empty_queue_is_an_answer_and_a_query_error_is_not(recorded: Recorded) -> None:
    assert recorded.submit().status == 0
    (recorded.folder / "queue").write_text("")
    assert [each["state"] for each in recorded.jobs()] == ["lost", "lost"]
    (recorded.folder / "down").touch()
    assert [(each["state"], each["unknown"]) for each in recorded.jobs()] == [("waiting", True)] * 2
    assert recorded.call("resume").status == 69


@pytest.mark.parametrize("name", sorted(SCHEDULERS))
@pytest.mark.parametrize(
    "commands",
    ["kill -9 $$", "exit 137", "echo No unfinished job found >&2; kill -9 $$"],
    ids=["killed", "killed below a shell", "killed after a message"],
)
def test_a_query_that_dies_is_no_answer(
    name: str, commands: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = SCHEDULERS[name]
    command = tmp_path / scheduler.query_command[0]
    command.write_text(f"#!/bin/bash\n{commands}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert not query_queue(scheduler, ["qxbatch-1"]).has_answered


def test_a_run_with_submitted_packets_only_writes_its_summary(recorded: Recorded) -> None:
    assert recorded.submit().status == 0
    (recorded.folder / "down").touch()  # so both packets count as waiting
    summary = recorded.folder / "summary.json"
    run = recorded.study.run(f"--scheduler={recorded.name}", f"--json-file={summary}", env=recorded.env)
    assert run.status == 75, run.text
    assert "Packets of 2 of 2 sessions are submitted already." in run.out
    assert json.loads(summary.read_text())["exit_status"] == 75


def test_resume_and_cancel_use_the_jobs_of_the_submission(recorded: Recorded) -> None:
    assert recorded.submit().status == 0
    recorded.calls()
    run = recorded.call("resume")
    assert run.status == 0, run.text
    assert "1 session in 1 task" in run.out
    submits = [call for call in recorded.calls() if call.startswith(("qsub", "bsub"))]
    assert len(submits) == 2
    assert recorded.call("cancel").status == 0
    cancels = [call for call in recorded.calls() if call.startswith(("qdel", "bkill"))]
    program, suffix = COMMANDS[recorded.name][2], "[].pbs.host" if recorded.name == "PBS" else ""
    assert cancels == [f"{program} 102{suffix}", f"{program} 101{suffix}"]


def test_packets_that_were_refused_together_are_not_resumed_one_by_one(recorded: Recorded) -> None:
    """A task sees only the packets of its units: it would import one of two packets of a session."""
    inbox = recorded.study.inbox
    write_folder(MrSeries(patient="P3").files(), inbox / "S1")
    for name, data in MrSeries(patient="P4").files().items():
        (inbox / f"{name}.dcm").write_bytes(data)
    assert recorded.submit().status == 0
    recorded.calls()
    (recorded.folder / "queue").write_text("")
    run = recorded.call("resume", "--failed")
    assert run.status == 0, run.text
    assert "Submitted" in run.out
    assert "not submitted again, since their packets are refused: IM0001.dcm, IM0002.dcm, IM0003.dcm, S1." in run.err
    [jobs] = (recorded.study.sessions / ".qxbatch" / "jobs").iterdir()
    assert (jobs / "round-2.tasks").read_text() == "0\n"
    (inbox / "S1.zip").unlink()
    run = recorded.call("resume", "--failed", f"--scheduler={recorded.name},minutes=9")
    assert (jobs / "round-3.tasks").read_text() == "0,4-5\n"
    task = run_command("worker", str(recorded.study.sessions), f"--submission={jobs.name}", "--task=3/0")
    assert task.status == 0, task.text
    assert recorded.study.session_names() == ["S1", "S2"]


def test_a_job_of_another_name_is_not_cancelled(recorded: Recorded) -> None:
    assert recorded.submit().status == 0
    recorded.calls()
    (recorded.folder / "name-101").write_text("years-of-work")
    run = recorded.call("cancel")
    assert run.status == 0, run.text
    assert "job 101" in run.text
    assert "is another one, years-of-work" in run.text
    assert "1 job cancelled." in run.out
    cancels = [call for call in recorded.calls() if call.startswith(("qdel", "bkill"))]
    assert [call.split()[1][:3] for call in cancels] == ["102"]


def test_a_job_whose_name_is_not_shown_is_not_cancelled(recorded: Recorded) -> None:
    assert recorded.submit().status == 0
    recorded.calls()
    for k in (101, 102):
        (recorded.folder / f"name-{k}").unlink()
    run = recorded.call("cancel")
    assert run.status == 69
    assert "no job 101" in run.text
    assert not [call for call in recorded.calls() if call.startswith(("qdel", "bkill"))]


def test_nothing_is_cancelled_while_the_queue_does_not_answer(recorded: Recorded) -> None:
    assert recorded.submit().status == 0
    recorded.calls()
    (recorded.folder / "down").touch()
    run = recorded.call("cancel")
    assert run.status == 69
    assert f"{recorded.name}: the queue does not answer: cannot connect to server" in run.text
    assert not [call for call in recorded.calls() if call.startswith(("qdel", "bkill"))]


def test_a_packet_is_lost_if_its_job_id_is_that_of_another_job(recorded: Recorded) -> None:
    assert recorded.submit().status == 0
    queue = recorded.folder / "queue"
    queue.write_text(re.sub(r"NAME1[0-9]\*?", "modelling", queue.read_text()))
    assert [each["state"] for each in recorded.jobs()] == ["lost", "lost"]
    run = recorded.call("cancel")
    assert (run.status, run.out) == (0, "No job waits or runs.\n")


def test_a_worker_called_as_in_the_script_imports_its_packet(recorded: Recorded) -> None:
    assert recorded.submit().status == 0
    folder = next((recorded.study.sessions / ".qxbatch" / "jobs").iterdir())
    run = run_command("worker", str(recorded.study.sessions), f"--submission={folder.name}", "--task=1/1")
    assert run.status == 0, run.text
    states = {each["packet"]: each["state"] for each in recorded.jobs()}
    assert sorted(states.values()) == ["done", "waiting"]
    second = run_command("worker", str(recorded.study.sessions), f"--submission={folder.name}", "--task=1/1")
    assert (second.status, second.out) == (0, "All packets of this task have results.\n")


def test_a_printed_script_calls_the_same_commands(recorded: Recorded) -> None:
    run = recorded.study.run(f"--scheduler={recorded.name},minutes=0.02", "--print-script", env=recorded.env)
    assert run.status == 0, run.text
    assert not (recorded.folder / "calls").exists()
    subprocess.run(["bash", "-c", run.out], check=True, env={**os.environ, **recorded.env}, timeout=60)
    calls = recorded.calls()
    assert len(calls) == 2
    assert {"PBS": "afterany:101[].pbs.host", "LSF": "ended(101)", "SGE": "-hold_jid 101"}[recorded.name] in calls[1]
    [jobs] = (recorded.study.sessions / ".qxbatch" / "jobs").glob("*/round-1.jobs")
    assert [line.split()[0] for line in jobs.read_text().splitlines()] == ["0", "end"]


def test_a_copy_of_a_study_takes_no_packets_of_the_original_and_cancels_none_of_its_jobs(
    recorded: Recorded, tmp_path: Path
) -> None:
    assert recorded.submit().status == 0
    original = snapshot(recorded.study.sessions)
    copy = tmp_path / "copy"
    shutil.copytree(recorded.study.sessions, copy)
    recorded.calls()
    cancelled = run_command("cancel", str(copy), env=recorded.env)
    assert cancelled.status == 69, cancelled.text
    (recorded.folder / "queue").write_text("")
    resumed = run_command("resume", str(copy), env=recorded.env)
    assert resumed.status == 64, resumed.text
    assert f"was made in {recorded.study.sessions}" in resumed.text
    submission = next((copy / ".qxbatch" / "jobs").iterdir()).name
    task = run_command("worker", str(copy), f"--submission={submission}", "--task=1/0", env=recorded.env)
    assert task.status == 64, task.text
    assert snapshot(recorded.study.sessions) == original
    assert not [call for call in recorded.calls() if call.startswith((*COMMANDS[recorded.name][::2],))]


@pytest.mark.parametrize("mode", [0, 0o444, None], ids=["closed", "not enterable", "unreachable"])
@pytest.mark.parametrize("command", ["resume", "cancel"])
def test_a_copy_of_a_study_is_refused_while_the_original_cannot_be_read(
    recorded: Recorded, tmp_path: Path, command: str, mode: int | None
) -> None:
    assert recorded.submit().status == 0
    copy = tmp_path / "copy"
    shutil.copytree(recorded.study.sessions, copy)
    recorded.calls()
    folder = recorded.study.sessions.parent
    if mode is not None:
        recorded.study.sessions.chmod(mode)
        run = unprivileged(command, str(copy), env={**os.environ, **recorded.env})
        recorded.study.sessions.chmod(0o755)
    else:
        folder.rename(tmp_path / "unreachable")
        folder.symlink_to(folder)  # each access is an error, as with a server that does not answer
        run = run_command(command, str(copy), env=recorded.env)
    assert run.status != 0, run.text
    assert "was made in a folder that cannot be read" in run.text
    calls = recorded.calls() if (recorded.folder / "calls").exists() else ()
    assert not [call for call in calls if call.startswith((*COMMANDS[recorded.name][::2],))]


def test_a_submission_of_a_study_that_was_moved_is_resumed_with_its_own_packets(
    recorded: Recorded, tmp_path: Path
) -> None:
    assert recorded.submit().status == 0
    (recorded.folder / "queue").write_text("")
    moved = recorded.study.sessions.rename(tmp_path / "moved")
    resumed = run_command("resume", str(moved), env=recorded.env)
    assert resumed.status == 0, resumed.text
    submission = next((moved / ".qxbatch" / "jobs").iterdir()).name
    for task in ("2/0", "2/1"):
        run = run_command("worker", str(moved), f"--submission={submission}", f"--task={task}", env=recorded.env)
        assert run.status == 0, run.text
    assert sorted(path.name for path in (moved / "archive" / "MR").iterdir()) == ["S1.zip", "S2.zip"]
    assert not recorded.study.sessions.exists()
