"""Locks have one holder at a time; those of dead holders can be taken; no host name, pid or clock of another host is trusted."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.core import CancelledError
from qxbatch.publish import heartbeats
from qxbatch.publish import locks as module
from qxbatch.publish.locks import Lock, Locks


def local(_descriptor: int, _operation: int) -> None:
    """Simulate a lock that other hosts do not see, as on NFS with local_lock and Lustre with localflock."""


@pytest.fixture(params=["flock", "no flock", "two hosts", "two hosts, one without flock"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Locks, Locks]:
    """The locks of two runs in one folder."""
    folder = tmp_path / "locks"
    if request.param == "flock":
        return Locks(folder), Locks(folder)
    if request.param == "no flock":
        return Locks(folder, flock=None), Locks(folder, flock=None)
    return Locks(folder, flock=local, boot="one"), Locks(folder, flock=None if "without" in request.param else local)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the time that a run waits for the next heartbeat."""
    monkeypatch.setattr(heartbeats, "CONFIRM_SECONDS", 0.03)
    monkeypatch.setattr(heartbeats, "CHECK_SECONDS", 0.01)


def set_back(lock: Lock, seconds: float) -> None:
    """Set the time of a lock file back."""
    then = lock.path.stat().st_mtime - seconds
    os.utime(lock.path, (then, then))


def test_a_held_lock_cannot_be_taken_again(pair: tuple[Locks, Locks]) -> None:
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


