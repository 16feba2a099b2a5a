"""Faults of jobs on a real Slurm, and how `jobs`, `resume` and `cancel` handle them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qxbatch.pipeline.unit_locks import unit_lock_name
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from tests.build.terminal import Gate
from tests.cluster.submitted import SPEC, Submitted


@pytest.fixture
def gate(submitted: Submitted, tmp_path: Path) -> Gate:
    """Return a gate that stops the converters of all tasks until it is opened."""
    gate = Gate(tmp_path / "gate")
    submitted.env.update(gate.env)
    return gate


def all_running(states: dict[str, str]) -> bool:
    return set(states.values()) == {"running"}


def test_a_cancelled_task_is_lost_until_it_is_resumed(submitted: Submitted, gate: Gate) -> None:
    submitted.put(3)
    assert submitted.submit().status == 0
    submitted.until(all_running)
    submitted.slurm.call("scancel", submitted.slurm.running_tasks()[1])
    states = submitted.until(lambda states: "lost" in states.values())
    assert sorted(states.values()) == ["lost", "running", "running"]
    run = submitted.call("jobs")
    assert run.status == 1
    assert "its job ended without a result" in run.out
    assert f"qxbatch resume {submitted.study.sessions}" in run.out
    gate.open()
    submitted.slurm.wait_for_jobs()
    run = submitted.call("resume")
    assert run.status == 0, run.text
    assert "1 session in 1 task" in run.out
    submitted.slurm.wait_for_jobs()
    submitted.check()
    assert "There is nothing to resume." in submitted.call("resume").out


def test_cancel_ends_all_jobs_and_resume_imports_packets_without_a_result(submitted: Submitted, gate: Gate) -> None:
    submitted.put(3)
    assert submitted.submit(spec=f"{SPEC},throttle=2").status == 0
    submitted.until(lambda states: sorted(states.values()) == ["running", "running", "waiting"])
    run = submitted.call("cancel")
    assert run.status == 0, run.text
    assert "2 jobs cancelled." in run.out
    submitted.slurm.wait_for_jobs()
    assert set(submitted.states().values()) == {"lost"}
    assert "No job waits or runs." in submitted.call("cancel").out
    gate.open()
    run = submitted.call("resume", "--wait")
    assert run.status == 0, run.text
    submitted.check()


def test_packets_of_a_killed_node_are_imported_once(submitted: Submitted, gate: Gate) -> None:
    submitted.put(3)
    assert submitted.submit().status == 0
    submitted.until(all_running)
    nodes = submitted.slurm.call("squeue", "--noheader", "--states=running", "--format=%N").split()
    number = int(nodes[0].removeprefix("n"))
    submitted.slurm.kill_node(number)
    try:
        submitted.until(lambda states: set(states.values()) == {"waiting"})
    finally:
        gate.open()
        submitted.slurm.start_node(number)
        submitted.slurm.wait_for_nodes()
    submitted.slurm.wait_for_jobs()
    submitted.call("resume", "--wait")
    submitted.check()


def test_no_packet_is_lost_when_the_queue_does_not_answer(submitted: Submitted, gate: Gate) -> None:
    submitted.put(2)
    assert submitted.submit().status == 0
    submitted.until(all_running)
    submitted.slurm.stop_controller()
    try:
        jobs = submitted.jobs()
        assert [(each["state"], each["unknown"]) for each in jobs.values()] == [("running", True)] * 2
        assert "The queue does not answer" in submitted.call("jobs").out
        run = submitted.call("resume")
        assert run.status == 69, run.text
        assert "it is not known what was lost" in run.err
    finally:
        submitted.slurm.start_controller()
    gate.open()
    submitted.slurm.wait_for_nodes()
    submitted.slurm.wait_for_jobs()
    submitted.check()


def test_a_packet_stopped_before_the_time_limit_can_be_resumed(submitted: Submitted, gate: Gate) -> None:
    submitted.put(1)
    assert submitted.submit().status == 0
    submitted.until(all_running)
    submitted.slurm.call("scancel", "--batch", "--signal=TERM", submitted.slurm.running_tasks()[0])
    submitted.until(lambda states: set(states.values()) == {"lost"})
    assert "it was stopped before its end" in submitted.jobs()["S001.zip"]["reason"]
    assert "interrupted" in submitted.logs()
    assert not (submitted.study.sessions / ".qxbatch" / "work").exists()
    gate.open()
    run = submitted.call("resume", "--scheduler=SLURM,time=10", "--wait")
    assert run.status == 0, run.text
    submitted.check()


def test_a_task_waits_for_a_packet_that_a_task_is_still_releasing(submitted: Submitted) -> None:
    submitted.put(1)
    locks = Locks(Workspace(submitted.study.sessions).locks_folder)
    lock = locks.take(unit_lock_name("S001"))
    assert lock is not None
    assert submitted.submit().status == 0
    submitted.until(lambda states: states == {"S001.zip": "running"})
    time.sleep(1)
    assert submitted.states() == {"S001.zip": "running"}
    locks.release(lock)
    submitted.until(lambda states: states == {"S001.zip": "done"})
    submitted.slurm.wait_for_jobs()
    submitted.check()


def test_two_simultaneous_submissions_import_each_packet_once(submitted: Submitted) -> None:
    submitted.put(6)
    words = [sys.executable, "-m", "qxbatch", str(submitted.study.sessions), f"--scheduler={SPEC}"]
    processes = [
        subprocess.Popen(words, env={**os.environ, **submitted.env}, stdout=subprocess.PIPE, text=True) for _ in (1, 2)
    ]
    outputs = [each.communicate(timeout=100)[0] for each in processes]
    # 66: the jobs of one had imported all packets before the other one listed the inbox
    assert sorted(each.returncode for each in processes) in ([0, 66], [0, 75]), "\n----\n".join(outputs)
    submitted.slurm.wait_for_jobs()
    submitted.check()


def test_repaired_packets_are_imported_by_resume_failed(submitted: Submitted) -> None:
    submitted.put(1, bad=1)
    assert submitted.submit("--wait").status == 1
    submitted.check()
    assert "There is nothing to resume." in submitted.call("resume").out
    submitted.bad.clear()
    submitted.put(1, first=2)
    run = submitted.call("resume", "--failed", "--wait")
    assert run.status == 0, run.text
    submitted.check()


def test_an_import_without_a_scheduler_skips_sessions_imported_by_jobs(submitted: Submitted) -> None:
    submitted.put(2)
    assert submitted.submit("--wait").status == 0
    assert submitted.study.run().status == 66
    submitted.put(1, first=3)
    assert submitted.study.run().status == 0
    assert set(submitted.study.session_names()) == {"S001", "S002", "S003"}
