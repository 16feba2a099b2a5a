"""Ends converters whose run was killed: they have a separate process group, so they may continue to work.

They are recognised by their variable HOME, a folder below the staging or scratch folder of their run. Its path contains the 16
digits of the run. Other studies have other digits, so their converters are not ended, even if containers with a common process
namespace mount both studies at the same path.
"""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from qxbatch.publish.scratch import scratch_name

PATIENCE = 2.0
"""Seconds."""


def end_orphans(unit: str, runs: Sequence[str]) -> None:
    """Kill the converters that these runs started for a unit; wait up to PATIENCE until they have disappeared."""
    marks = tuple(os.fsencode(f"{mark}/") for run in runs for mark in (f"/{unit}/{run}", f"/{scratch_name(unit, run)}"))
    if not marks:
        return
    killed = [process for process in _processes() if _is_marked(process, marks) and _killed(process)]
    until = time.monotonic() + PATIENCE
    while killed and time.monotonic() < until:
        killed = [process for process in killed if _is_marked(process, marks)]
        time.sleep(0.01 * bool(killed))


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names, not paths
    except OSError:  # /proc is not mounted
        return []


def _is_marked(process: int, marks: tuple[bytes, ...]) -> bool:
    try:
        values = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:  # it belongs to another user, or has ended
        return False
    homes = [value + b"/" for value in values if value.startswith(b"HOME=")]
    return any(mark in home for home in homes for mark in marks)


def _killed(process: int) -> bool:
    try:
        os.kill(process, signal.SIGKILL)
    except OSError:
        return False
    return True
