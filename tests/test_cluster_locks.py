"""Locks of jobs: one of a dead node is taken over when the scheduler says that its job has ended and it is not renewed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.cluster import job_locks as module
from qxbatch.cluster.job_locks import is_gone, job_id, job_locks
from qxbatch.cluster.queue import Queue
from qxbatch.cluster.schedulers import LSF, SLURM
from qxbatch.publish import beats
from qxbatch.publish.locks import Locks


def local(_descriptor: int, _operation: int) -> None:
    """Stand for a kernel's lock that other hosts do not see."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beats, "CONFIRM_SECONDS", 0.03)
    monkeypatch.setattr(beats, "LOOK_SECONDS", 0.01)


def of_node(folder: Path, boot: str, job: str, gone: Callable[[str], bool] | None = None) -> Locks:
    return Locks(folder, flock=local, boot=boot, job=job, gone=gone)


def test_the_lock_of_a_job_that_has_ended_is_taken_over_at_once(tmp_path: Path) -> None:
    dead = of_node(tmp_path, "one", "SLURM 7_1").take("session S1")
    asked: list[str] = []

    def gone(job: str) -> bool:
        asked.append(job)
        return True

    taken = of_node(tmp_path, "two", "SLURM 9_0", gone).take("session S1")
    assert dead is not None
    assert taken is not None
    assert asked == ["SLURM 7_1"]


def test_the_lock_of_a_job_that_runs_is_left_to_it(tmp_path: Path) -> None:
    assert of_node(tmp_path, "one", "SLURM 7_1").take("session S1") is not None
    assert of_node(tmp_path, "two", "SLURM 9_0", lambda _: False).take("session S1") is None


def test_a_lock_that_is_renewed_is_left_to_its_holder_whatever_the_scheduler_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beats, "CONFIRM_SECONDS", 60.0)
    held = of_node(tmp_path, "one", "SLURM 7_1").take("session S1")
    assert held is not None
    looks = []
    looked = beats.Beats._look

    def look(self: beats.Beats, wanted: Path) -> None:
        looked(self, wanted)
        looks.append(wanted)
        os.utime(held.descriptor)

    monkeypatch.setattr(beats.Beats, "_look", look)
    assert of_node(tmp_path, "two", "SLURM 9_0", lambda _: True).take("session S1") is None
    assert len(looks) > 1, "it looked more than once"


def test_a_requeued_job_takes_over_its_own_lock(tmp_path: Path) -> None:
    assert of_node(tmp_path, "one", "SLURM 7_1").take("session S1") is not None
    assert of_node(tmp_path, "two", "SLURM 7_1", lambda _: False).take("session S1") is not None


def test_a_run_without_a_job_asks_no_scheduler(tmp_path: Path) -> None:
    assert of_node(tmp_path, "one", "SLURM 7_1").take("session S1") is not None
    assert Locks(tmp_path, flock=local, boot="two").take("session S1") is None


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
    ids=["gone", "there", "whole array", "another task", "a queue that shows nothing", "no answer"],
)
def test_a_job_is_gone_only_where_the_queue_says_so(queue: Queue, gone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ask", lambda _scheduler, _names: queue)
    assert is_gone("SLURM 7_1") is gone
    assert is_gone("CONDOR 7_1") is False


def test_a_task_is_named_as_the_queue_names_it(tmp_path: Path) -> None:
    env = {"SLURM_ARRAY_JOB_ID": "7", "SLURM_JOB_ID": "8", "SLURM_ARRAY_TASK_ID": "1"}
    assert job_id(SLURM, env) == "7_1"
    assert job_id(SLURM, {"SLURM_JOB_ID": "8"}) == "8"
    assert job_id(LSF, {"LSB_JOBID": "5", "LSB_JOBINDEX": "3"}) == "5_3"
    assert job_id(SLURM, {}) == ""
    lock = job_locks(tmp_path, SLURM, "7_1").take("packet a, job SLURM 8_1")
    assert lock is not None
    assert b", job SLURM 7_1\npacket a" in lock.record
