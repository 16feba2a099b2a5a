"""A second reader for files that look like DICOM but that the core could not parse: pydicom, in a separate process."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qxbatch.core import CancelledError, Header, Reading
from qxbatch.problems import Code, Problem, Severity

FILE_SECONDS = 10.0
"""Time limit for one file. A valid header takes milliseconds, the start of the reader half a second."""
MOST_FAILURES = 3
"""After the reader hung or died on this many files, the remaining files of the reading are skipped."""
_TICK = 0.1
"""Seconds between two checks of cancellation."""

IsCancelled = Callable[[], bool]
"""Returns whether the run is to stop."""


def read_unparsed_dicom(reading: Reading, subject: str, is_cancelled: IsCancelled) -> list[Problem]:
    """Read with pydicom each file that looks like DICOM, but whose header the core could not parse (`Reading.unparsed_dicom`).

    Files that pydicom can read join their series. Return one warning about them, or an empty list.

    Raises CancelledError, and OSError when the reader cannot be started.
    """
    rows = reading.unparsed_dicom()
    rows_read = []
    for row, values in zip(rows, _headers([reading.staged_path(row) for row in rows], is_cancelled), strict=False):
        if values is not None:
            rows_read.append(reading.row(row))
            reading.set_header(row, Header.from_values(values))
    if not rows_read:
        return []
    first, more = rows_read[0], f" and {len(rows_read) - 1} more" if len(rows_read) > 1 else ""
    message = f"pydicom read the header of {first.path}{more}: {first.reason}."
    return [Problem(Code.HEADER_FALLBACK, subject, message, "Look at the images.", severity=Severity.WARNING)]


def _headers(paths: list[str], is_cancelled: IsCancelled) -> Iterator[dict[str, str] | None]:
    """Yield the header fields of each file in order, None if the second reader cannot read them.

    A reader that hangs or dies on a file is replaced by a new one for the next file. After MOST_FAILURES such files, nothing is
    yielded for the remaining files.
    """
    waiting = list(paths)
    failures = 0
    while waiting and failures < MOST_FAILURES:
        with _reader() as process:
            while waiting:
                answer = _ask(process, waiting.pop(0), is_cancelled)
                yield json.loads(answer) if answer else None
                if not answer:
                    failures += 1
                    break


@contextmanager
def _reader() -> Iterator["subprocess.Popen[bytes]"]:
    """Start a second reader, and kill it at the end of the block."""
    command = [sys.executable, "-m", "qxbatch.ingest.second_reader"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _ask(process: "subprocess.Popen[bytes]", path: str, is_cancelled: IsCancelled) -> bytes:
    """Return the reader's answer line; empty if it hangs or ends. Raises CancelledError."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("the reader has pipes")
    answer = bytearray()
    deadline = time.monotonic() + FILE_SECONDS
    try:
        process.stdin.write(json.dumps(path).encode() + b"\n")
        process.stdin.flush()
    except OSError:
        return b""
    poll = select.poll()  # select() refuses the descriptors of a run with more than 1,024 open files
    poll.register(process.stdout, select.POLLIN)
    while time.monotonic() < deadline:
        if is_cancelled():
            raise CancelledError("stopped")
        if poll.poll(_TICK * 1000):
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            answer += chunk
            if not chunk:
                return b""
            if answer.endswith(b"\n"):
                return bytes(answer)
    return b""
