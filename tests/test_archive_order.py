"""Folder mode: the order of the sessions numbers archives with the same name, whichever session finishes first."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.core import Monitor
from qxbatch.pipeline.finish import FinishResult, finish
from qxbatch.publish.journal import Journal
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed
from tests.build.study import Study, snapshot
from tests.faults.same_name import FOLDER_MODE, arguments, fill, fill_with_an_archive_that_stays, status_with_fault
from tests.faults.stage import command


@pytest.fixture
def finished(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of units in the order in which they finish."""
    units: list[str] = []

    def record_and_finish(
        journal: Journal,
        workspace: Workspace,
        locks: Locks,
        check_lock: Callable[[], None],
        settings: Settings,
        taken: bytes,
        *,
        monitor: Monitor,
    ) -> FinishResult:
        units.append(journal.unit)
        return finish(journal, workspace, locks, check_lock, settings, taken, monitor=monitor)

    monkeypatch.setattr("qxbatch.pipeline.deliver.finish", record_and_finish)
    return units


@pytest.mark.parametrize("archive", ["move", "copy"])
def test_the_order_in_which_sessions_finish_does_not_change_their_numbers(
    study: Study, finished: list[str], archive: str
) -> None:
    expected = fill(study)
    run = study.main(*FOLDER_MODE, f"--archive={archive}", "--n-procs=1")
    assert run.status == 0, run.text
    assert finished == ["S3", "S2", "S1"], "the largest session starts first"
    assert snapshot(study.archive) == expected
    assert not (study.sessions / ".qxbatch").exists()


def test_packets_moved_because_a_series_failed_are_numbered_in_the_same_order(
    study: Study, finished: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = fill(study)
    failing_converter = tmp_path / "dcm2niix"
    failing_converter.write_text(
        "#!/bin/sh\nif [ $# -eq 1 ]; then echo 'dcm2niiX version v1.0.20260724'; exit 3; fi\nexit 1\n"
    )
    failing_converter.chmod(0o755)
    monkeypatch.setenv("QXBATCH_DCM2NIIX", str(failing_converter))
    run = study.main(*FOLDER_MODE, "--archive=delete", "--n-procs=1")
    assert "S1, S2, S3:" in run.out, run.text
    assert "it is moved to the archive instead" in run.out, run.text
    assert finished == ["S3", "S2", "S1"]
    assert snapshot(study.archive) == expected
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("fails", ["S1", "S2"])
def test_the_number_of_a_failed_session_stays_free_until_it_is_imported(study: Study, fails: str) -> None:
    expected = fill(study)
    packet = study.session(fails) / "inbox" / "scan.zip"
    complete = packet.read_bytes()
    packet.write_bytes(complete[:-300])
    assert study.main(*FOLDER_MODE).status == 1
    assert not (study.sessions / ".qxbatch").exists()
    packet.write_bytes(complete)
    assert study.main(*FOLDER_MODE).status == 0
    assert snapshot(study.archive) == expected


@pytest.mark.parametrize(
    "step", ["os.rename {}/S3/inbox/scan.zip", "os.rename {}/.qxbatch/work/S2/build/S2", "S1/scratch"]
)
def test_numbers_are_kept_after_a_killed_run(study: Study, step: str, tmp_path: Path) -> None:
    expected = fill(study)
    assert status_with_fault(study, f"KILL@{step}", tmp_path / "steps") == -9
    rerun = command(arguments(study), study.sessions)
    assert rerun.status == 0, rerun.text
    assert snapshot(study.archive) == expected
    assert not (study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize(("fault", "status"), [("KILL", -9), ("TERM", 130)])
def test_numbers_are_kept_if_the_archive_of_a_finished_session_stays(
    study: Study, tmp_path: Path, fault: str, status: int
) -> None:
    expected = fill_with_an_archive_that_stays(study)
    assert status_with_fault(study, f"{fault}@S2/scratch", tmp_path / "steps") == status
    assert (study.session("S1") / "session.txt").exists(), "the largest session is finished"
    rerun = command(arguments(study), study.sessions)
    assert rerun.status == 0, rerun.text
    assert snapshot(study.archive) == expected, "as in an undisturbed run"
    assert not (study.sessions / ".qxbatch").exists()


def test_the_run_that_finishes_an_import_reports_the_path_of_an_archive_without_a_number(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "scan").write_bytes(packed(MrSeries().files(), Kind.ZIP))
    study.archive.mkdir(parents=True)
    (study.archive / "scan").write_text("another packet")

    def failing(unit: str, workspace: Workspace) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(workspace.journal_path(unit)))

    with monkeypatch.context() as patched:
        patched.setattr("qxbatch.pipeline.finish.remove_journal", failing)
        assert study.main(*FOLDER_MODE).status == 1
    assert not (inbox / "scan").exists()
    assert study.main(*FOLDER_MODE, "--check=no", f"--json-file={tmp_path / 'summary.json'}").status == 0
    (session,) = json.loads((tmp_path / "summary.json").read_bytes())["sessions"]
    assert session["archived"] == str(study.archive / "scan_2")
