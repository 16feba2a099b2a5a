"""The next run has another clock, another path to the same folder or another work folder, or finds a session moved or linked."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from qxbatch.core import Monitor
from qxbatch.verification.session import session_checks
from tests.build.other_disk import disk_other_than, has_other_disk
from tests.build.packets import Kind
from tests.build.study import Study, snapshot
from tests.endtoend.judge import Judge
from tests.faults.processes import at_work_below
from tests.faults.scenarios import T1, Scenario, one_packet
from tests.faults.stage import Copy, Stage, command, environment, victim

ONE = Scenario("one", one_packet)


def kill_at(stage: Stage, copy: Copy, text: str) -> None:
    """Kill a run at the first step that contains a text."""
    run = victim(f"KILL@{text}", stage.base / "steps.now", copy)
    assert run.status == -9, run.text


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(ONE, tmp_path_factory.mktemp("one"))


def test_a_journal_is_followed_where_the_folder_has_another_path(stage: Stage) -> None:
    copy = stage.copy("moved")
    kill_at(stage, copy, "build/S1 ")
    assert list((copy.sessions / ".qxbatch" / "journal").iterdir())
    new_root = copy.root.with_name("elsewhere")
    copy.root.rename(new_root)
    sessions = new_root / "study" / "sessions"
    again = command([str(sessions), "--check=no"], new_root)
    assert again.status == 0, again.text
    assert "interrupted" in again.text
    assert (sessions / "archive" / "MR" / "S1" / "README").exists()
    assert not (sessions / "inbox" / "MR" / "S1").exists()
    assert not (sessions / ".qxbatch").exists()
    assert [text for check in session_checks(sessions / "S1", Monitor()) for text in check()] == []


def test_a_packet_whose_session_was_moved_away_is_imported_again_before_it_is_deleted(stage: Stage) -> None:
    copy = stage.copy("taken")
    copy = Copy(copy.root, copy.other_disk, (*copy.arguments, "--archive=delete"))
    packet = copy.sessions / "inbox" / "MR" / "S1"
    kill_at(stage, copy, "MR/.qxbatch-aside-")
    assert packet.exists()
    assert (copy.sessions / "S1" / "session.txt").exists()
    (copy.sessions / "S1").rename(copy.root / "mine now")
    again = command(copy.arguments, copy.root)
    assert again.status == 1, again.text
    assert "is no longer the session" in again.text
    assert (copy.sessions / "S1" / "session.txt").exists(), "its packet existed, so it was imported again"
    Judge(copy.sessions / "S1").check_places()
    assert not packet.exists()


@pytest.mark.parametrize("years", [-30, 60])
def test_a_clock_that_jumps_makes_no_difference(stage: Stage, tmp_path: Path, years: int) -> None:
    jump = tmp_path / "jump"
    jump.mkdir()
    seconds = years * 365 * 86400
    (jump / "sitecustomize.py").write_text(
        f"import time\n_true = time.time, time.time_ns\ntime.time = lambda: _true[0]() + {seconds}\n"
        f"time.time_ns = lambda: _true[1]() + {seconds} * 10**9\n"
    )
    path = f"{jump}:{environment(stage.base)['PYTHONPATH']}"
    copy = stage.copy(f"clock{years}")
    run = victim("KILL@60", stage.base / "steps.now", copy, PYTHONPATH=path)
    assert run.status == -9, run.text
    assert stage.judge_fault(copy) == []
    again = command(copy.arguments, copy.root, PYTHONPATH=path)
    assert again.status == 0, again.text
    assert stage.judge_end(copy) == []


def test_small_files_below_another_work_folder_are_cleared(stage: Stage, tmp_path: Path) -> None:
    copy = stage.copy("work")
    kill_at(stage, Copy(copy.root, None, (*copy.arguments, f"--work-dir={tmp_path}")), "build/S1/qxbatch/ledger.tsv")
    assert [path.name[:10] for path in tmp_path.iterdir()] == ["qxbatch-S1"]
    again = command(copy.arguments, copy.root)
    assert again.status == 0, again.text
    assert list(tmp_path.iterdir()) == []
    assert stage.judge_end(copy) == []


def test_two_studies_share_a_work_folder(study: Study, tmp_path: Path) -> None:
    other = Study(tmp_path / "other")
    for each in (study, other):
        each.put("S1", T1.files(), Kind.FOLDER)
    work = tmp_path / "shared"
    work.mkdir()
    foreign = work / "qxbatch-S1-0123456789ab"
    foreign.mkdir()
    (foreign / "at work").write_text("of a live run of another study\n")
    for each in (study, other):
        assert each.run(f"--work-dir={work}").status == 0
    assert [path.name for path in work.iterdir()] == [foreign.name]
    assert (foreign / "at work").exists()


@pytest.mark.parametrize("folder", ["inbox/MR", "inbox/MR/tmp", "archive/MR"])
def test_a_work_folder_among_packets_is_refused(study: Study, folder: str) -> None:
    study.put("S1", T1.files(), Kind.FOLDER)
    work = study.sessions / folder
    work.mkdir(parents=True, exist_ok=True)
    run = study.main(f"--work-dir={work}")
    assert run.status == 64
    assert f"--work-dir={work} is in the " in run.text
    assert study.session_names() == []


def test_a_converter_that_outlived_its_run_is_ended(stage: Stage, tmp_path: Path) -> None:
    slow = tmp_path / "dcm2niix"
    slow.write_text(
        "#!/bin/sh\nif [ $# -eq 1 ]; then echo 'dcm2niiX version v1.0.20260724'; exit 3; fi\nsleep 120 & wait\n"
    )
    slow.chmod(0o755)
    copy = stage.copy("orphan")
    process = subprocess.Popen(
        [sys.executable, "-m", "qxbatch", *copy.arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(copy.root) | {"QXBATCH_DCM2NIIX": str(slow)},
    )
    deadline = time.monotonic() + 60
    while not at_work_below(copy.sessions / ".qxbatch") and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert at_work_below(copy.root) != []
    again = command(copy.arguments, copy.root)
    assert again.status == 0, again.text
    assert stage.judge_end(copy) == []


@pytest.mark.skipif(
    not has_other_disk(), reason="no second file system here: sessions on two file systems are not tested"
)
def test_a_session_on_another_disk_is_refused_before_anything_is_changed(stage: Stage) -> None:
    copy = stage.copy("disk")
    with tempfile.TemporaryDirectory(dir=disk_other_than(copy.root)) as other:
        (copy.sessions / "S1").symlink_to(other)
        before = snapshot(copy.root)
        run = command(copy.arguments, copy.root)
        assert run.status == 1, run.text
        assert "file system" in run.text
        assert snapshot(copy.root) == before
        assert list(Path(other).iterdir()) == []
