"""Processes from /proc: descendants of a process, and processes that work below a folder."""

import contextlib
import os
import signal
import time
from pathlib import Path


def _parents() -> dict[int, int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                # the name in brackets may contain anything; the state and the parent follow it
                parents[int(entry.name)] = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
    return parents


def descendants(pid: int) -> list[int]:
    """Return the descendants of a process, also those in another process group or session."""
    parents = _parents()
    result: list[int] = []
    pending = [pid]
    while pending:
        parent = pending.pop()
        children = [child for child, parent_of_child in parents.items() if parent_of_child == parent]
        result += children
        pending += children
    return result


def _state(pid: int) -> str:
    """Return a process's state as one letter (proc(5)); Z if it does not exist."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def kill_tree(pid: int) -> None:
    """Kill a process and its descendants; the process is stopped first, so that it starts no other one meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + 2
    # A process that started a child with vfork does not stop until the child executes its program.
    while _state(pid) not in "TtZ" and time.monotonic() < deadline:
        time.sleep(0.001)
    for process in (*descendants(pid), pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def at_work_below(folder: Path) -> list[str]:
    """Return `pid: command line` of the other processes with a HOME or a working folder below a folder, such as converters."""
    lines = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or entry.name == str(os.getpid()):
            continue
        with contextlib.suppress(OSError):
            home = [v for v in (entry / "environ").read_bytes().split(b"\0") if v.startswith(b"HOME=")]
            working_folder = os.readlink(entry / "cwd")  # noqa: PTH115 - may end in " (deleted)"
            if any(os.fsencode(folder) in value for value in home) or working_folder.startswith(f"{folder}/"):
                lines.append(f"{entry.name}: {(entry / 'cmdline').read_bytes()!r}")
    return lines
