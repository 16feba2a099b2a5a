"""Several runs on one folder share the work; each skips what another one has locked."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from qxbatch.pipeline import deliver, recover
from qxbatch.pipeline.finish import finish
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, under
from tests.build.study import Study, snapshot
from tests.endtoend.judge import Judge
from tests.faults.stage import environment


def fill(study: Study, count: int) -> dict[str, dict[str, bytes]]:
    trees = {}
    for k in range(count):
        trees[f"S{k}"] = {**under("T1", MrSeries(patient=f"P{k}").files()), "README": b"%d" % k}
        study.put(f"S{k}", trees[f"S{k}"], Kind.FOLDER if k % 2 else Kind.ZIP)
    return trees


def start(study: Study, *args: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "qxbatch", str(study.sessions), "--check=no", *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(study.sessions) | more,
    )


@pytest.mark.parametrize("args", [(), ("--overwrite=yes",)], ids=["once", "overwrite"])
def test_simultaneous_runs_share_the_work(study: Study, args: tuple[str, ...]) -> None:
    trees = fill(study, 5)
    runs = [start(study, *args) for _ in range(3)]
    outputs = [run.communicate(timeout=300)[0] for run in runs]
    assert {run.returncode for run in runs} <= {0, 75}, outputs
    assert not any("Traceback" in text for text in outputs), outputs
    assert study.session_names() == sorted(trees)
    for name, tree in trees.items():
        Judge(study.session(name)).check(tree)
    assert sorted(p.name.removesuffix(".zip") for p in study.archive.iterdir()) == sorted(trees)
    assert list(study.inbox.iterdir()) == []
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("without", [0, 1], ids=["locks local to each host", "no locks on one"])
def test_runs_on_hosts_that_do_not_see_each_others_locks_share_the_work(
    study: Study, tmp_path: Path, without: int
) -> None:
    trees = fill(study, 5)
    runs = []
    for host in range(3):
        folder = tmp_path / f"host{host}"
        folder.mkdir()
        error = "raise OSError(errno.ENOLCK, 'No locks available')" if host < without else "return None"
        (folder / "sitecustomize.py").write_text(
            f"import errno, fcntl, pathlib\ndef flock(*_): {error}\nfcntl.flock = flock\n"
            f"from qxbatch.publish import locks\nlocks.BOOT_ID = pathlib.Path({str(folder / 'boot')!r})\n"
        )
        (folder / "boot").write_text(f"boot of host {host}\n")
        runs.append(start(study, PYTHONPATH=f"{folder}:{environment(study.sessions)['PYTHONPATH']}"))
    outputs = [run.communicate(timeout=300)[0] for run in runs]
    assert {run.returncode for run in runs} <= {0, 75}, outputs
    assert not any("Traceback" in text for text in outputs), outputs
    assert study.session_names() == sorted(trees)
    for name, tree in trees.items():
        Judge(study.session(name)).check(tree)
    assert sorted(p.name.removesuffix(".zip") for p in study.archive.iterdir()) == sorted(trees)
    assert list(study.inbox.iterdir()) == []
    assert not (study.sessions / ".qxbatch").exists()


def test_a_locked_session_is_skipped_and_the_others_are_imported(study: Study) -> None:
    fill(study, 2)
    locks = Locks(Workspace(study.sessions).locks_folder)
    lock = locks.take("session S0")
    assert lock is not None
    run = study.run()
    assert run.status == 0, run.text
    assert "S0" in run.text
    assert "another run" in run.text
    assert study.session_names() == ["S1"]
    assert study.run().status == 75, "all remaining work is locked"
    locks.release(lock)
    assert study.run().status == 0
    assert study.session_names() == ["S0", "S1"]
    assert not (study.sessions / ".qxbatch").exists()


def test_heartbeats_replace_locks_where_the_kernel_has_none(study: Study, tmp_path: Path) -> None:
    fill(study, 2)
    (tmp_path / "sitecustomize.py").write_text(
        "import errno, fcntl\ndef flock(*_): raise OSError(errno.ENOLCK, 'No locks available')\nfcntl.flock = flock\n"
        "from qxbatch.publish import heartbeats\nheartbeats.CONFIRM_SECONDS, heartbeats.CHECK_SECONDS = 0.05, 0.01\n"
    )
    path = {"PYTHONPATH": f"{tmp_path}:{environment(study.sessions)['PYTHONPATH']}"}
    dead = Locks(Workspace(study.sessions).locks_folder, flock=None)
    fresh = dead.take("session S0")
    assert fresh is not None
    run = study.run(env=path)
    assert run.status == 0, run.text
    assert study.session_names() == ["S1"]
    assert study.run(env=path).status == 75
    dead.close()
    age = time.time() - 200
    os.utime(fresh.path, (age, age))
    assert study.run(env=path).status == 0
    assert study.session_names() == ["S0", "S1"]
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("runs", [1, 2])
def test_archives_with_the_same_name_in_several_sessions_are_all_kept(study: Study, runs: int) -> None:
    trees = {f"S{k}": MrSeries(patient=f"P{k}").files() for k in range(6)}
    for name, tree in trees.items():
        inbox = study.session(name) / "inbox"
        inbox.mkdir(parents=True)
        (inbox / "scan.zip").write_bytes(packed(tree, Kind.ZIP))
    before = [snapshot(study.session(name) / "inbox")["scan.zip"] for name in trees]
    processes = [start(study, "--masterinbox=none", "--sessions=S*") for _ in range(runs)]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert {process.returncode for process in processes} <= {0, 75}, outputs
    assert snapshot(study.archive) == {
        f"scan{f'_{k}' * (k > 1)}.zip": digest for k, digest in enumerate(before, start=1)
    }
    assert len(set(before)) == 6
    assert not (study.sessions / ".qxbatch").exists()


def kill_a_split(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put packet A of two patients into the inbox; a run that splits it ends once it has written its journal."""
    people = [MrSeries(study="s1"), MrSeries(patient="P2", study="s2")]
    study.put("A", {**under("a", people[0].files()), **under("b", people[1].files())})

    def ended(*_: object, **__: object) -> None:
        raise OSError("the run is killed here")

    with monkeypatch.context() as patch:
        patch.setattr(deliver, "finish", ended)
        study.main("--on-mixed=split")
    assert (study.sessions / ".qxbatch" / "journal" / "A.json").exists()
    assert study.session_names() == []


