"""The command, with a fault at one of its steps: python -m tests.faults.victim FAULT OUT [arguments of qxbatch].

A step is a call that changes something below the folder in QXBATCH_FAULT_BELOW, opens a file there for writing, or starts a
process. The fault `count` only writes the steps to OUT. Right before step n, `KILL@n` kills the whole process tree with
SIGKILL, `alone@n` only the process itself and not its children, `INT@n` and `TERM@n` send that signal, `EIO@n` makes the step
fail (and writes the steps to OUT at the end), and `FULL@n` makes each call of GROWING from there on fail. A text in place of
n means the first step that contains it.
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
FOLDERS = {
    "os.rename": (2, 3),
    "os.link": (2, 3),
    "os.symlink": (None, 2),
    "os.remove": (1,),
    "os.rmdir": (1,),
    "os.mkdir": (2,),
    "os.chmod": (2,),
    "os.utime": (3,),
}
"""Indices of arguments of an audited call: the descriptors of the folders of its first and of its second path."""
GROWING = ("open", "os.mkdir", "os.link", "os.symlink")
"""Calls that a full disk refuses; files can still be renamed and removed. Writing to an open file is not audited."""
RUN = re.compile(r"(\.qxbatch/work/[^/ ]+)/[0-9a-f]{16}(?=/| |$)")
"""The staging folder of a run is written without the name of the run, which is random."""
DESCRIPTOR = re.compile("/proc/self/fd/[0-9]+")
START = "start"
"""The step that starts a process."""
BELOW = "QXBATCH_FAULT_BELOW"
"""Environment variable with the folder whose changes are steps."""


class Steps:
    """Counts the steps of all threads, and injects the fault at one of them."""

    def __init__(self, fault: str, out: str) -> None:
        self.below = os.environ[BELOW]
        self.fault, _, number = fault.rpartition("@")
        self.at = int(number) if number.isdecimal() else 0
        self.word = "" if number.isdecimal() or not self.fault else number
        self.out = out
        self.count = 0
        self.lines: list[str] = []
        self.lock = threading.Lock()

    def hook(self, event: str, args: tuple[object, ...]) -> None:
        """Receive every audited call of the interpreter."""
        if event == "subprocess.Popen":
            step = START
        elif event in WATCHED and self._is_step(event, args):
            step = RUN.sub(r"\1", " ".join([event, *_paths(event, args)]))
        else:
            return
        with self.lock:
            self.count += 1
            self.lines.append(step)
            if self.word and self.word in step:
                self.at, self.word = self.count, ""
            if self.fault == "FULL" and self.at and self.count >= self.at and event in GROWING:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), step)
            if self.count == self.at:
                self._inject(step)

    def _is_step(self, event: str, args: tuple[object, ...]) -> bool:
        if not args or not isinstance(args[0], str | bytes):
            return False
        if not _paths(event, args)[0].startswith(self.below):
            return False
        return event != "open" or bool(isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))

    def _inject(self, step: str) -> None:
        if self.fault == "EIO":
            raise OSError(errno.EIO, os.strerror(errno.EIO), step)
        if self.fault == "FULL":
            return
        if self.fault in ("INT", "TERM"):
            os.kill(os.getpid(), getattr(signal, f"SIG{self.fault}"))
            return
        if self.fault != "alone":
            for process in descendants(os.getpid()):
                with contextlib.suppress(ProcessLookupError):  # it may have ended already
                    os.kill(process, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    def write(self) -> None:
        """Write the recorded steps."""
        Path(self.out).write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8", errors="replace")


def _paths(event: str, args: tuple[object, ...]) -> list[str]:
    """Return the paths of a call; the path of an open folder replaces its descriptor."""
    folder_indices = (*FOLDERS.get(event, ()), None, None)
    paths = []
    for text, index in zip(args[:2], folder_indices, strict=False):
        if isinstance(text, str | bytes):
            folder = -1 if index is None else args[index]
            is_open = isinstance(folder, int) and folder >= 0
            paths.append(_resolved(f"/proc/self/fd/{folder}/{os.fsdecode(text)}" if is_open else text))
    return paths


def _resolved(path: str | bytes) -> str:
    """Return a path; that of an open folder replaces its descriptor."""
    name = os.fsdecode(path)
    found = DESCRIPTOR.match(name)
    return name if found is None else f"{Path(found[0]).readlink()}{name.removeprefix(found[0])}"


def main(fault: str, out: str, argv: list[str]) -> int:
    """Run the command with a fault; return its exit status."""
    from qxbatch.cli.main import main as command

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell makes background programs ignore it
    steps = Steps(fault, out)
    sys.addaudithook(steps.hook)
    try:
        return command(argv)
    finally:
        if fault == "count" or steps.fault == "EIO":
            steps.write()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
