"""Locks: one holder at a time, a dead holder's lock is free, and no host, pid or clock of another host is trusted."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.publish import beats
from qxbatch.publish import locks as module
from qxbatch.publish.locks import Lock, Locks


def local(_descriptor: int, _operation: int) -> None:
    """Stand for a kernel's lock that other hosts do not see, as NFS has with local_lock and Lustre with localflock."""


@pytest.fixture(params=["flock", "none", "two hosts", "one host without"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Locks, Locks]:
    folder = tmp_path / "locks"
    if request.param == "flock":
        return Locks(folder), Locks(folder)
    if request.param == "none":
        return Locks(folder, flock=None), Locks(folder, flock=None)
    return Locks(folder, flock=local, boot="one"), Locks(folder, flock=None if "without" in request.param else local)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make looking for a sign of life short."""
    monkeypatch.setattr(beats, "CONFIRM_SECONDS", 0.03)
    monkeypatch.setattr(beats, "LOOK_SECONDS", 0.01)


def aged(lock: Lock, seconds: float) -> None:
    then = lock.path.stat().st_mtime - seconds
    os.utime(lock.path, (then, then))


def test_a_held_lock_is_not_given_twice(pair: tuple[Locks, Locks]) -> None:
    for one, other in (pair, pair[::-1]):
        held = one.take("session OP3")
        assert held is not None
        assert other.take("session OP3") is None
        assert one.holds(held)
        one.release(held)
        again = other.take("session OP3")
        assert again is not None
        other.release(again)


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


def test_a_lock_appears_complete_where_the_file_system_has_no_links(
    pair: tuple[Locks, Locks], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    one, other = pair
    held = one.take("x")
    assert held is not None
    monkeypatch.setattr(os.path, "lexists", lambda _: False)  # another one appears after it was looked for
    assert other.take("x") is None
    assert one.holds(held)
    monkeypatch.undo()
    one.release(held)
    assert list(one.folder.iterdir()) == []


def killed_holder(folder: Path, **more: str) -> None:
    """Take a lock in a process that is killed."""
    options = ", ".join(f"{key}={value}" for key, value in more.items())
    code = (
        "import os; from pathlib import Path; from qxbatch.publish.locks import Locks\n"
        f"assert Locks(Path({str(folder)!r}), {options}).take('x'); print('held', flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (killed.returncode, killed.stdout) == (-9, "held\n"), killed.stderr


def test_a_killed_process_frees_its_lock_at_once(tmp_path: Path) -> None:
    killed_holder(tmp_path)
    assert Locks(tmp_path).take("x") is not None


@pytest.mark.usefixtures("quick")
def test_a_process_killed_on_another_host_holds_until_its_lock_is_stale(tmp_path: Path) -> None:
    killed_holder(tmp_path, boot="'another'")
    assert Locks(tmp_path).take("x") is None
    (file,) = tmp_path.iterdir()
    os.utime(file, (time.time() - beats.STALE_SECONDS - 5,) * 2)
    told: list[str] = []
    assert Locks(tmp_path, tell=told.append).take("x") is not None
    assert len(told) == 1
    assert "another machine" in told[0]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kernel", [None, local], ids=["none", "local"])
def test_a_heartbeat_that_stopped_two_minutes_ago_is_taken_over(tmp_path: Path, kernel: module.Flock | None) -> None:
    dead = Locks(tmp_path, flock=kernel, boot="one").take("x")
    assert dead is not None
    aged(dead, beats.STALE_SECONDS - 30)
    assert Locks(tmp_path, flock=kernel, boot="two").take("x") is None
    aged(dead, 35)
    assert Locks(tmp_path, flock=kernel, boot="two").take("x") is not None


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("ahead", [-3600, 3600], ids=["behind", "ahead"])
def test_a_clock_that_is_wrong_on_its_host_takes_no_lock_from_a_live_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    one = Locks(tmp_path, flock=local, boot="one")
    held = one.take("x")
    assert held is not None
    aged(held, -ahead)

    def renewed(_: str) -> None:
        aged(held, -0.5)

    monkeypatch.setattr(module, "SWEEPS", 1)

    assert Locks(tmp_path, flock=local, boot="two", tell=renewed).take("x") is None
    assert one.holds(held)


@pytest.mark.usefixtures("quick")
def test_a_dead_run_whose_clock_was_ahead_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = Locks(tmp_path, flock=local, boot="one").take("x")
    assert dead is not None
    aged(dead, -(10**6))
    monkeypatch.setattr(beats, "STALE_SECONDS", 0.06)
    assert Locks(tmp_path, flock=local, boot="two").take("x") is not None


@pytest.mark.usefixtures("quick")
def test_a_pause_in_looking_is_no_sign_of_death(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = Locks(tmp_path, flock=local, boot="one").take("x")
    assert dead is not None
    aged(dead, 200)
    clock = iter((0.0, 1000.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    looking = beats.Beats(tmp_path)
    assert not looking.is_stale(dead.path, wait=False)
    assert not looking.is_stale(dead.path, wait=False), "this run was stopped between the two looks"


def test_waiting_for_a_lock_ends_with_the_run(tmp_path: Path) -> None:
    dead = Locks(tmp_path, flock=local, boot="one").take("x")
    assert dead is not None
    aged(dead, 200)
    other = Locks(tmp_path, flock=local, boot="two")
    other.interrupt()
    assert other.take("x") is None


@pytest.mark.usefixtures("quick")
def test_a_run_finds_that_its_lock_was_taken_over(tmp_path: Path) -> None:
    one, other = (Locks(tmp_path, flock=local, boot=boot) for boot in ("one", "two"))
    lost = one.take("x")
    assert lost is not None
    aged(lost, 200)
    taken = other.take("x")
    assert taken is not None
    assert (one.holds(lost), other.holds(taken)) == (False, True)
    one.release(lost)
    assert other.holds(taken), "what is not ours is not removed"


def renewing(lock: Lock) -> Callable[..., bool]:
    def judge(*_: object, **__: object) -> bool:
        os.utime(lock.path, ns=(1, 1))
        return True

    return judge


def exchanged(lock: Lock) -> Callable[..., bool]:
    def judge(*_: object, **__: object) -> bool:
        lock.path.unlink()
        lock.path.write_bytes(b"of a third run")
        return True

    return judge


@pytest.mark.parametrize("meanwhile", [renewing, exchanged])
def test_only_the_file_that_was_judged_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Lock], Callable[..., bool]]
) -> None:
    one, other = (Locks(tmp_path, flock=local, boot=boot) for boot in ("one", "two"))
    held = one.take("x")
    assert held is not None
    monkeypatch.setattr(beats.Beats, "is_stale", staticmethod(meanwhile(held)))
    monkeypatch.setattr(module, "SWEEPS", 1)
    assert other.take("x") is None
    assert [path.name for path in tmp_path.iterdir()] == [held.path.name], "it was renamed back"
    assert one.holds(held) == (meanwhile is renewing)


def test_a_sweep_removes_what_killed_runs_of_this_kernel_left_and_nothing_of_other_hosts(tmp_path: Path) -> None:
    killed_holder(tmp_path)
    elsewhere = Locks(tmp_path, flock=local, boot="another").take("y")
    mine = Locks(tmp_path).take("z")
    assert elsewhere is not None
    assert mine is not None
    (tmp_path / f"{elsewhere.path.name}.0123456789abcdef").write_bytes(elsewhere.record)  # renamed aside by a live run
    Locks(tmp_path).sweep()
    assert {path.name[:32] for path in tmp_path.iterdir()} == {elsewhere.path.stem, mine.path.stem}
    assert len(list(tmp_path.iterdir())) == 3


def test_a_lock_on_another_device_of_this_kernel_is_judged_by_its_heartbeat(tmp_path: Path) -> None:
    killed_holder(tmp_path)
    (file,) = tmp_path.iterdir()
    place, _, rest = file.read_bytes().partition(b"\n")
    file.write_bytes(place + b"9\n" + rest)  # mounted twice, each with kernel's locks of its own
    assert Locks(tmp_path).take("x") is None


def test_a_held_lock_is_renewed(pair: tuple[Locks, Locks], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.02)
    locks, _ = pair
    held = locks.take("x")
    assert held is not None
    os.utime(held.path, (1, 1))
    deadline = time.monotonic() + 10
    while held.path.stat().st_mtime == 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert held.path.stat().st_mtime > 1
    locks.close()


def test_a_sweep_removes_what_a_run_was_killed_before_it_wrote(tmp_path: Path) -> None:
    (tmp_path / f"{'0' * 32}.lock.{'a' * 16}").touch()
    other = tmp_path / f"{'1' * 32}.lock"
    other.touch()
    Locks(tmp_path).sweep()
    assert list(tmp_path.iterdir()) == [other]
