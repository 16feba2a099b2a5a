"""Ends converters whose run was killed: they have a separate process group, so they may continue to work.

They are recognised by their variable HOME, a folder below the staging or scratch folder of their run. Its path contains the 16
digits of the run. Other studies have other digits, so their converters are not ended, even if containers with a common process
namespace mount both studies at the same path. A copy of a study can contain the staging, and so the digits, of a run on the
original: a converter with a HOME in another sessions folder, or in a scratch folder that a live run uses, is not ended.
"""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from qxbatch.discover.own_names import WORKSPACE
from qxbatch.publish.scratch import is_in_use, scratch_name

WAIT_SECONDS = 2.0
"""Seconds to wait until killed converters have disappeared."""


def end_orphans(unit: str, runs: Sequence[str], sessionsfolder: Path) -> None:
    """Kill the converters that these runs started for a unit; wait up to WAIT_SECONDS until they have disappeared.

    `unit` is the session id of the packets that were imported together; `runs` are the digits of the runs.
    """
    marks = tuple(os.fsencode(f"{mark}/") for run in runs for mark in (f"/{unit}/{run}", f"/{scratch_name(unit, run)}"))
    if not marks:
        return
    orphans = [
        process
        for process in _processes()
        if any(_can_be_orphaned(home, sessionsfolder) for home in _homes(process, marks))
    ]
    remaining = [process for process in orphans if _kill(process)]
    until = time.monotonic() + WAIT_SECONDS
    while remaining and time.monotonic() < until:
        remaining = [process for process in remaining if _homes(process, marks)]
        time.sleep(0.01 * bool(remaining))


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names, not paths
    except OSError:  # /proc is not mounted
        return []


def _homes(process: int, marks: tuple[bytes, ...]) -> list[Path]:
    """Return the values of HOME in the environment of a process that contain one of `marks`, which are parts of paths."""
    try:
        values = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:  # it belongs to another user, or has ended
        return []
    homes = (value.removeprefix(b"HOME=") for value in values if value.startswith(b"HOME="))
    return [Path(os.fsdecode(home)) for home in homes if any(mark in home + b"/" for mark in marks)]


def _can_be_orphaned(home: Path, sessionsfolder: Path) -> bool:
    """Return whether HOME can be of a dead run on this study; True if it is in another mount namespace and cannot be seen."""
    if any(is_in_use(folder) for folder in (home, *home.parents)):
        return False
    other = next((folder.parent for folder in home.parents if folder.name == WORKSPACE), None)
    try:
        return other is None or other.samefile(sessionsfolder)
    except OSError:
        return True


def _kill(process: int) -> bool:
    """Kill a process; return False if it has ended, or belongs to another user."""
    try:
        os.kill(process, signal.SIGKILL)
    except OSError:
        return False
    return True
