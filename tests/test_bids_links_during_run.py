"""Folders of a data set that become links while an export runs: nothing is written or removed through them."""

from pathlib import Path
from typing import Any

import pytest

from qxbatch.bids.files.record import JOURNAL, RECORD, STAGING
from qxbatch.bids.write import apply
from qxbatch.publish.durable import remove_tree
from tests.build.bids_study import BidsStudy


@pytest.mark.parametrize("folder", ["sub-S1", "sub-S1/func"])
def test_nothing_is_changed_in_a_folder_that_is_moved_away_and_replaced_by_a_link_during_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, folder: str
) -> None:
    study, elsewhere = BidsStudy(tmp_path), tmp_path / "elsewhere"
    study.add("S1")
    assert study.run().status == 0
    study.change_rules("task-rest", "task-open")
    sync = apply.sync_file_system

    def sync_and_move(path: Path) -> None:
        sync(path)
        if not elsewhere.exists():
            (study.bids / folder).rename(elsewhere)
            (study.bids / folder).symlink_to(elsewhere)

    def files(root: Path) -> dict[str, Any]:
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    before = files(study.bids / folder)
    monkeypatch.setattr(apply, "sync_file_system", sync_and_move)
    run = study.run()
    assert run.status == 0
    assert f"left alone: {folder}" in run.out
    assert files(elsewhere) == before


def test_a_file_that_takes_the_place_of_a_folder_during_the_run_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1")
    sync, file = apply.sync_file_system, study.bids / "sub-S1"

    def sync_and_write(path: Path) -> None:
        sync(path)
        if not file.exists():
            file.write_text("mine")

    monkeypatch.setattr(apply, "sync_file_system", sync_and_write)
    run = study.run()
    assert run.status == 0
    assert "left alone: sub-S1" in run.out
    assert file.read_text() == "mine"


@pytest.mark.parametrize("sync_number", [1, 2])
@pytest.mark.parametrize("folder", ["code", "code/qxbatch", ""])
def test_the_record_of_another_data_set_stays_if_a_link_to_it_appears_during_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, folder: str, sync_number: int
) -> None:
    study, other = BidsStudy(tmp_path / "a"), BidsStudy(tmp_path / "b")
    for each, session in ((study, "S1"), (other, "P1")):
        each.add(session)
        assert each.run().status == 0
    journal = other.bids / JOURNAL
    journal.write_bytes((other.bids / RECORD).read_bytes())  # that of an interrupted export
    before = other.tree()
    study.change_rules('as = "anat/T1w"', 'as = "anat/T1w"\nset = { PulseSequenceType = "MPRAGE" }')
    sync, moved, syncs = apply.sync_file_system, tmp_path / "moved", []

    def sync_and_move(path: Path) -> None:
        sync(path)
        syncs.append(path)
        if len(syncs) == sync_number:
            (study.bids / folder).rename(moved)
            (study.bids / folder).symlink_to(other.bids / folder)

    monkeypatch.setattr(apply, "sync_file_system", sync_and_move)
    run = study.run()
    assert run.status == 73
    reason = "is a link, and qxbatch does not change" if folder else "is another folder than at the beginning"
    assert f"{study.bids / folder}: {reason}" in " ".join(run.text.split())
    assert other.tree() == before


def test_nothing_is_staged_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, elsewhere = BidsStudy(tmp_path), tmp_path / "elsewhere"
    study.add("S1")
    elsewhere.mkdir()

    def remove_and_link(path: Path) -> None:
        remove_tree(path)
        path.symlink_to(elsewhere)

    monkeypatch.setattr("qxbatch.bids.write.apply.remove_tree", remove_and_link)
    run = study.run()
    assert run.status == 73
    assert f"{study.bids / STAGING}: is a link" in run.text
    assert list(elsewhere.iterdir()) == []
