"""Folder mode: the order of the sessions tells the places of archives of one name, whichever session is done first."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.pipeline.finish import Ending, finish
from qxbatch.publish.journal import Journal
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed
from tests.build.study import Study, snapshot
from tests.faults.alike import NONE, disturbed, fill, fill_with_one_that_stays, words
from tests.faults.stage import command


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The units in the order in which they end."""
    found: list[str] = []

    def ending(journal: Journal, workspace: Workspace, locks: Locks, need_lock: Callable[[], None]) -> Ending:
        found.append(journal.unit)
        return finish(journal, workspace, locks, need_lock)

    monkeypatch.setattr("qxbatch.pipeline.deliver.finish", ending)
    return found


@pytest.mark.parametrize("archive", ["move", "copy"])
def test_the_session_that_is_done_first_gets_no_other_number(study: Study, ended: list[str], archive: str) -> None:
    wanted = fill(study)
    run = study.main(*NONE, f"--archive={archive}", "--n-procs=1")
    assert run.status == 0, run.text
    assert ended == ["S3", "S2", "S1"], "the largest goes first"
    assert snapshot(study.archive) == wanted
    assert not (study.sessions / ".qxbatch").exists()


def test_so_it_is_with_those_that_are_not_deleted_since_a_series_failed(
    study: Study, ended: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = fill(study)
    failing = tmp_path / "dcm2niix"
    failing.write_text("#!/bin/sh\nif [ $# -eq 1 ]; then echo 'dcm2niiX version v1.0.20260724'; exit 3; fi\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setenv("QXBATCH_DCM2NIIX", str(failing))
    run = study.main(*NONE, "--archive=delete", "--n-procs=1")
    assert "S1, S2, S3:" in run.out, run.text
    assert "was moved to the archive and not deleted" in run.out, run.text
    assert ended == ["S3", "S2", "S1"]
    assert snapshot(study.archive) == wanted
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("fails", ["S1", "S2"])
def test_a_session_that_fails_leaves_its_number_free_until_it_is_mended(study: Study, fails: str) -> None:
    wanted = fill(study)
    packet = study.session(fails) / "inbox" / "scan.zip"
    whole = packet.read_bytes()
    packet.write_bytes(whole[:-300])
    assert study.main(*NONE).status == 1
    assert not (study.sessions / ".qxbatch").exists()
    packet.write_bytes(whole)
    assert study.main(*NONE).status == 0
    assert snapshot(study.archive) == wanted


@pytest.mark.parametrize(
    "step", ["os.rename {}/S3/inbox/scan.zip", "os.rename {}/.qxbatch/work/S2/build/S2", "S1/scratch"]
)
def test_numbers_hold_for_the_run_after_one_that_was_killed(study: Study, step: str, tmp_path: Path) -> None:
    wanted = fill(study)
    assert disturbed(study, f"KILL@{step}", tmp_path / "steps") == -9
    again = command(words(study), study.sessions)
    assert again.status == 0, again.text
    assert snapshot(study.archive) == wanted
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize(("fault", "status"), [("KILL", -9), ("TERM", 130)])
def test_they_hold_though_a_session_is_done_whose_archive_stays(
    study: Study, tmp_path: Path, fault: str, status: int
) -> None:
    wanted = fill_with_one_that_stays(study)
    assert disturbed(study, f"{fault}@S2/scratch", tmp_path / "steps") == status
    assert (study.session("S1") / "session.txt").exists(), "it is the largest, and was done"
    again = command(words(study), study.sessions)
    assert again.status == 0, again.text
    assert snapshot(study.archive) == wanted, "as in a run that was not disturbed"
    assert not (study.sessions / ".qxbatch").exists()


def test_an_archive_without_a_number_is_told_where_it_lies_by_the_run_that_ends_its_import(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "scan").write_bytes(packed(MrSeries().files(), Kind.ZIP))
    study.archive.mkdir(parents=True)
    (study.archive / "scan").write_text("of another one")

    def failing(path: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    with monkeypatch.context() as patched:
        patched.setattr("qxbatch.pipeline.finish.remove_journal", failing)
        assert study.main(*NONE).status == 1
    assert not (inbox / "scan").exists()
    assert study.main(*NONE, "--check=no", f"--json-file={tmp_path / 'told'}").status == 0
    (told,) = json.loads((tmp_path / "told").read_bytes())["sessions"]
    assert told["archived"] == str(study.archive / "scan_2")
