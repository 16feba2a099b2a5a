"""Locks: one holder at a time, a dead holder's lock is free, and no host or pid is trusted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qxbatch.publish import locks as module
from qxbatch.publish.locks import Locks


@pytest.fixture(params=[True, False], ids=["flock", "heartbeat"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Locks, Locks]:
    return Locks(tmp_path / "locks", flock=request.param), Locks(tmp_path / "locks", flock=request.param)


def test_a_held_lock_is_not_given_twice(pair: tuple[Locks, Locks]) -> None:
    one, other = pair
    held = one.take("session OP3")
    assert held is not None
    assert other.take("session OP3") is None
    one.release(held)
    again = other.take("session OP3")
    assert again is not None


def test_locks_of_different_names_are_independent(pair: tuple[Locks, Locks]) -> None:
    one, other = pair
    assert one.take("session OP3") is not None
    assert other.take("session OP4") is not None


def test_a_released_lock_leaves_no_file(pair: tuple[Locks, Locks]) -> None:
    one, _ = pair
    lock = one.take("packet \udcff.zip")
    assert lock is not None
    one.release(lock)
    assert list(one.folder.iterdir()) == []


def test_a_killed_process_frees_its_lock(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from qxbatch.publish.locks import Locks\n"
        f"assert Locks(Path({str(tmp_path)!r})).take('x'); print('held', flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (killed.returncode, killed.stdout) == (-9, "held\n")
    assert Locks(tmp_path).take("x") is not None


def test_a_heartbeat_that_stopped_two_minutes_ago_is_taken_over(tmp_path: Path) -> None:
    dead = Locks(tmp_path, flock=False).take("x")
    assert dead is not None
    age = dead.path.stat().st_mtime
    os.utime(dead.path, (age - module.STALE_SECONDS + 30,) * 2)
    assert Locks(tmp_path, flock=False).take("x") is None
    os.utime(dead.path, (age - module.STALE_SECONDS - 5,) * 2)
    assert Locks(tmp_path, flock=False).take("x") is not None


def test_a_held_heartbeat_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setattr(module, "RENEW_SECONDS", 0.02)
    locks = Locks(tmp_path, flock=False)
    held = locks.take("x")
    assert held is not None
    os.utime(held.path, (1, 1))
    deadline = time.monotonic() + 10
    while held.path.stat().st_mtime == 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert held.path.stat().st_mtime > 1
    locks.close()