def test_a_lock_appears_complete_on_a_file_system_without_hard_links(
    pair: tuple[Locks, Locks], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    one, other = pair
    held = one.take("x")
    assert held is not None
    monkeypatch.setattr(os.path, "lexists", lambda _: False)  # another lock appears after the check
    assert other.take("x") is None
    assert one.holds(held)
    monkeypatch.undo()
    one.release(held)
    assert list(one.folder.iterdir()) == []


def killed_holder(folder: Path, **more: str) -> None:
    """Take a lock in a process that kills itself."""
    options = ", ".join(f"{key}={value}" for key, value in more.items())
    code = (
        "import os; from pathlib import Path; from qxbatch.publish.locks import Locks\n"
        f"assert Locks(Path({str(folder)!r}), {options}).take('x'); print('held', flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (killed.returncode, killed.stdout) == (-9, "held\n"), killed.stderr


def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    killed_holder(tmp_path)
    assert Locks(tmp_path).take("x") is not None


@pytest.mark.usefixtures("quick")
def test_the_lock_of_a_process_killed_on_another_host_is_held_until_it_is_stale(tmp_path: Path) -> None:
    killed_holder(tmp_path, boot="'another'")
    assert Locks(tmp_path).take("x") is None
    (file,) = tmp_path.iterdir()
    os.utime(file, (time.time() - heartbeats.STALE_SECONDS - 5,) * 2)
    messages: list[str] = []
    assert Locks(tmp_path, notify=messages.append).take("x") is not None
    assert len(messages) == 1
    assert "another machine" in messages[0]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kernel", [None, local], ids=["none", "local"])
def test_a_lock_without_a_heartbeat_for_two_minutes_is_taken_over(tmp_path: Path, kernel: module.Flock | None) -> None:
    dead = Locks(tmp_path, flock=kernel, boot="one").take("x")
    assert dead is not None
    set_back(dead, heartbeats.STALE_SECONDS - 30)
    assert Locks(tmp_path, flock=kernel, boot="two").take("x") is None
    set_back(dead, 35)
    assert Locks(tmp_path, flock=kernel, boot="two").take("x") is not None


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("ahead", [-3600, 3600], ids=["behind", "ahead"])
def test_a_wrong_clock_takes_no_lock_from_a_live_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    one = Locks(tmp_path, flock=local, boot="one")
    held = one.take("x")
    assert held is not None
    set_back(held, -ahead)

    def renewed(_: str) -> None:
        set_back(held, -0.5)

    monkeypatch.setattr(module, "TRIES", 1)

    assert Locks(tmp_path, flock=local, boot="two", notify=renewed).take("x") is None
    assert one.holds(held)


@pytest.mark.usefixtures("quick")
def test_a_dead_run_with_a_clock_ahead_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = Locks(tmp_path, flock=local, boot="one").take("x")
    assert dead is not None
    set_back(dead, -(10**6))
    monkeypatch.setattr(heartbeats, "STALE_SECONDS", 0.06)
    assert Locks(tmp_path, flock=local, boot="two").take("x") is not None


@pytest.mark.usefixtures("quick")
def test_a_pause_of_the_observing_run_does_not_make_a_lock_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = Locks(tmp_path, flock=local, boot="one").take("x")
    assert dead is not None
    set_back(dead, 200)
    clock = iter((0.0, 1000.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    observer = heartbeats.Heartbeats(tmp_path)
    assert not observer.is_stale(dead.path, wait=False)
    assert not observer.is_stale(dead.path, wait=False), "this run was paused between the two checks"


def test_a_lock_that_cannot_be_read_is_not_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Locks(tmp_path, flock=local, boot="one").take("x")
    assert held is not None
    real_open = os.open

    def fail(path: Path, *arguments: int, **options: int) -> int:
        if path == held.path:
            raise OSError(errno.EMFILE, "Too many open files", str(path))
        return real_open(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fail)
        with pytest.raises(OSError, match="Too many open files"):
            heartbeats.Heartbeats(tmp_path).is_stale(held.path, wait=False)
    held.path.unlink()
    assert heartbeats.Heartbeats(tmp_path).is_stale(held.path, wait=False), "a missing file is no lock"


def test_an_interrupted_run_stops_waiting_for_a_lock(tmp_path: Path) -> None:
    dead = Locks(tmp_path, flock=local, boot="one").take("x")
    assert dead is not None
    set_back(dead, 200)
    other = Locks(tmp_path, flock=local, boot="two")
    other.interrupt()
    assert other.take("x") is None


def test_a_run_that_ends_does_not_wait_for_a_lock_that_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ENDING_WAIT_SECONDS", 0.0)
    held = Locks(tmp_path).take("archive")
    assert held is not None
    locks = Locks(tmp_path)
    locks.interrupt()
    with pytest.raises(CancelledError), locks.acquired("archive"):
        pytest.fail("it is held by another run")
    assert held.path.exists()


def test_a_fifo_in_place_of_a_lock_that_is_held_is_a_lost_lock(tmp_path: Path) -> None:
    locks = Locks(tmp_path)
    lock = locks.take("x")
    assert lock is not None
    lock.path.unlink()
    os.mkfifo(lock.path)
    assert not locks.holds(lock)
    locks.release(lock)
    assert lock.path.is_fifo()


@pytest.mark.parametrize("moment", ["before it is opened", "before it is removed"])
def test_a_fifo_that_replaces_a_lock_during_its_check_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    killed_holder(tmp_path)
    (path,) = tmp_path.iterdir()

    def exchange(*_: object) -> bool:
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        monkeypatch.undo()
        return True

    if moment == "before it is opened":
        lstat = Path.lstat

        def checked(self: Path) -> os.stat_result:
            status = lstat(self)
            if self == path:
                exchange()
            return status

        monkeypatch.setattr(Path, "lstat", checked)
    else:
        monkeypatch.setattr(Locks, "_is_of_this_kernel", exchange)
    locks = Locks(tmp_path)
    lock = locks.take("x")
    assert lock is not None
    assert locks.holds(lock)


@pytest.mark.usefixtures("quick")
def test_a_run_notices_that_its_lock_was_taken_over(tmp_path: Path) -> None:
    one, other = (Locks(tmp_path, flock=local, boot=boot) for boot in ("one", "two"))
    lost = one.take("x")
    assert lost is not None
    set_back(lost, 200)
    taken = other.take("x")
    assert taken is not None
    assert (one.holds(lost), other.holds(taken)) == (False, True)
    one.release(lost)
    assert other.holds(taken), "the lock of the other run is not removed"


def renewed_lock(lock: Lock) -> Callable[..., bool]:
    def judge(*_: object, **__: object) -> bool:
        os.utime(lock.path, ns=(1, 1))
        return True

    return judge


def exchanged_lock(lock: Lock) -> Callable[..., bool]:
    def judge(*_: object, **__: object) -> bool:
        lock.path.unlink()
        lock.path.write_bytes(b"of a third run")
        return True

    return judge


@pytest.mark.parametrize("meanwhile", [renewed_lock, exchanged_lock])
def test_only_the_lock_file_that_was_checked_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Lock], Callable[..., bool]]
) -> None:
    one, other = (Locks(tmp_path, flock=local, boot=boot) for boot in ("one", "two"))
    held = one.take("x")
    assert held is not None
    monkeypatch.setattr(heartbeats.Heartbeats, "is_stale", staticmethod(meanwhile(held)))
    monkeypatch.setattr(module, "TRIES", 1)
    assert other.take("x") is None
    assert [path.name for path in tmp_path.iterdir()] == [held.path.name], "the lock file is renamed back"
    assert one.holds(held) == (meanwhile is renewed_lock)


def test_a_sweep_removes_locks_of_killed_runs_of_this_kernel_only(tmp_path: Path) -> None:
    killed_holder(tmp_path)
    elsewhere = Locks(tmp_path, flock=local, boot="another").take("y")
    mine = Locks(tmp_path).take("z")
    assert elsewhere is not None
    assert mine is not None
    (tmp_path / f"{elsewhere.path.name}.0123456789abcdef").write_bytes(elsewhere.record)  # renamed by a live run
    Locks(tmp_path).sweep()
    assert {path.name[:32] for path in tmp_path.iterdir()} == {elsewhere.path.stem, mine.path.stem}
    assert len(list(tmp_path.iterdir())) == 3


def test_the_heartbeat_decides_about_a_lock_on_another_device_of_this_kernel(tmp_path: Path) -> None:
    killed_holder(tmp_path)
    (file,) = tmp_path.iterdir()
    device, _, remaining = file.read_bytes().partition(b"\n")
    file.write_bytes(device + b"9\n" + remaining)  # a second mount, with separate kernel locks
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


def test_a_sweep_removes_the_temporary_file_of_a_run_killed_before_writing(tmp_path: Path) -> None:
    (tmp_path / f"{'0' * 32}.lock.{'a' * 16}").touch()
    other = tmp_path / f"{'1' * 32}.lock"
    other.touch()
    Locks(tmp_path).sweep()
    assert list(tmp_path.iterdir()) == [other]


@pytest.mark.parametrize("kind", ["link", "broken link", "folder", "FIFO"])
def test_what_is_no_regular_file_does_not_block_a_lock(tmp_path: Path, kind: str) -> None:
    locks = Locks(tmp_path / "locks")
    lock = locks.take("x")
    assert lock is not None
    locks.release(lock)
    target = tmp_path / "other"
    target.write_text("of a user")
    lock.path.parent.mkdir(exist_ok=True)
    {
        "link": lambda: lock.path.symlink_to(target),
        "broken link": lambda: lock.path.symlink_to(tmp_path / "missing"),
        "folder": lock.path.mkdir,
        "FIFO": lambda: os.mkfifo(lock.path),
    }[kind]()
    again = locks.take("x")
    assert again is not None
    assert lock.path.is_file()
    assert target.read_text() == "of a user"
    locks.release(again)
    assert list(locks.folder.iterdir()) == []


def test_a_folder_with_content_in_place_of_a_lock_is_named(tmp_path: Path) -> None:
    locks = Locks(tmp_path / "locks")
    lock = locks.take("x")
    assert lock is not None
    locks.release(lock)
    (lock.path / "content").mkdir(parents=True)
    with pytest.raises(OSError, match=lock.path.name):
        locks.take("x")
    assert (lock.path / "content").is_dir()


def test_a_lock_that_a_sweep_holds_while_it_is_written_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it appeared without the kernel's lock, and another run could take it."""
    locks, answers = Locks(tmp_path), [False, True]
    monkeypatch.setattr(locks, "_try_flock", lambda descriptor: answers.pop(0) and Locks._try_flock(locks, descriptor))
    held = locks.take("x")
    assert held is not None
    assert Locks(tmp_path).take("x") is None
    assert [path.name for path in tmp_path.iterdir()] == [held.path.name]


def test_a_lock_that_appears_while_a_released_one_is_checked_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep opened the file of the released lock; the path has that of another run now."""
    first, second, sweeping = Locks(tmp_path), Locks(tmp_path), Locks(tmp_path)
    released = first.take("x")
    assert released is not None
    taken: list[Lock | None] = []

    def exchanged(descriptor: int) -> bool:
        if not taken:
            first.release(released)
            taken.append(second.take("x"))
        return Locks._try_flock(sweeping, descriptor)

    renamed: list[Path] = []
    monkeypatch.setattr(sweeping, "_try_flock", exchanged)
    monkeypatch.setattr(Path, "rename", lambda path, _target: renamed.append(path))
    sweeping.sweep()
    assert taken[0] is not None
    assert second.holds(taken[0])
    assert renamed == []
