"""A run of the command on a pseudo-terminal, and its screen."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyte

from qxbatch.convert import dcm2niix

TIME_LIMIT = 300.0
"""A run that takes longer has failed."""


class Terminal:
    """A run of `qxbatch` on a terminal with this many columns and rows. Use it in a `with` statement."""

    def __init__(
        self, *args: str, columns: int = 80, rows: int = 24, env: Mapping[str, str | None] | None = None
    ) -> None:
        """`env` changes the environment; None removes a variable."""
        self.screen = pyte.HistoryScreen(columns, rows, history=10_000)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        """All output written to the terminal."""
        self._master, slave = pty.openpty()
        self._set_size(columns, rows)
        changed = {"TERM": "xterm-256color", "LANG": "C.UTF-8", **dict.fromkeys(UNSET), **(env or {})}
        environment = {name: value for name, value in {**os.environ, **changed}.items() if value is not None}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qxbatch", *args],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            preexec_fn=_own_terminal,  # noqa: PLW1509 - short, and without locks of ours
        )
        os.close(slave)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)

    def until(self, condition: Callable[[str], bool]) -> str:
        """Wait until the text of the screen satisfies a condition; return the text. The process must not end before."""
        end = time.monotonic() + TIME_LIMIT
        while not condition(self.text):
            if not self._read(end):
                raise AssertionError(f"the screen never satisfied the condition:\n{self.all_text}")
        return self.text

    def wait(self) -> int:
        """Wait until the process ends; return its exit status."""
        end = time.monotonic() + TIME_LIMIT
        while self._read(end):
            pass
        return self.process.wait(timeout=TIME_LIMIT)

    def _read(self, end: float) -> bool:
        """Show the next output; return False at its end or after the time `end`."""
        if not select.select([self._master], [], [], max(0.0, end - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # the other end is closed
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)

    @property
    def rows(self) -> list[str]:
        """The rows of the screen, without trailing blanks."""
        return [row.rstrip() for row in self.screen.display]

    @property
    def text(self) -> str:
        """The screen as text."""
        return "\n".join(self.rows)

    @property
    def all_text(self) -> str:
        """The output that scrolled off the screen, and the screen."""
        rows = ["".join(row[k].data for k in range(self.screen.columns)) for row in self.screen.history.top]
        return "\n".join([*(row.rstrip() for row in rows), *self.rows])

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, like resizing a window."""
        self._set_size(columns, rows)
        self.screen.resize(rows, columns)
        self.process.send_signal(signal.SIGWINCH)

    def press_ctrl_c(self) -> None:
        """Write ^C to the terminal: its driver sends SIGINT to the process, and echoes it."""
        os.write(self._master, b"\x03")

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


UNSET = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "LC_ALL", "LC_CTYPE", "COLORTERM")
"""Variables about the terminal that the environment of the tests must not set."""


def _own_terminal() -> None:
    """Make standard input the controlling terminal of this process, so that ^C reaches the process."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Gate:
    """A converter that runs the real one after the gate was opened, and ends with status 1 if its caller was killed before."""

    def __init__(self, folder: Path, says: str = "") -> None:
        """The converter prints `says`, also to the terminal itself if it can open it."""
        folder.mkdir(exist_ok=True)
        real = dcm2niix.probe().location
        self._open = folder / "open"
        self.program = folder / "dcm2niix"
        speak = f"echo '{says}'; echo '{says}' >&2; (echo '{says}' > /dev/tty) 2> /dev/null" if says else ":"
        self.program.write_text(
            "#!/bin/sh\n"
            "if [ $# -gt 1 ]; then\n"
            f"    {speak}\n"
            f"    while ! [ -e '{self._open}' ]; do kill -0 $PPID || exit 1; sleep 0.02; done\n"
            "fi\n"
            f"exec '{real}' \"$@\"\n"
        )
        self.program.chmod(0o755)
        self.env = {"QXBATCH_DCM2NIIX": str(self.program)}

    def open(self) -> None:
        """Let all converters work."""
        self._open.touch()
