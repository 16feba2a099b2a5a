"""Processes from /proc: children at any depth, and leftover ones that work below a folder."""

import contextlib
import os
import signal
import time
from pathlib import Path


def _parents() -> dict[int, int]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                # the name in brackets may contain anything; the state and the parent follow it
                found[int(entry.name)] = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
    return found


def descendants(pid: int) -> list[int]:
    """Return all processes below one, in whatever session."""
    parents = _parents()
    found: list[int] = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        children = [child for child, its in parents.items() if its == parent]
        found += children
        waiting += children
    return found


def _state(pid: int) -> str:
    """Return a process's state as one letter (proc(5)); Z if it does not exist."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def kill_tree(pid: int) -> None:
    """SIGKILL a process and all below it: they are stopped first, so that none starts another one meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    until = time.monotonic() + 2
    while (
        _state(pid) not in "TtZ" and time.monotonic() < until
    ):  # it waits for a child that is about to execute another program
        time.sleep(0.001)
    for process in (*descendants(pid), pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def at_work_below(folder: Path) -> list[str]:
    """Return the processes that have a folder below this one as their HOME or working folder: orphaned converters."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or entry.name == str(os.getpid()):
            continue
        with contextlib.suppress(OSError):
            home = [v for v in (entry / "environ").read_bytes().split(b"\0") if v.startswith(b"HOME=")]
            place = os.readlink(entry / "cwd")  # noqa: PTH115 - may end in " (deleted)"
            if any(os.fsencode(folder) in value for value in home) or place.startswith(f"{folder}/"):
                found.append(f"{entry.name}: {(entry / 'cmdline').read_bytes()!r}")
    return found
