"""Only converters of the killed run are ended: in other containers, other studies can have the same path."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

from qxbatch.convert.run import environment
from qxbatch.publish.below import remove_below
from qxbatch.publish.orphans import end_orphans
from qxbatch.publish.scratch import MARK
from qxbatch.publish.workspace import Workspace
from tests.build.study import Study
from tests.faults.attack import Attack


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
    end_orphans("PA1", [dead.run], tmp_path)
    assert orphan.wait(timeout=60) == -9
    assert (of_another_unit.poll(), live.poll()) == (None, None)


def test_an_orphan_is_found_under_another_path_of_the_study(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    dead = Workspace(tmp_path / "in" / "a" / "container")
    orphan = converter(started, dead, "PA1")
    end_orphans("PA1", [dead.run], tmp_path)
    assert orphan.wait(timeout=60) == -9


@pytest.mark.parametrize("journal", [True, False])
def test_a_forged_name_of_a_run_ends_no_converter_of_another_study(
    study: Study, tmp_path: Path, started: list[subprocess.Popen[bytes]], journal: bool
) -> None:
    attack, other = Attack(study), Study(tmp_path / "other")
    run = Workspace(other.sessions).run
    staged, below = Workspace(other.sessions, run=run), Workspace(other.sessions, tmp_path / "work", run=run)
    scratch = below.clear_and_make_scratch("S1")
    converters = [converter(started, workspace, "S1") for workspace in (staged, below)]
    staging = attack.staging.rename(attack.staging.with_name(run))
    (staging / "scratch.txt").write_text(str(scratch))
    if journal:
        attack.forge_journal(run=run)
    assert study.main("--check=no").status == 0
    assert [process.poll() for process in converters] == [None, None]
    assert scratch.is_dir()


def test_staging_without_a_run_ends_no_process(tmp_path: Path, started: list[subprocess.Popen[bytes]]) -> None:
    workspace = Workspace(tmp_path)
    live = converter(started, workspace, "PA1")
    (tmp_path / ".qxbatch" / "work" / "PA1" / "scratch").mkdir(parents=True)
    end_orphans("PA1", workspace.runs("PA1"), tmp_path)
    assert live.poll() is None


@pytest.mark.parametrize("with_work_dir", [False, True], ids=["in the study", "work-dir"])
def test_a_run_on_a_copy_of_a_study_ends_no_converter_of_a_live_run_on_the_original(
    tmp_path: Path, started: list[subprocess.Popen[bytes]], with_work_dir: bool
) -> None:
    """The copy of a volume has the inodes of the original, so the digits of its runs are the same."""
    original, copy = tmp_path / "a", tmp_path / "b"
    live = Workspace(original, tmp_path / "work" if with_work_dir else None)
    scratch = live.clear_and_make_scratch("PA1")
    process = converter(started, live, "PA1")
    copytree(original, copy)
    of_copy = Workspace(copy, run=live.run)
    end_orphans("PA1", [live.run], copy)
    of_copy.clear("PA1")
    assert process.poll() is None
    assert scratch.is_dir()
    assert os.path.lexists(scratch / MARK) == with_work_dir
    live.clear("PA1")
    assert not scratch.exists()


def test_a_scratch_folder_that_could_not_be_removed_at_once_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path / "a", tmp_path / "work")
    scratch = workspace.clear_and_make_scratch("PA1")
    errors, rmdir = [OSError(errno.EIO, "Input/output error")], Path.rmdir

    def fail_once(folder: Path) -> None:
        if folder == scratch and errors:
            raise errors.pop()
        rmdir(folder)

    monkeypatch.setattr(Path, "rmdir", fail_once)
    workspace.clear("PA1")
    assert errors == []
    assert not scratch.exists()


def test_a_child_that_has_a_copy_of_the_lock_does_not_keep_a_scratch_folder(tmp_path: Path) -> None:
    """A thread can start a converter while another one removes its folder: until the program begins, the child has the lock."""
    workspace = Workspace(tmp_path / "a", tmp_path / "work")
    scratch = workspace.clear_and_make_scratch("PA1")
    copies = [os.dup(int(name)) for name in descriptors_of(scratch / MARK)]
    try:
        assert copies
        workspace.clear("PA1")
        assert not scratch.exists()
    finally:
        for copy in copies:
            os.close(copy)


def descriptors_of(path: Path) -> list[str]:
    """Return the descriptors of this process that lead to a file."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [link.name for link in links if link.readlink() == path]


def test_a_new_scratch_folder_is_locked_although_another_run_looks_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = iter([BlockingIOError(), None])

    def flock(_descriptor: int, _operation: int) -> None:
        result = next(results)
        if result is not None:
            raise result

    monkeypatch.setattr("qxbatch.publish.scratch.fcntl.flock", flock)
    Workspace(tmp_path / "a", tmp_path / "work").clear_and_make_scratch("PA1")
    assert list(results) == []


def test_a_path_is_the_name_of_no_unit(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "sessions")
    (tmp_path / "sessions" / "S1").mkdir(parents=True)
    for name in ("../../S1", str(tmp_path / "sessions" / "S1"), "..", "."):
        assert not workspace.has_remains_of(name)
        for step in (
            workspace.unit_folder,
            workspace.journal_path,
            workspace.clear_all_runs,
            workspace.clear_and_make_scratch,
        ):
            with pytest.raises(OSError, match="is a path"):
                step(name)
    with pytest.raises(OSError, match=r"`\.\.`"):
        remove_below(workspace.staging_top / ".." / ".." / "S1", workspace.sessionsfolder)
    assert (tmp_path / "sessions" / "S1").exists()


@pytest.mark.parametrize(
    ("names", "has_remains"),
    [
        (None, False),
        ([], True),
        (["jobs"], False),
        (["bids.json"], False),
        (["jobs", "bids.json"], False),
        (["bids.json", "work"], True),
        (["jobs", "locks"], True),
    ],
)
def test_the_state_of_cluster_jobs_and_the_record_of_exports_are_no_remains(
    tmp_path: Path, names: list[str] | None, has_remains: bool
) -> None:
    workspace = Workspace(tmp_path)
    if names is not None:
        workspace.top.mkdir()
    for name in names or ():
        (workspace.top / name).mkdir()
    assert workspace.has_remains is has_remains
