"""A run that was suspended until another host took over its lock changes nothing more of its unit."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qxbatch.pipeline import deliver as deliver_module
from qxbatch.pipeline import finish as finish_module
from qxbatch.pipeline import journaling as journaling_module
from qxbatch.publish.journal import write_journal
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under
from tests.build.study import Study, snapshot

TREE = {**under("T1", MrSeries(patient="P1").files()), "README": b"of the scanner\n"}
OTHER = b"of a run on another host\n"
MOMENTS = {
    "before the journal": (deliver_module, "sync_and_check_build"),
    "when publishing starts": (journaling_module, "write_journal"),
    "before the packet leaves": (finish_module, "check_published"),
}


def take_over(study: Study) -> None:
    """Take over the locks and begin the import of S1, like a run on another host that finds the lock stale."""
    hidden = study.sessions / ".qxbatch"
    for lock in (hidden / "locks").glob("*.lock"):
        lock.unlink()
        lock.write_bytes(OTHER)
    staging = hidden / "work" / "S1"
    (staging / ("f" * 16) / "build").mkdir(parents=True)
    (staging / ("f" * 16) / "build" / "half").write_bytes(OTHER)


def suspend(monkeypatch: pytest.MonkeyPatch, moment: str, action: Callable[[], None]) -> None:
    """Call `action` in a run at one of MOMENTS, after its function has returned."""
    module, name = MOMENTS[moment]
    step = getattr(module, name)

    def step_then_action(*args: object, **more: object) -> object:
        result = step(*args, **more)
        action()
        return result

    monkeypatch.setattr(module, name, step_then_action)


@pytest.mark.parametrize("archive", ["move", "delete"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_lost_its_lock_gives_the_session_up(
    study: Study, monkeypatch: pytest.MonkeyPatch, moment: str, archive: str
) -> None:
    packet = study.put("S1", TREE, Kind.ZIP)
    before = snapshot(study.inbox)
    with monkeypatch.context() as patched:
        suspend(patched, moment, lambda: take_over(study))
        run = study.main(f"--archive={archive}")
    assert run.status == 75, run.text
    assert "another run took over the lock" in run.text
    assert snapshot(study.inbox) == before
    assert study.session_names() == (["S1"] if moment == "before the packet leaves" else [])
    hidden = study.sessions / ".qxbatch"
    assert (hidden / "work" / "S1" / ("f" * 16) / "build" / "half").read_bytes() == OTHER
    assert {path.read_bytes() for path in (hidden / "locks").iterdir()} == {OTHER}
    shutil.rmtree(hidden / "locks")  # the other run was killed, too
    again = study.main(f"--archive={archive}")
    assert again.status == 0, again.text
    assert study.session_names() == ["S1"]
    assert not packet.exists()
    assert not hidden.exists()


def test_the_journal_of_the_run_that_has_the_lock_is_not_overwritten(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.put("S1", TREE, Kind.ZIP)
    journal = study.sessions / ".qxbatch" / "journal" / "S1.json"

    def take_over_then_write(*args: Any) -> None:
        take_over(study)
        journal.parent.mkdir()
        journal.write_bytes(OTHER)
        write_journal(*args)

    monkeypatch.setattr(journaling_module, "write_journal", take_over_then_write)
    run = study.main()
    assert run.status == 75, run.text
    assert journal.read_bytes() == OTHER
    assert study.session_names() == []
    assert [path.name for path in journal.parent.iterdir()] == ["S1.json"]


def test_a_run_whose_staging_was_cleared_says_why(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    study.put("S1", TREE, Kind.ZIP)
    place_files = "qxbatch.pipeline.unit.place_files"

    def cleared(*_: object) -> None:
        take_over(study)
        raise FileNotFoundError(2, "No such file or directory", "scratch")

    monkeypatch.setattr(place_files, cleared)
    run = study.main()
    assert run.status == 75, run.text
    assert "another run took over the lock" in run.text


def test_the_run_with_the_lock_replaces_the_journal_of_a_run_that_lost_it(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.put("S1", TREE, Kind.ZIP)
    journal = study.sessions / ".qxbatch" / "journal" / "S1.json"

    def write_late_journal() -> None:
        journal.parent.mkdir()
        journal.write_bytes(OTHER)

    suspend(monkeypatch, "before the journal", write_late_journal)
    run = study.main()
    assert run.status == 0, run.text
    assert not Path(study.sessions / ".qxbatch").exists()
