"""`--check=yes` asks a question on a terminal and is refused elsewhere."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from tests.build.dicom import MrSeries
from tests.build.study import TIME_LIMIT, Study, snapshot


def run_with_answer(study: Study, answer: bytes, *words: str, stdout: IO[bytes] | None = None) -> tuple[int, str]:
    """Run a command, by default an import, on a pseudo-terminal and answer the question; return exit status and output.

    `stdout` is its standard output, by default the terminal.
    """
    controller, terminal = os.openpty()
    command = [sys.executable, "-m", "qxbatch", *(words or (str(study.sessions),)), "--check=yes"]
    with subprocess.Popen(command, stdin=terminal, stdout=stdout or terminal, stderr=terminal) as process:
        os.close(terminal)
        output, end = b"", time.monotonic() + TIME_LIMIT
        while time.monotonic() < end:
            try:
                chunk = os.read(controller, 4096)
            except OSError:  # Linux: the other end is closed
                break
            output += chunk
            if b"[y/N]" in chunk:
                os.write(controller, answer)
        status = process.wait(TIME_LIMIT)
    os.close(controller)
    return status, output.decode()


@pytest.fixture
def waiting(study: Study) -> Study:
    study.put("S1", MrSeries().files())
    return study


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"\x04"], ids=["no", "empty line", "end of input"])
def test_the_answer_no_changes_nothing_and_exits_with_0(waiting: Study, answer: bytes) -> None:
    before = snapshot(waiting.sessions)
    status, output = run_with_answer(waiting, answer)
    assert status == 0, output
    assert "Import 1 packet?" in output
    assert snapshot(waiting.sessions) == before


def test_the_answer_yes_imports_the_packet(waiting: Study) -> None:
    status, output = run_with_answer(waiting, b"y\n")
    assert status == 0, output
    assert waiting.session_names() == ["S1"]


def test_the_question_is_on_the_terminal_if_the_output_is_a_file(waiting: Study, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        status, output = run_with_answer(waiting, b"y\n", stdout=file)
    assert (status, waiting.session_names()) == (0, ["S1"])
    assert "Import 1 packet?" in output


@pytest.mark.parametrize("command", ["sort", "convert"])
def test_the_question_of_a_command_on_sessions_counts_sessions(waiting: Study, command: str) -> None:
    assert waiting.main("--archive=copy").status == 0
    status, output = run_with_answer(waiting, b"n\n", command, str(waiting.session("S1")), "--overwrite=yes")
    assert status == 0, output
    assert f"{command.capitalize()} 1 session?" in output


def test_the_question_without_a_terminal_is_wrong_usage(waiting: Study) -> None:
    run = waiting.run("--check=yes")
    assert run.status == 64
    assert "--check=any" in run.text
