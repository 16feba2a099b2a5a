"""The table of --logfile is edited, or the working folder is renamed, between the submission of packets and their tasks."""

import hashlib
import os
from pathlib import Path

import pytest

from qxbatch.cluster.creation import make_submission
from qxbatch.cluster.grouping import JobArray, SubmissionPlan
from qxbatch.cluster.state import ImportState
from qxbatch.cluster.submission import Submission, open_submission
from qxbatch.discover.candidates import candidates
from qxbatch.discover.units import units_of
from qxbatch.model import Report
from qxbatch.settings.parse import parse
from tests.build.study import Run, Study, run_main, snapshot
from tests.cluster.submitted import packet


class Submitted:
    """A submission of the packets A and B with the sessions S1 and S2, each in a separate task."""

    def __init__(self, study: Study, table: Path, overwrite: str) -> None:
        self.study = study
        self.table = table
        for number, name in enumerate(("A", "B")):
            study.put_bytes(f"{name}.zip", packet(number))
        self.write_table("S1", "S2")
        logfile = f"path:{table}|packet_name:packet|subject_id:subject"
        folder = str(study.sessions)
        given = {"sessionsfolder": folder, "scheduler": "SLURM", "archive": "delete", "overwrite": overwrite}
        given["logfile"] = logfile
        settings = parse(given).settings
        units = units_of(candidates(settings), folder_mode=False)
        submission = make_submission(settings, given, units, Report())
        assert submission is not None
        self.submission: Submission = submission
        self.submission.add_round(SubmissionPlan(((0,), (1,)), (JobArray(0, 2, 1, 1),)))

    def write_table(self, session_of_a: str, session_of_b: str) -> None:
        self.table.write_text(f"packet,subject\nA,{session_of_a}\nB,{session_of_b}\n")

    def task(self, number: int) -> Run:
        identity = f"{self.submission.id}:{self.submission.record_file.digest}"
        return run_main("worker", str(self.study.sessions), f"--submission={identity}", f"--task=1/{number}")


@pytest.mark.parametrize("overwrite", ["no", "yes"])
def test_a_task_does_not_import_a_packet_whose_session_changed_since_its_submission(
    study: Study, tmp_path: Path, overwrite: str
) -> None:
    submitted = Submitted(study, tmp_path / "table.csv", overwrite)
    assert submitted.task(0).status == 0
    session = snapshot(study.session("S1"))
    submitted.write_table("S2", "S1")
    run = submitted.task(1)
    assert run.status == 1, run.text
    assert "its session was S2" in run.text
    assert snapshot(study.session("S1")) == session
    assert study.session_names() == ["S1"]
    remaining = study.inbox / "B.zip"
    assert hashlib.sha256(remaining.read_bytes()).digest() == hashlib.sha256(packet(1)).digest()
    assert [submitted.submission.state(unit).state for unit in (0, 1)] == [ImportState.DONE, ImportState.FAILED]


def test_a_task_imports_the_other_packets_if_the_session_of_one_changed(study: Study, tmp_path: Path) -> None:
    submitted = Submitted(study, tmp_path / "table.csv", "yes")
    submitted.submission.add_round(SubmissionPlan(((0, 1),), (JobArray(0, 1, 1, 1),)))
    submitted.write_table("S1", "S3")
    identity = f"{submitted.submission.id}:{submitted.submission.record_file.digest}"
    run = run_main("worker", str(study.sessions), f"--submission={identity}", "--task=2/0")
    assert run.status == 1, run.text
    assert study.session_names() == ["S1"]
    assert [submitted.submission.state(unit).state for unit in (0, 1)] == [ImportState.DONE, ImportState.FAILED]


@pytest.mark.parametrize("option", ["masterinbox", "logfile"])
def test_a_relative_path_of_a_submission_begins_in_no_other_folder(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project is renamed; the task starts in another project that has packets, and a table, of the same names."""
    for number, project in enumerate(("one", "two")):
        (tmp_path / project / "in").mkdir(parents=True)
        (tmp_path / project / "in" / "A.zip").write_bytes(packet(number))
        (tmp_path / project / "table.csv").write_text("packet,subject\nA,S1\n")
    study = tmp_path / "one" / "study"
    study.mkdir()
    monkeypatch.chdir(tmp_path / "one")
    given = {"sessionsfolder": str(study), "scheduler": "SLURM", "masterinbox": str(tmp_path / "two" / "in")}
    given[option] = {"masterinbox": "in", "logfile": "path:table.csv|packet_name:packet|subject_id:subject"}[option]
    settings = parse(given).settings
    submission = make_submission(settings, given, units_of(candidates(settings), folder_mode=False), Report())
    assert submission is not None
    submission.add_round(SubmissionPlan(((0,),), (JobArray(0, 1, 1, 1),)))
    monkeypatch.chdir(tmp_path / "two")
    (tmp_path / "one").rename(tmp_path / "renamed")
    before = snapshot(tmp_path)
    study = tmp_path / "renamed" / "study"
    run = run_main("worker", str(study), f"--submission={submission.id}:{submission.record_file.digest}", "--task=1/0")
    assert run.status == 64, run.text
    assert_names_folder(run, option, tmp_path / "one")
    assert snapshot(tmp_path) == before
    submission = open_submission(study, submission.id)
    submission.write_state(submission.state(0)._replace(state=ImportState.FAILED, attempts=1))
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sbatch", "squeue", "sacct"):
        (programs / name).write_text("#!/bin/sh\nexit 0\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    run = run_main("resume", str(study), "--failed")
    assert run.status == 64, run.text
    assert_names_folder(run, option, tmp_path / "one")
    assert Path.cwd() == tmp_path / "two"


def assert_names_folder(run: Run, option: str, folder: Path) -> None:
    """Assert that the message names the option, and the missing folder in which its path begins."""
    text = " ".join(run.text.split())
    assert f"--{option}" in text
    assert f"begins in {folder}, where submission" in text
    assert "that folder cannot be used: no such file or directory" in text
    assert "Restore that folder" in text
    assert "working folder" not in text
