"""The allocation of a task: CPUs, memory, and a disk of its node."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from qxbatch.cluster.schedulers import Scheduler
from qxbatch.settings.model import Settings

SCRATCH = ("SLURM_TMPDIR", "TMPDIR")
"""Variables that name a folder on a disk of the node."""
ROOM = 3
"""Free space that a work folder needs, in multiples of the size of the largest unit."""
USED = 0.9
"""Fraction of the memory that an import may use: the scheduler kills a task that exceeds its allocation."""
_UNLIMITED = 1 << 50
"""Bytes; a larger allocation is no limit."""


def within(
    settings: Settings, scheduler: Scheduler, largest: int, environment: Mapping[str, str] = os.environ
) -> Settings:
    """Return the settings of a run that stays within its allocation; `largest`: bytes of its largest unit."""
    cpus = min([settings.n_procs, *(_numbers(scheduler.cpus, environment))])
    memory = allocated_memory(scheduler, environment)
    bounds = [bound for bound in (settings.mem, None if memory is None else int(memory * USED)) if bound is not None]
    return replace(
        settings,
        n_procs=cpus,
        parelements=min(settings.parelements, cpus),
        mem=min(bounds) if bounds else None,
        work_dir=settings.work_dir or scratch(largest, environment),
    )


def allocated_memory(scheduler: Scheduler, environment: Mapping[str, str]) -> int | None:
    """Return the bytes of a task's allocation; None if it is unknown or has no limit."""
    for name, unit in scheduler.memory:
        for number in _numbers((name,), environment):
            return number * unit if number * unit < _UNLIMITED else None
    for number in _numbers(("SLURM_MEM_PER_CPU",), environment):
        cpus = _numbers(scheduler.cpus, environment) or [1]
        return (number << 20) * cpus[0]
    return None


def scratch(largest: int, environment: Mapping[str, str]) -> Path | None:
    """Return a folder on a disk of the node with space for a unit of `largest` bytes; None if there is none."""
    for name in SCRATCH:
        folder = environment.get(name, "")
        if not folder.startswith("/") or not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):  # noqa: PTH112
            continue
        if shutil.disk_usage(folder).free > ROOM * largest:
            return Path(folder)
    return None


def _numbers(names: tuple[str, ...], environment: Mapping[str, str]) -> list[int]:
    """Return the values of these variables that are numbers above 0."""
    texts = (environment.get(name, "") for name in names)
    return [int(text) for text in texts if text.isdecimal() and int(text) > 0]
