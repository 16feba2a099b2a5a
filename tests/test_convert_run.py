"""Converters that hang, crash, flood, fill the disk or leave children behind, each as a real process."""

import errno
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from qxbatch.convert.converter import Command
from qxbatch.convert.run import NOT_STARTED, Limits, Ran, run, written
from qxbatch.core import CancelledError

LIMITS = Limits(seconds=20, output=1 << 30)


class Bench:
    """A folder to run shell scripts in."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.home = folder / "home"
        self.out.mkdir()
        self.home.mkdir()

    def run(self, script: str, limits: Limits = LIMITS, cancel: threading.Event | None = None) -> Ran:
        """Run a shell script as a converter."""
        return run(Command(("/bin/sh", "-c", script)), self.out, self.home, limits, cancel or threading.Event())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return the folders of one conversion."""
    return Bench(tmp_path)


def alive(pid: int) -> bool:
    """Return whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    """Wait a while for a process to end."""
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def test_exit_status_and_both_streams_are_kept(bench: Bench) -> None:
    ran = bench.run("echo one; echo two >&2; exit 8")
    assert (ran.exit_status, ran.words, ran.stopped) == (8, "one\ntwo\n", "")


def test_a_hanging_converter_is_killed_with_all_its_children(bench: Bench) -> None:
    started = time.monotonic()
    ran = bench.run("sleep 300 & echo $! > child; sleep 300", Limits(seconds=0.5, output=1 << 30))
    assert "longer than" in ran.stopped
    assert time.monotonic() - started < 10
    assert gone(int((bench.out / "child").read_text()))


def test_a_child_that_outlives_its_converter_is_killed_and_not_waited_for(bench: Bench) -> None:
    started = time.monotonic()
    ran = bench.run("sleep 300 & echo $! > child; exit 0")
    assert ran.exit_status == 0
    assert ran.stopped == ""
    assert time.monotonic() - started < 10
    assert gone(int((bench.out / "child").read_text()))


def test_a_child_that_left_the_group_is_killed_too(bench: Bench) -> None:
    started = time.monotonic()
    ran = bench.run("setsid sh -c 'echo $$ > child; exec sleep 300' & while [ ! -s child ]; do sleep 0.01; done")
    assert ran.exit_status == 0
    assert time.monotonic() - started < 10
    assert gone(int((bench.out / "child").read_text()))


def test_a_crash_is_told_by_its_signal(bench: Bench) -> None:
    assert bench.run("kill -SEGV $$").exit_status == -11


def test_100_mb_of_words_leave_the_first_and_the_last_ones(bench: Bench) -> None:
    ran = bench.run("echo first; yes abcdefg | head -c 100000000; echo; echo last", Limits(60, 1 << 30, log=1 << 16))
    assert ran.exit_status == 0
    assert len(ran.words) < 1 << 17
    assert ran.words.startswith("first\n")
    assert ran.words.endswith("last\n")
    assert "bytes left out" in ran.words


def test_words_that_are_no_utf8_do_no_harm(bench: Bench) -> None:
    assert bench.run("printf 'a\\377b'").words == "a\N{REPLACEMENT CHARACTER}b"


def test_a_converter_that_fills_the_disk_is_stopped(bench: Bench) -> None:
    script = "while :; do head -c 1000000 /dev/zero >> big; done"
    ran = bench.run(script, Limits(seconds=60, output=8 << 20))
    assert "wrote more than 8 MB" in ran.stopped


def test_a_sparse_file_counts_by_what_it_takes_on_disk(bench: Bench) -> None:
    with (bench.out / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert written((bench.out,)) < 1 << 20


def test_cancelling_kills_the_converter_at_once(bench: Bench) -> None:
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(CancelledError):
        bench.run("echo $$ > pid; exec sleep 300", cancel=cancel)
    assert time.monotonic() - started < 10
    assert gone(int((bench.out / "pid").read_text()))


def test_home_and_temporary_folder_are_its_own_and_threads_are_one(bench: Bench) -> None:
    words = bench.run('echo "$HOME $TMPDIR $OMP_NUM_THREADS $MKL_NUM_THREADS"; pwd').words
    assert words == f"{bench.home} {bench.home} 1 1\n{bench.out}\n"


def test_it_cannot_read_the_terminal(bench: Bench) -> None:
    assert bench.run("read answer || echo none").words == "none\n"


def test_a_program_that_cannot_be_started_is_a_value(bench: Bench, tmp_path: Path) -> None:
    command = Command((str(tmp_path / "absent"), "x"))
    ran = run(command, bench.out, bench.home, LIMITS, threading.Event())
    assert ran.exit_status == NOT_STARTED
    assert "could not be started" in ran.stopped


def test_where_the_machine_is_at_fault_it_is_an_error(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess, "Popen", broken)
    with pytest.raises(BlockingIOError):
        run(Command(("x",)), bench.out, bench.home, LIMITS, threading.Event())


def test_it_is_no_member_of_our_process_group(bench: Bench) -> None:
    words = bench.run("cut -d' ' -f5 /proc/$$/stat").words
    assert int(words.split()[0]) != os.getpgrp()
