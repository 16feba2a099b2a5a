"""Converters that hang, crash, flood their log, fill the disk or leave child processes, as real processes."""

import errno
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from qxbatch.convert.converter import Command
from qxbatch.convert.judge import excerpt
from qxbatch.convert.run import NOT_STARTED, ProcessLimits, ProcessResult, run, size_on_disk
from qxbatch.core import CancelledError

LIMITS = ProcessLimits(seconds=20, output_bytes=1 << 30)


class Bench:
    """A folder to run shell scripts in."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.home = folder / "home"
        self.out.mkdir()
        self.home.mkdir()

    def run(self, script: str, limits: ProcessLimits = LIMITS, cancel: threading.Event | None = None) -> ProcessResult:
        """Run a shell script as a converter."""
        return run(Command(("/bin/sh", "-c", script)), self.out, self.home, limits, cancel or threading.Event())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return the folders of one conversion."""
    return Bench(tmp_path)


def is_alive(pid: int) -> bool:
    """Return whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_ended(pid: int) -> bool:
    """Wait at most 5 s for a process to end; return whether it ended."""
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def test_exit_status_and_both_output_streams_are_returned(bench: Bench) -> None:
    result = bench.run("echo one; echo two >&2; exit 8")
    assert (result.exit_status, result.stdout, result.stop_reason) == (8, "one\ntwo\n", "")


def test_a_hanging_converter_is_killed_with_all_its_children(bench: Bench) -> None:
    started = time.monotonic()
    result = bench.run("sleep 300 & echo $! > child; sleep 300", ProcessLimits(seconds=0.5, output_bytes=1 << 30))
    assert "longer than" in result.stop_reason
    assert time.monotonic() - started < 10
    assert wait_until_ended(int((bench.out / "child").read_text()))


def test_a_child_that_outlives_its_converter_is_killed_without_waiting(bench: Bench) -> None:
    started = time.monotonic()
    result = bench.run("sleep 300 & echo $! > child; exit 0")
    assert result.exit_status == 0
    assert result.stop_reason == ""
    assert time.monotonic() - started < 10
    assert wait_until_ended(int((bench.out / "child").read_text()))


def test_a_child_that_left_the_process_group_is_killed_too(bench: Bench) -> None:
    started = time.monotonic()
    result = bench.run("setsid sh -c 'echo $$ > child; exec sleep 300' & while [ ! -s child ]; do sleep 0.01; done")
    assert result.exit_status == 0
    assert time.monotonic() - started < 10
    assert wait_until_ended(int((bench.out / "child").read_text()))


def test_a_crash_returns_its_signal(bench: Bench) -> None:
    assert bench.run("kill -SEGV $$").exit_status == -11


def test_an_output_of_100_mb_is_shortened_in_the_middle(bench: Bench) -> None:
    result = bench.run(
        "echo first; yes abcdefg | head -c 100000000; echo; echo last", ProcessLimits(60, 1 << 30, log_bytes=1 << 16)
    )
    assert result.exit_status == 0
    assert len(result.stdout) < 1 << 17
    assert result.stdout.startswith("first\n")
    assert result.stdout.endswith("last\n")
    assert "bytes left out" in result.stdout
    lines = set(result.stdout.splitlines())
    assert {line for line in lines if line and "left out" not in line} == {"first", "abcdefg", "last"}, "no line is cut"


def test_bytes_that_are_not_utf_8_are_kept_for_the_search_for_names(bench: Bench) -> None:
    result = bench.run(r"printf 'M\374ller'")
    assert result.stdout.encode("utf-8", "surrogateescape") == b"M\xfcller"


def test_a_converter_that_fills_the_disk_is_stopped(bench: Bench) -> None:
    script = "while :; do head -c 1000000 /dev/zero >> big; done"
    result = bench.run(script, ProcessLimits(seconds=60, output_bytes=8 << 20))
    assert "wrote more than 8 MB" in result.stop_reason


def test_a_sparse_file_is_counted_by_its_size_on_disk(bench: Bench) -> None:
    with (bench.out / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert size_on_disk((bench.out,)) < 1 << 20


def test_cancelling_kills_the_converter_immediately(bench: Bench) -> None:
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(CancelledError):
        bench.run("echo $$ > pid; exec sleep 300", cancel=cancel)
    assert time.monotonic() - started < 10
    assert wait_until_ended(int((bench.out / "pid").read_text()))


def test_a_converter_has_its_own_home_and_temporary_folder_and_one_thread(bench: Bench) -> None:
    output = bench.run('echo "$HOME $TMPDIR $OMP_NUM_THREADS $MKL_NUM_THREADS"; pwd').stdout
    assert output == f"{bench.home} {bench.home} 1 1\n{bench.out}\n"


def test_a_converter_cannot_read_the_terminal(bench: Bench) -> None:
    assert bench.run("read answer || echo none").stdout == "none\n"


def test_a_program_that_cannot_be_started_is_returned_as_a_result(bench: Bench, tmp_path: Path) -> None:
    command = Command((str(tmp_path / "missing"), "x"))
    result = run(command, bench.out, bench.home, LIMITS, threading.Event())
    assert result.exit_status == NOT_STARTED
    assert "could not be started" in result.stop_reason


def test_a_failure_of_the_machine_raises_an_error(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess, "Popen", broken)
    with pytest.raises(BlockingIOError):
        run(Command(("x",)), bench.out, bench.home, LIMITS, threading.Event())


def test_a_converter_is_in_a_separate_process_group(bench: Bench) -> None:
    output = bench.run("cut -d' ' -f5 /proc/$$/stat").stdout
    assert int(output.split()[0]) != os.getpgrp()


def test_an_excerpt_of_a_log_ends_with_a_whole_word() -> None:
    text = excerpt(f"Error: {'word ' * 57}Zagarovanova")
    assert text == f"Error: {'word ' * 57}".strip() + "..."
