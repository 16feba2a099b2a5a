"""How many CPUs this process may use: not those of the machine, but its share of them."""

import os
from collections.abc import Mapping
from pathlib import Path


def usable(
    environment: Mapping[str, str] = os.environ,
    proc: Path = Path("/proc"),
    cgroups: Path = Path("/sys/fs/cgroup"),
) -> int:
    """Return the smaller of what the kernel grants and SLURM_CPUS_PER_TASK; at least 1."""
    slurm = environment.get("SLURM_CPUS_PER_TASK", "")
    most = granted(proc, cgroups)
    return max(1, min(most, int(slurm))) if slurm.isdecimal() else most


def granted(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the smallest of the affinity and the cgroup's limits (v2 and v1): more cannot be used, whatever is started."""
    return max(1, min([_affinity(), *_cgroup_limits(proc, cgroups)]))


def _affinity() -> int:
    """CPUs the scheduler may put this process on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cgroup_limits(proc: Path, cgroups: Path) -> list[int]:
    """Whole CPUs that this process's cgroups and those above them allow; part of a CPU counts as one."""
    limits: list[int] = []
    for line in _text(proc / "self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            read, roots = _quota_v2, (cgroups, cgroups / "unified")
        elif "cpu" in controllers.split(","):
            read, roots = _quota_v1, (cgroups / controllers, cgroups / "cpu")
        else:
            continue
        for root in roots:
            limits += [limit for folder in _up_from(root, path) if (limit := read(folder)) is not None]
    return limits


def _up_from(root: Path, path: str) -> list[Path]:
    """The cgroup's folder and those above it; in a container its own path may be absent, then only the root counts."""
    here = root / path.lstrip("/")
    return [folder for folder in (here, *here.parents) if folder.is_relative_to(root)]


def _quota_v2(folder: Path) -> int | None:
    quota, _, period = _text(folder / "cpu.max").strip().partition(" ")
    return _whole(quota, period)


def _quota_v1(folder: Path) -> int | None:
    return _whole(_text(folder / "cpu.cfs_quota_us").strip(), _text(folder / "cpu.cfs_period_us").strip())


def _whole(quota: str, period: str) -> int | None:
    """Quota by period; None for `max` and -1, which are no limit."""
    if not (quota.isdecimal() and period.isdecimal() and int(period)):
        return None
    return max(1, int(quota) // int(period))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
