"""The number of CPUs that a process may use."""

from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.settings import cpus


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that gives the usable CPUs of a machine with 64 CPUs and these cgroup files, text by path."""

    def usable_with(groups: str, files: dict[str, str], environment: dict[str, str] | None = None) -> int:
        monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(64)), raising=False)
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(groups)
        for name, text in files.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return cpus.usable_cpus(environment or {}, tmp_path / "proc", tmp_path / "cgroup")

    return usable_with


def test_the_affinity_is_the_limit_without_others(machine: Callable[..., int]) -> None:
    assert machine("", {}) == 64


def test_the_limit_of_a_cgroup_v2_is_used(machine: Callable[..., int]) -> None:
    assert machine("0::/job/step\n", {"job/step/cpu.max": "300000 100000\n"}) == 3


def test_the_limit_of_a_parent_cgroup_is_used(machine: Callable[..., int]) -> None:
    assert machine("0::/job/step\n", {"job/step/cpu.max": "max 100000\n", "job/cpu.max": "200000 100000\n"}) == 2


def test_the_cgroup_root_in_a_container_is_that_of_the_container(machine: Callable[..., int]) -> None:
    assert machine("0::/docker/abc\n", {"cpu.max": "400000 100000\n"}) == 4


def test_the_limit_of_a_cgroup_v1_is_used(machine: Callable[..., int]) -> None:
    files = {"cpu,cpuacct/a/cpu.cfs_quota_us": "500000\n", "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n"}
    assert machine("4:memory:/a\n3:cpu,cpuacct:/a\n", files) == 5


def test_a_negative_quota_of_a_cgroup_v1_is_no_limit(machine: Callable[..., int]) -> None:
    files = {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}
    assert machine("3:cpu:/\n", files) == 64


def test_a_fraction_of_a_cpu_counts_as_one(machine: Callable[..., int]) -> None:
    assert machine("0::/\n", {"cpu.max": "50000 100000\n"}) == 1


@pytest.mark.parametrize(("value", "expected"), [("7", 7), ("0", 1), ("many", 64), ("", 64)])
def test_the_cpus_of_a_slurm_task_are_the_limit(machine: Callable[..., int], value: str, expected: int) -> None:
    assert machine("", {}, {"SLURM_CPUS_PER_TASK": value}) == expected


def test_granted_cpus_ignore_the_variable_of_slurm(machine: Callable[..., int], tmp_path: Path) -> None:
    assert machine("0::/\n", {"cpu.max": "400000 100000\n"}, {"SLURM_CPUS_PER_TASK": "3"}) == 3
    assert cpus.granted_cpus(tmp_path / "proc", tmp_path / "cgroup") == 4


def test_this_machine_has_at_least_one_cpu() -> None:
    assert cpus.usable_cpus() >= 1
