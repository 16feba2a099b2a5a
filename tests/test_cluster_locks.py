"""The lock of a job on a dead node is taken over if its job has ended and the lock is not renewed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.cluster import job_locks as module
from qxbatch.cluster.job_locks import is_gone, job_id, job_locks
from qxbatch.cluster.queue import Queue
from qxbatch.cluster.schedulers import LSF, SLURM
from qxbatch.publish import heartbeats
from qxbatch.publish.locks import Lock, Locks


def invisible_flock(_descriptor: int, _operation: int) -> None:
    """Replace flock by a lock that other hosts do not see."""


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "CONFIRM_SECONDS", 0.03)
    monkeypatch.setattr(heartbeats, "CHECK_SECONDS", 0.01)


def locks_of_node(folder: Path, boot: str, job: str, has_ended: Callable[[str], bool] | None = None) -> Locks:
    return Locks(folder, flock=invisible_flock, boot=boot, job=job, has_ended=has_ended)


def test_the_lock_of_a_job_that_has_ended_is_taken_over_at_once(tmp_path: Path) -> None:
    dead = locks_of_node(tmp_path, "one", "SLURM 7_1").take("session S1")
    queried: list[str] = []

    def has_ended(job: str) -> bool:
        queried.append(job)
        return True

    taken = locks_of_node(tmp_path, "two", "SLURM 9_0", has_ended).take("session S1")
    assert dead is not None
    assert taken is not None
    assert queried == ["SLURM 7_1"]


def test_the_lock_of_a_running_job_is_kept(tmp_path: Path) -> None:
    assert locks_of_node(tmp_path, "one", "SLURM 7_1").take("session S1") is not None
    assert locks_of_node(tmp_path, "two", "SLURM 9_0", lambda _: False).take("session S1") is None


def test_a_lock_that_is_renewed_is_kept_even_if_the_scheduler_says_that_the_job_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeats, "CONFIRM_SECONDS", 60.0)
    lock = locks_of_node(tmp_path, "one", "SLURM 7_1").take("session S1")
    assert lock is not None
    checks = []
    original_check = heartbeats.Heartbeats._check_all

    def check_and_renew(self: heartbeats.Heartbeats, wanted: Path) -> None:
        original_check(self, wanted)
        checks.append(wanted)
        os.utime(lock.descriptor)

    monkeypatch.setattr(heartbeats.Heartbeats, "_check_all", check_and_renew)
    assert locks_of_node(tmp_path, "two", "SLURM 9_0", lambda _: True).take("session S1") is None
    assert len(checks) > 1, "the lock must be checked more than once"


def test_a_requeued_job_takes_over_its_own_lock(tmp_path: Path) -> None:
    assert locks_of_node(tmp_path, "one", "SLURM 7_1").take("session S1") is not None
    assert locks_of_node(tmp_path, "two", "SLURM 7_1", lambda _: False).take("session S1") is not None


def test_a_run_without_a_job_does_not_ask_the_scheduler(tmp_path: Path) -> None:
    assert locks_of_node(tmp_path, "one", "SLURM 7_1").take("session S1") is not None
    assert Locks(tmp_path, flock=invisible_flock, boot="two").take("session S1") is None


@pytest.mark.parametrize(
    ("queue", "gone"),
    [
        (Queue(True, frozenset({("9", 0)})), True),
        (Queue(True, frozenset({("7", 1), ("9", 0)})), False),
        (Queue(True, frozenset({("7", None)})), False),
        (Queue(True, frozenset({("7", 2)})), True),
        (Queue(True, frozenset()), False),
        (Queue(False, reason="down"), False),
    ],
    ids=["ended", "running", "whole array", "another task", "empty queue", "no answer"],
)
def test_a_job_has_ended_only_if_the_queue_shows_other_jobs(
    queue: Queue, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "query_queue", lambda _scheduler, _names: queue)
    assert is_gone("SLURM 7_1") is gone
    assert is_gone("CONDOR 7_1") is False


@pytest.mark.parametrize(
    ("job", "gone"), [("7[].pbs_server_1", False), ("7[].pbs_server_2", True), ("8.pbs_server", False)]
)
def test_the_server_in_the_id_of_a_job_can_contain_an_underscore(
    job: str, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Queue(True, frozenset({("7", 1), ("8", None)}))
    monkeypatch.setattr(module, "query_queue", lambda _scheduler, _names: queue)
    assert is_gone(f"PBS {job}") is gone


def test_the_id_of_a_task_is_that_of_the_queue(tmp_path: Path) -> None:
    env = {"SLURM_ARRAY_JOB_ID": "7", "SLURM_JOB_ID": "8", "SLURM_ARRAY_TASK_ID": "1"}
    assert job_id(SLURM, env) == "7_1"
    assert job_id(SLURM, {"SLURM_JOB_ID": "8"}) == "8"
    assert job_id(LSF, {"LSB_JOBID": "5", "LSB_JOBINDEX": "3"}) == "5_3"
    assert job_id(SLURM, {}) == ""
    lock = job_locks(tmp_path, SLURM, "7_1").take("packet a, job SLURM 8_1")
    assert lock is not None
    assert b", job SLURM 7_1\npacket a" in lock.record


@pytest.mark.parametrize("is_released", [True, False])
def test_a_task_waits_some_time_for_a_lock(is_released: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 60.0 if is_released else 0.3)
    holder = Locks(tmp_path)
    held = holder.take("session S1")
    assert held is not None
    original_try = Locks.take
    tries: list[str] = []

    def take_and_release(self: Locks, name: str) -> Lock | None:
        lock = original_try(self, name)
        tries.append(name)
        if is_released and len(tries) == 1:
            holder.release(held)
        return lock

    monkeypatch.setattr(Locks, "take", take_and_release)
    assert (job_locks(tmp_path, SLURM, "7_1").take("session S1") is not None) is is_released
    assert len(tries) > 1


def test_a_task_that_is_stopped_does_not_wait_for_a_lock(tmp_path: Path) -> None:
    assert Locks(tmp_path).take("session S1") is not None
    locks = job_locks(tmp_path, SLURM, "7_1")
    locks.interrupt()
    assert locks.take("session S1") is None