def test_a_killed_split_is_not_published_while_a_run_holds_one_of_its_sessions(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_a_split(study, monkeypatch)
    locks = Locks(Workspace(study.sessions).locks_folder)
    lock = locks.take("session A-2")
    assert lock is not None
    run = study.main()
    assert run.status == 75, "all remaining work is locked"
    assert run.text.count("A-2: is held by another run") == 1
    assert study.session_names() == []
    assert (study.inbox / "A.zip").exists()
    locks.release(lock)
    locks.close()
    assert study.main().status == 0
    assert study.session_names() == ["A-1", "A-2"]
    assert not (study.sessions / ".qxbatch").exists()


def test_a_killed_import_waits_while_another_run_holds_its_packet(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet = study.put("S1", MrSeries().files())

    def ended(*_: Any, **__: Any) -> object:
        raise OSError(5, "killed here")

    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.pipeline.finish.archive_packets", ended)
        study.main()
    locks = Locks(Workspace(study.sessions).locks_folder)
    lock = locks.take("packet S1.zip")
    assert lock is not None
    run = study.main("--check=no")
    assert run.status == 75, run.text
    assert run.text.count("S1.zip: is held by another run") == 1
    assert packet.exists()
    assert list(study.archive.parent.rglob("S1.zip")) == []
    locks.release(lock)
    locks.close()
    assert study.main("--check=no").status == 0
    assert (study.archive / "S1.zip").exists()
    assert not (study.sessions / ".qxbatch").exists()


def test_a_killed_split_is_finished_only_while_the_locks_of_its_sessions_are_held(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_a_split(study, monkeypatch)

    def other_run(*args: Any, **options: Any) -> object:
        taken = Locks(Workspace(study.sessions).locks_folder).take("session A-1")
        assert taken is None
        return finish(*args, **options)

    monkeypatch.setattr(recover, "finish", other_run)
    assert study.main().status == 0
    assert study.session_names() == ["A-1", "A-2"]


def test_a_killed_split_replaces_no_session_that_another_run_made_meanwhile(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_a_split(study, monkeypatch)
    (study.sessions / ".qxbatch").rename(study.sessions / ".hidden")  # the other run began before
    study.put("A-1", MrSeries(patient="P9", study="s9").files())
    assert study.main("--sessions=A-1").status == 0
    before = snapshot(study.session("A-1"))
    (study.sessions / ".hidden").rename(study.sessions / ".qxbatch")
    run = study.main("--sessions=nothing", "--archive=delete")
    assert run.status == 1
    assert "is no longer the session that was made from its packets; they stay in the inbox" in run.text
    assert snapshot(study.session("A-1")) == before
    assert (study.inbox / "A.zip").exists()
    assert not (study.sessions / ".qxbatch").exists()
