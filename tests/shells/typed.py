"""Types a line into an interactive shell, presses Tab, and returns the output."""

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
INSTALLED = REPOSITORY / "installed" / "data" / "share"
LIMIT = 60
PROMPT = "PROMPT>"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07|[\x07\x08\r]")


def program(name: str) -> str:
    """Return the path of a program; skip the test if it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed: it is not tested")
    return path


def typed(command: Sequence[str], set_up: str, line: str, *, folder: Path, env: Mapping[str, str]) -> str:
    """Start an interactive shell in a folder, type a line and two tabs, and return its output."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        size = {"COLUMNS": "200", "LINES": "200"}
        os.execvpe(command[0], list(command), {**os.environ, **size, "TERM": "xterm", "PS1": PROMPT, **env})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 200, 0, 0))
    try:
        # The echo of these lines contains no READY and no END, only their output does.
        os.write(terminal, f"{set_up}\necho REA''DY\n".encode())
        _until(terminal, re.compile(f"READY.*{PROMPT}", re.DOTALL))
        os.write(terminal, f"{line}\t\t\x15echo EN''D\n".encode())
        return _until(terminal, re.compile("END"))
    finally:
        os.close(terminal)
        os.waitpid(child, 0)


def _until(terminal: int, mark: re.Pattern[str]) -> str:
    output, end = b"", time.monotonic() + LIMIT
    while not mark.search(CONTROL.sub("", output.decode(errors="replace"))):
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        assert ready, f"no {mark.pattern} within {LIMIT} s: {output!r}"
        output += os.read(terminal, 65536)
    return CONTROL.sub("", output.decode(errors="replace"))
