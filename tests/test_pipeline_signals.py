"""Signals that arrive at a critical moment."""

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import Future
from pathlib import Path

import pytest

from qxbatch.pipeline.signals import delayed_signals
from qxbatch.pipeline.waiting import wait_for
from tests.build.dicom import MrSeries
from tests.build.packets import under
from tests.build.study import Study, snapshot

SIGNAL_DURING_THREAD_START = """
import os, signal, sys, threading, time
from pathlib import Path
from qxbatch.cli.main import main

start = threading.Thread.start
staging = Path(sys.argv[1], ".qxbatch")
until = time.monotonic() + 40

def interrupted(thread):
    start(thread)
    if thread.name.startswith("ThreadPoolExecutor") and threading.current_thread() is threading.main_thread():
        # The thread reads the packet and then waits for a lock that the main thread holds here.
        while sum(name.endswith(".dcm") for _, _, names in os.walk(staging) for name in names) < 9:
            assert time.monotonic() < until, "the packet is not read within 40 s"
            time.sleep(0.01)
        print("a signal comes now", flush=True)
        signal.raise_signal(signal.SIGTERM)

threading.Thread.start = interrupted
sys.exit(main(sys.argv[1:]))
"""


def test_a_signal_during_a_thread_start_ends_the_run(study: Study, tmp_path: Path) -> None:
    series = [MrSeries(number=n, slices=3, time=f"10{n}000") for n in range(3, 6)]
    study.put("S1", {name: data for n, each in enumerate(series) for name, data in under(f"{n}", each.files()).items()})
    slow = tmp_path / "dcm2niix"
    slow.write_text(
        "#!/bin/sh\nif [ $# -eq 1 ]; then echo 'dcm2niiX version v1.0.20260724'; exit 3; fi\nexec sleep 60\n"
    )
    slow.chmod(0o755)
    command = [sys.executable, "-c", SIGNAL_DURING_THREAD_START, str(study.sessions), "--check=no"]
    env = {**os.environ, "QXBATCH_DCM2NIIX": str(slow)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, env=env)
    assert done.stdout.count("a signal comes now") == 1, done.stderr
    assert done.returncode == 130, done.stderr
    assert "interrupted" in done.stderr
    assert "internal error" not in done.stderr, "the pool must wait for its thread before other resources are closed"
    assert study.session_names() == []
    assert study.run().status == 0


def test_a_signal_is_raised_after_the_protected_block() -> None:
    done = []

    def work() -> None:
        with delayed_signals():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("complete")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["complete"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_signal_handlers_are_unchanged_in_another_thread() -> None:
    unchanged: list[bool] = []

    def work() -> None:
        with delayed_signals():
            unchanged.append(signal.getsignal(signal.SIGINT) is signal.default_int_handler)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert unchanged == [True]


def test_a_signal_is_not_raised_while_the_locks_of_futures_are_used() -> None:
    future: Future[None] = Future()

    def send_signal() -> None:
        while not future._waiters:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send_signal)
    thread.start()
    with pytest.raises(KeyboardInterrupt) as caught:
        wait_for([future])
    thread.join()
    files = {Path(frame.filename).name for frame in traceback.extract_tb(caught.tb)}
    assert files == {"test_pipeline_signals.py", "waiting.py", "contextlib.py", "signals.py"}


SIGNAL_DURING_RECOVERY = """
import os, signal, sys, time
from qxbatch.archive import session_bytes
from qxbatch.cli.main import main

ingest = session_bytes.ingest

def interrupted(*args, monitor, **options):
    print("a packet is read again", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    until = time.monotonic() + 20
    while not monitor.cancelled and time.monotonic() < until:
        time.sleep(0.01)
    return ingest(*args, monitor=monitor, **options)

session_bytes.ingest = interrupted
sys.exit(main(sys.argv[1:]))
"""


def test_a_signal_ends_a_recovery_that_reads_a_packet_again(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = study.put("S1", MrSeries(number=3).files())

    def killed(*_: object, **__: object) -> object:
        raise OSError(5, "killed here")

    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.pipeline.finish.archive_packets", killed)
        study.main("--archive=delete")
    assert study.session_names() == ["S1"]
    before = snapshot(packet)
    command = [sys.executable, "-c", SIGNAL_DURING_RECOVERY, str(study.sessions), "--archive=delete", "--check=no"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.stdout.count("a packet is read again") == 1, done.stdout + done.stderr
    assert done.returncode == 130, done.stderr
    assert "internal error" not in done.stdout + done.stderr
    assert snapshot(packet) == before, "the next run continues"
    assert study.main("--archive=delete", "--check=no").status == 0
    assert not packet.exists()
    assert not (study.sessions / ".qxbatch").exists()


SIGNAL_DURING_ARCHIVING = """
import qxbatch.pipeline.finish as finish_module

archive_packets = finish_module.archive_packets

def changed_meanwhile(journal, *args, **options):
    for entry in journal.packets:
        entry.packet.path.chmod(0o600)  # changes only the change time of the inode: the packet is read again
    return archive_packets(journal, *args, **options)

finish_module.archive_packets = changed_meanwhile
"""


def test_a_signal_ends_a_run_that_reads_a_packet_again_before_it_is_archived(study: Study) -> None:
    packet = study.put("S1", MrSeries(number=3).files())
    before = packet.read_bytes()
    script = SIGNAL_DURING_ARCHIVING + SIGNAL_DURING_RECOVERY
    command = [sys.executable, "-c", script, str(study.sessions), "--archive=delete", "--check=no"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.stdout.count("a packet is read again") == 1, done.stdout + done.stderr
    assert done.returncode == 130, done.stderr
    assert "internal error" not in done.stdout + done.stderr
    assert study.session_names() == ["S1"]
    assert packet.read_bytes() == before, "the next run continues"
    assert study.main("--archive=delete", "--check=no").status == 0
    assert not packet.exists()
    assert not (study.sessions / ".qxbatch").exists()
