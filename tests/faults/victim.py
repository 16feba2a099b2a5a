"""The command, with a fault at one of its own steps: python -m tests.faults.victim STEP OUT [arguments of qxbatch].

A step is a call that changes or opens something below the folder named by QXBATCH_FAULT_BELOW. STEP `count` writes what
was called to OUT. Just before step n, `KILL@n` kills the whole process tree with SIGKILL, `alone@n` the process itself
and leaves its children behind, `INT@n` and `TERM@n` send that signal, `EIO@n` makes the step fail (and writes what was
called, too), and `FULL@n` lets nothing more be written from there on. In place of n, a word means the first step that
holds it.
"""

import contextlib
import errno
import os
import re
import signal
import sys
import threading
from pathlib import Path

from tests.faults.processes import descendants

WATCHED = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.utime")
GROWING = ("open", "os.mkdir", "os.link", "os.symlink")
"""What a full disk refuses; names can be changed and taken away."""
RUN = re.compile(r"(\.qxbatch/work/[^/ ]+)/[0-9a-f]{16}(?=/| |$)")
"""A run's own staging folder is told without the run's name, which nobody knows before."""
START = "start"
"""What the start of a process is told as."""
BELOW = "QXBATCH_FAULT_BELOW"


class Steps:
    """Counts the steps of all threads, and does the deed at one of them."""

    def __init__(self, step: str, out: str) -> None:
        self.below = os.environ[BELOW]
        self.deed, _, number = step.rpartition("@")
        self.at = int(number) if number.isdecimal() else 0
        self.word = "" if number.isdecimal() or not self.deed else number
        self.out = out
        self.count = 0
        self.lines: list[str] = []
        self.lock = threading.Lock()

    def hook(self, event: str, args: tuple[object, ...]) -> None:
        """See every audited call of the interpreter."""
        if event == "subprocess.Popen":
            told = START
        elif event in WATCHED and self._is_step(event, args):
            told = " ".join([event, *(os.fsdecode(text) for text in args[:2] if isinstance(text, str | bytes))])
            told = RUN.sub(r"\1", told)
        else:
            return
        with self.lock:
            self.count += 1
            self.lines.append(told)
            if self.word and self.word in told:
                self.at, self.word = self.count, ""
            if self.deed == "FULL" and self.at and self.count >= self.at and event in GROWING:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), told)
            if self.count == self.at:
                self._do(told)

    def _is_step(self, event: str, args: tuple[object, ...]) -> bool:
        if not args or not isinstance(args[0], str | bytes):
            return False
        if not os.fsdecode(args[0]).startswith(self.below):
            return False
        return event != "open" or bool(isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))

    def _do(self, told: str) -> None:
        if self.deed == "EIO":
            raise OSError(errno.EIO, os.strerror(errno.EIO), told)
        if self.deed == "FULL":
            return
        if self.deed in ("INT", "TERM"):
            os.kill(os.getpid(), getattr(signal, f"SIG{self.deed}"))
            return
        if self.deed != "alone":
            for process in descendants(os.getpid()):
                with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
                    os.kill(process, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    def write(self) -> None:
        """Write the steps that were seen."""
        Path(self.out).write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8", errors="replace")


def main(step: str, out: str, argv: list[str]) -> int:
    """Run the command under watch."""
    from qxbatch.cli.main import main as command

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell makes what it runs in the background deaf to it
    steps = Steps(step, out)
    sys.addaudithook(steps.hook)
    try:
        return command(argv)
    finally:
        if step == "count" or steps.deed == "EIO":
            steps.write()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
