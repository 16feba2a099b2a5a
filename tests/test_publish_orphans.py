"""Only converters of the killed run are ended: in other containers, other studies can have the same path."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qxbatch.convert.run import environment
from qxbatch.publish.orphans import end_orphans
from qxbatch.publish.workspace import Workspace


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def converter(started: list[subprocess.Popen[bytes]], workspace: Workspace, unit: str) -> subprocess.Popen[bytes]:
    """Start a process in place of a unit's converter and return it when it runs."""
    home = workspace.scratch(unit) / "0.convert" / "30"
    code = "print('ready', flush=True); import time; time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", code], env=environment(home, {}), stdout=subprocess.PIPE)
    started.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize("work_dir", [None, Path("/work")])
def test_a_converter_of_another_run_with_the_same_path_and_unit_continues(
    tmp_path: Path, started: list[subprocess.Popen[bytes]], work_dir: Path | None
) -> None:
    dead, alive = Workspace(tmp_path, work_dir), Workspace(tmp_path, work_dir)
    orphan, of_another_unit = converter(started, dead, "PA1"), converter(started, dead, "PA10")
    live = converter(started, alive, "PA1")
    end_orphans("PA1", [dead.run])
    assert orphan.wait(timeout=60) == -9
    assert (of_another_unit.poll(), live.poll()) == (None, None)


def test_an_orphan_is_found_under_another_path_of_the_study(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    dead = Workspace(tmp_path / "in" / "a" / "container")
    orphan = converter(started, dead, "PA1")
    end_orphans("PA1", [dead.run])
    assert orphan.wait(timeout=60) == -9


def test_staging_without_a_run_ends_no_process(tmp_path: Path, started: list[subprocess.Popen[bytes]]) -> None:
    workspace = Workspace(tmp_path)
    live = converter(started, workspace, "PA1")
    (tmp_path / ".qxbatch" / "work" / "PA1" / "scratch").mkdir(parents=True)
    end_orphans("PA1", workspace.runs("PA1"))
    assert live.poll() is None
