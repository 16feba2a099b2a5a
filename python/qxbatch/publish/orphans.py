"""Converters that outlived their run: only the run itself was killed, and they have a process group of their own."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

PATIENCE = 2.0
"""Seconds that killed processes may take to vanish."""


def end_orphans(homes: Sequence[Path]) -> None:
    """Kill processes of ours whose HOME lies below one of these folders, which only a converter's does."""
    marks = tuple(b"HOME=" + os.fsencode(home) + b"/" for home in homes)
    ended = [process for process in _processes() if _is_marked(process, marks) and _killed(process)]
    until = time.monotonic() + PATIENCE
    while ended and time.monotonic() < until:
        ended = [process for process in ended if _is_marked(process, marks)]
        time.sleep(0.01 * bool(ended))


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names, not paths
    except OSError:  # no such file system here
        return []


def _is_marked(process: int, marks: tuple[bytes, ...]) -> bool:
    try:
        values = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:  # another user's, or gone
        return False
    return any(value.startswith(marks) for value in values)


def _killed(process: int) -> bool:
    try:
        os.kill(process, signal.SIGKILL)
    except OSError:
        return False
    return True
