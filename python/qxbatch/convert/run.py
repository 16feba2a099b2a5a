"""Runs one converter in a process group with a separate HOME, and with limits on its time, its log and its output."""

import errno
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from qxbatch.convert.converter import Command
from qxbatch.core import CancelledError
from qxbatch.open_files import restore_open_file_limit
from qxbatch.os_error import error_text

POLL_SECONDS = 0.1
"""Seconds between two checks of cancellation, time and size."""

_THREADS = ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMEXPR_NUM", "VECLIB_MAXIMUM")
ONE_THREAD = {f"{name}_THREADS": "1" for name in _THREADS}
"""One thread for each converter. Otherwise the converters that run at once could use more threads than `--n-procs` allows."""


class Cancel(Protocol):
    """Tells a conversion that the run is to stop: a threading.Event, or a similar object."""

    def is_set(self) -> bool:
        """Return whether the run is to stop."""


def raise_if_cancelled(cancel: Cancel | None) -> None:
    """Raise CancelledError if the run is to stop; None is never cancelled."""
    if cancel is not None and cancel.is_set():
        raise CancelledError


class ProcessLimits(NamedTuple):
    """Limits on one process of a converter."""

    seconds: float
    """Limit on its running time."""
    output_bytes: int
    """Limit on the bytes on disk in its output folder and its HOME."""
    log_bytes: int = 1 << 20
    """How many printed bytes are kept: half of them from the start, half from the end."""


class ProcessResult(NamedTuple):
    """The result of a process."""

    exit_status: int
    """-k: killed by signal k; NOT_STARTED if there was no process."""
    stdout: str
    """What it printed to stdout and stderr; the middle is left out if it is too long. Bytes that are not UTF-8 are surrogates
    (surrogateescape)."""
    stop_reason: str = ""
    """Why qxbatch killed it, or why it was not started; empty if it ended by itself."""
    seconds: float = 0.0
    """How long it ran."""


MACHINE_ERRNOS = frozenset(
    (
        errno.EIO,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.ENOMEM,
        errno.EAGAIN,
        errno.EMFILE,
        errno.ENFILE,
        errno.ESTALE,
    )
)
"""Errors of the machine, not of the data: the same conversion may succeed later."""
NOT_STARTED = -1000
"""In place of the exit status of a process that was never started."""
_OUTPUT_SECONDS = 0.5
"""Seconds to wait for the remaining output once all processes have ended."""


