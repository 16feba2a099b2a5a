"""Files that the user names: a FIFO that no program writes to does not stop a run, and pipes of a shell can be read."""

import os
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pytest

from qxbatch import named_file
from qxbatch.named_file import read_file_or_pipe
from tests.build.study import Study

OPTIONS = ["--config={}", "--password-file={}", "--logfile=path:{}|packet_name:a|subject_id:b"]


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("option", OPTIONS)
def test_a_fifo_that_no_program_writes_to_is_a_usage_error(
    study: Study, fifo: Path, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.build.study.TIME_LIMIT", 60)
    study.put_bytes("S1.zip", b"")
    run = study.run(option.format(fifo))
    assert run.status == 64
    assert f"{fifo} cannot be read: no program writes to this FIFO." in " ".join(run.err.split())


def test_a_process_substitution_is_read_to_its_end(study: Study) -> None:
    program = """<(sleep 0.5; echo "archive = 'copy'"; sleep 0.1; echo "archve = 'copy'")"""
    call = f'"{sys.executable}" -m qxbatch "{study.sessions}" --config={program}'
    process = subprocess.run(["bash", "-c", call], capture_output=True, text=True, timeout=60, check=False)
    assert "names 'archve', which is not a parameter" in process.stderr


def test_a_program_that_opens_a_fifo_late_and_writes_later_is_waited_for(fifo: Path) -> None:
    def write() -> None:
        time.sleep(0.2)
        with fifo.open("w") as file:
            time.sleep(0.2)
            file.write("text")

    thread = threading.Thread(target=write)
    thread.start()
    assert read_file_or_pipe(fifo, 100) == b"text"
    thread.join()


def test_a_pipe_may_be_closed_already_and_empty() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"text")
    os.close(writer)
    path = Path(f"/dev/fd/{reader}")
    assert read_file_or_pipe(path, 100) == b"text"
    assert read_file_or_pipe(path, 100) == b""
    os.close(reader)


def test_the_largest_size_counts_for_a_fifo(fifo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named_file, "WRITER_SECONDS", 60)
    descriptor = os.open(fifo, os.O_RDWR)
    os.write(descriptor, b"four")
    with pytest.raises(OSError, match="has more than 3 bytes"):
        read_file_or_pipe(fifo, 3)
    os.close(descriptor)


def test_a_small_file_needs_little_memory(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"x" * 100)
    tracemalloc.start()
    try:
        assert read_file_or_pipe(tmp_path / "small", 1 << 26) == b"x" * 100
        assert tracemalloc.get_traced_memory()[1] < 8 << 20  # the peak in bytes
    finally:
        tracemalloc.stop()
