"""The allocation of a task: CPUs, memory, and a disk of its node."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from qxbatch.cluster.schedulers import Scheduler
from qxbatch.settings.model import Settings

SCRATCH_VARIABLES = ("SLURM_TMPDIR", "TMPDIR")
"""Variables that name a folder on a disk of the node."""
FREE_SPACE_FACTOR = 3
"""Free space that a work folder needs, in multiples of the size of the largest unit (the packets of one session)."""
MEMORY_FRACTION = 0.9
"""Fraction of the allocated memory that an import may use: the scheduler kills a task that exceeds its allocation."""
_UNLIMITED = 1 << 50
"""An allocation of this many bytes or more is no limit."""


def limited_to_allocation(
    settings: Settings, scheduler: Scheduler, largest_unit_size: int, environment: Mapping[str, str] = os.environ
) -> Settings:
    """Return the settings of a run that stays within its allocation, and works on a disk of its node if that has enough space.

    A work folder that the settings name is not changed. `largest_unit_size` is the size of the largest unit in bytes.
    """
    cpus = min([settings.n_procs, *(_positive_values(scheduler.cpu_variables, environment))])
    memory = allocated_memory(scheduler, environment)
    bounds = [
        bound
        for bound in (settings.mem, None if memory is None else int(memory * MEMORY_FRACTION))
        if bound is not None
    ]
    return replace(
        settings,
        n_procs=cpus,
        parelements=min(settings.parelements, cpus),
        mem=min(bounds) if bounds else None,
        work_dir=settings.work_dir or scratch_folder(largest_unit_size, environment),
    )


def allocated_memory(scheduler: Scheduler, environment: Mapping[str, str]) -> int | None:
    """Return the bytes of a task's allocation; None if it is unknown or has no limit."""
    for name, unit in scheduler.memory_variables:
        for number in _positive_values((name,), environment):
            return number * unit if number * unit < _UNLIMITED else None
    for number in _positive_values(("SLURM_MEM_PER_CPU",), environment):
        cpus = _positive_values(scheduler.cpu_variables, environment) or [1]
        return (number << 20) * cpus[0]
    return None


def scratch_folder(largest_unit_size: int, environment: Mapping[str, str]) -> Path | None:
    """Return a folder on a disk of the node that has space to import a unit of that size in bytes; None if there is none."""
    for name in SCRATCH_VARIABLES:
        folder = environment.get(name, "")
        if not folder.startswith("/") or not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):  # noqa: PTH112
            continue
        if shutil.disk_usage(folder).free > FREE_SPACE_FACTOR * largest_unit_size:
            return Path(folder)
    return None


def _positive_values(names: tuple[str, ...], environment: Mapping[str, str]) -> list[int]:
    """Return the values of these variables that are numbers above 0."""
    texts = (environment.get(name, "") for name in names)
    return [int(text) for text in texts if text.isdecimal() and int(text) > 0]