class _BoundedOutput:
    """The start and the end of what a process prints: at most `keep / 2` bytes each."""

    def __init__(self, keep: int) -> None:
        self.half = max(1, keep // 2)
        self.head = bytearray()
        self.tail = bytearray()
        self.cut_bytes = 0

    def add(self, data: bytes) -> None:
        room = self.half - len(self.head)
        self.head += data[:room]
        self.tail += data[max(0, room) :]
        if len(self.tail) > 2 * self.half:
            self._trim()

    def _trim(self) -> None:
        over = max(0, len(self.tail) - self.half)
        self.cut_bytes += over
        del self.tail[:over]

    def text(self) -> str:
        """Return the text. If its middle is left out, the cut lines are left out too: a cut name could not be redacted."""
        self._trim()
        head, tail = bytes(self.head), bytes(self.tail)
        gap = b""
        if self.cut_bytes:
            head, tail = head[: head.rfind(b"\n") + 1] or head, tail.partition(b"\n")[2] or tail
            cut = self.cut_bytes + len(self.head) - len(head) + len(self.tail) - len(tail)
            gap = f"\n... {cut} bytes left out ...\n".encode()
        return (head + gap + tail).decode("utf-8", "surrogateescape")


def environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the converter's environment: that of qxbatch with a separate HOME and temporary folder, plain locale, one thread."""
    private = {name: str(home) for name in ("HOME", "TMPDIR", "TMP", "TEMP", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    return {**os.environ, "LC_ALL": "C.UTF-8", **ONE_THREAD, **private, **extra}


def run(command: Command, out: Path, home: Path, limits: ProcessLimits, cancel: Cancel) -> ProcessResult:
    """Run a converter in `out` until it ends or exceeds a limit.

    Then kill its process group. If its output is still open in a process that left the group, kill all processes with this HOME.
    Raises CancelledError when `cancel` is set meanwhile, and OSError if an error of MACHINE_ERRNOS prevents the start, or if the
    converter exceeds the machine's limit on the size of a file (SIGXFSZ).
    """
    start_time = time.monotonic()
    output = _BoundedOutput(limits.log_bytes)
    try:
        process = subprocess.Popen(
            command.argv,
            cwd=out,
            env=environment(home, command.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in MACHINE_ERRNOS:
            raise
        return ProcessResult(NOT_STARTED, f"{error_text(error)}\n", f"it could not be started: {error_text(error)}")
    restore_open_file_limit(process.pid)
    reader = threading.Thread(target=_read_output, args=(process.stdout, output), daemon=True)
    try:
        reader.start()
        stop_reason = _watch(process, (out, home), limits, cancel, start_time)
    finally:
        _kill_group(process)
        if reader.ident is not None:  # it was started
            reader.join(timeout=_OUTPUT_SECONDS)
        if reader.is_alive():  # a process that left the group still has the pipe open
            _kill_strays(home)
            reader.join(timeout=5)
    if cancel.is_set():
        raise CancelledError
    if process.returncode == -signal.SIGXFSZ:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(out))
    return ProcessResult(process.returncode, output.text(), stop_reason, time.monotonic() - start_time)


def _read_output(pipe: IO[bytes] | None, output: _BoundedOutput) -> None:
    if pipe is None:
        return
    with pipe:
        while data := os.read(pipe.fileno(), 1 << 16):
            output.add(data)


def _watch(
    process: subprocess.Popen[bytes],
    folders: tuple[Path, ...],
    limits: ProcessLimits,
    cancel: Cancel,
    start_time: float,
) -> str:
    """Wait until a process ends or must be killed; return the reason to kill it, else an empty text.

    An ended process is not reaped, so that its group can still be killed by number.
    """
    with _ProcessEnd(process.pid) as process_end:
        while not process_end.wait(POLL_SECONDS):
            if cancel.is_set():
                return "the run was stopped"
            if time.monotonic() - start_time > limits.seconds:
                return f"it took longer than {limits.seconds:.0f} s"
            if size_on_disk(folders) > limits.output_bytes:
                return f"it wrote more than {limits.output_bytes >> 20} MB"
    return ""


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the remaining processes of the group (also children that outlived a converter), then reap the leader."""
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
    process.wait()


def _kill_strays(home: Path) -> None:
    """Kill processes that left the group: no other process on the machine has this HOME."""
    mark = os.fsencode(f"HOME={home}")
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:  # another user's, or ended
            continue


def size_on_disk(folders: tuple[Path, ...]) -> int:
    """Return the bytes that the files below some folders occupy on disk; files that vanish meanwhile are ignored."""
    total = 0
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                try:
                    status = Path(parent, name).lstat()
                except OSError:
                    continue
                total += min(status.st_size, status.st_blocks * 512)
    return total


class _ProcessEnd:
    """Waits for a child's end with a process descriptor if the kernel supports it, else by polling."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self.descriptor = os.pidfd_open(pid)
        except (OSError, AttributeError):
            self.descriptor = -1

    def __enter__(self) -> "_ProcessEnd":
        return self

    def __exit__(self, *_: object) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)

    def wait(self, seconds: float) -> bool:
        """Return whether the child ended; wait for its end at most this many seconds."""
        if self.descriptor >= 0:
            poll = select.poll()
            poll.register(self.descriptor, select.POLLIN)
            return bool(poll.poll(seconds * 1000))
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if os.waitid(os.P_PID, self.pid, options) is not None:
            return True
        time.sleep(seconds / 4)
        return os.waitid(os.P_PID, self.pid, options) is not None
