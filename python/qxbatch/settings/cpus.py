"""The number of CPUs that this process may use, which may be fewer than the machine has."""

import os
from collections.abc import Mapping
from pathlib import Path

MAX_PROCESSES = 1024
"""A larger --n-procs counts as this: more threads only wait for each other, and starting tens of thousands takes minutes."""


def usable_cpus(
    environment: Mapping[str, str] = os.environ,
    proc: Path = Path("/proc"),
    cgroups: Path = Path("/sys/fs/cgroup"),
) -> int:
    """Return the smaller of `granted_cpus` and SLURM_CPUS_PER_TASK; at least 1."""
    slurm = environment.get("SLURM_CPUS_PER_TASK", "")
    limit = granted_cpus(proc, cgroups)
    return max(1, min(limit, int(slurm))) if slurm.isdecimal() else limit


def granted_cpus(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many CPUs the kernel grants: the smallest of the affinity and the limits of cgroups (v2 and v1); at least 1."""
    return max(1, min([_affinity(), *_cgroup_limits(proc, cgroups)]))


def _affinity() -> int:
    """Return the number of CPUs on which the kernel may run this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cgroup_limits(proc: Path, cgroups: Path) -> list[int]:
    """Return the limits of the cgroups of this process, and of the cgroups above them, as numbers of CPUs."""
    limits: list[int] = []
    for line in _text(proc / "self/cgroup").splitlines():
        number, _, controllers_and_path = line.partition(":")
        controllers, _, path = controllers_and_path.partition(":")
        if number == "0" and not controllers:
            quota, roots = _quota_v2, (cgroups, cgroups / "unified")
        elif "cpu" in controllers.split(","):
            quota, roots = _quota_v1, (cgroups / controllers, cgroups / "cpu")
        else:
            continue
        for root in roots:
            limits += [limit for folder in _folders_up_to(root, path) if (limit := quota(folder)) is not None]
    return limits


def _folders_up_to(root: Path, path: str) -> list[Path]:
    """Return the folder of a cgroup and those above it, up to `root`. In a container, they need not exist below `root`."""
    cgroup = root / path.lstrip("/")
    return [folder for folder in (cgroup, *cgroup.parents) if folder.is_relative_to(root)]


def _quota_v2(folder: Path) -> int | None:
    quota, _, period = _text(folder / "cpu.max").strip().partition(" ")
    return _whole_cpus(quota, period)


def _quota_v1(folder: Path) -> int | None:
    return _whole_cpus(_text(folder / "cpu.cfs_quota_us").strip(), _text(folder / "cpu.cfs_period_us").strip())


def _whole_cpus(quota: str, period: str) -> int | None:
    """Return quota divided by period, rounded down, at least 1; None without a limit (the quota `max` or -1)."""
    if not (quota.isdecimal() and period.isdecimal() and int(period)):
        return None
    return max(1, int(quota) // int(period))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
