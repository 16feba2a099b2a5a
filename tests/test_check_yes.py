"""`--check=yes` asks on a terminal, and only there."""

import os
import subprocess
import sys
import time

import pytest

from tests.build.dicom import MrSeries
from tests.build.study import TIME_LIMIT, Study, snapshot


def answered(study: Study, answer: bytes) -> tuple[int, str]:
    """Run with a terminal at which somebody answers once the question stands there."""
    ours, theirs = os.openpty()
    words = [sys.executable, "-m", "qxbatch", str(study.sessions), "--check=yes"]
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown, end = b"", time.monotonic() + TIME_LIMIT
        while time.monotonic() < end:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # Linux: the other end is closed
                break
            shown += piece
            if b"[y/N]" in piece:
                os.write(ours, answer)
        status = process.wait(TIME_LIMIT)
    os.close(ours)
    return status, shown.decode()


@pytest.fixture
def waiting(study: Study) -> Study:
    study.put("S1", MrSeries().files())
    return study


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"\x04"], ids=["no", "nothing", "end of input"])
def test_no_is_no_failure_and_does_nothing(waiting: Study, answer: bytes) -> None:
    before = snapshot(waiting.sessions)
    status, shown = answered(waiting, answer)
    assert status == 0, shown
    assert "Import 1 packet?" in shown
    assert snapshot(waiting.sessions) == before


def test_yes_imports(waiting: Study) -> None:
    status, shown = answered(waiting, b"y\n")
    assert status == 0, shown
    assert waiting.session_names() == ["S1"]


def test_without_a_terminal_it_is_wrong_usage(waiting: Study) -> None:
    run = waiting.run("--check=yes")
    assert run.status == 64
    assert "--check=any" in run.text
