"""Everybody who may write to a sessions folder may write submissions there: none makes a command touch files elsewhere or fail."""

import os
from pathlib import Path

import pytest

from qxbatch.cluster.grouping import Array, Plan
from qxbatch.cluster.state import State, UnitState
from qxbatch.cluster.submission import Submission, new_submission
from tests.build.study import Run, Study, run_main

FAKES = {
    "sbatch": 'echo "$*" >> "$folder/calls"; echo 9',
    "squeue": '[ ! -e "$folder/down" ] || { echo down >&2; exit 1; }',
    "scancel": 'echo "scancel $*" >> "$folder/calls"',
    "scontrol": "exit 1",
}


class Forged:
    """A submission of two packets whose jobs have ended, a file that it must not change, and fake commands of Slurm."""

    def __init__(self, study: Study, folder: Path) -> None:
        self.study = study
        self.folder = folder
        folder.mkdir()
        for name, commands in FAKES.items():
            (folder / name).write_text(f'#!/bin/bash\nfolder=$(dirname "$0")\n{commands}\n')
            (folder / name).chmod(0o755)
        self.victim = folder / "victim"
        self.victim.mkdir()
        self.file = self.victim / "thesis.tex"
        self.file.write_text("years of work\n")
        self.submission = self.submit()

    def submit(self) -> Submission:
        """Return a new submission."""
        options = {"sessionsfolder": str(self.study.sessions)}
        record = {"options": options, "scheduler": "SLURM", "cwd": "/", "bids_app": False, "typed": [], "found": []}
        units = [UnitState(k, f"S{k}", (f"S{k}.zip",), 1000) for k in range(2)]
        submission = new_submission(self.study.sessions, record, units)
        number = submission.add_round(Plan(((0,), (1,)), (Array(0, 2, 1, 1),)))
        submission.note_job(number, "0", "7")
        submission.note_job(number, "end", "8")
        return submission

    def call(self, command: str, *options: str) -> Run:
        return run_main(command, str(self.study.sessions), *options)

    def worker(self) -> Run:
        return self.call("worker", f"--submission={self.submission.id}", "--task=1/0")

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def forged(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forged:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    return Forged(study, tmp_path / "bin")


@pytest.mark.parametrize(
    "name", ["round-2.tasks", "round-2.jobs", "round-2.tasks.new", "round-2.0.sh", "round-2.end.sh"]
)
def test_a_resumed_submission_replaces_links(forged: Forged, name: str) -> None:
    path = forged.submission.folder / name
    path.symlink_to(forged.file)
    run = forged.call("resume")
    assert run.status == 0, run.text
    assert forged.file.read_text() == "years of work\n"
    assert not path.is_symlink() or name.endswith(".new")
    assert forged.submission.round(2).jobs == {"0": "9", "end": "9"}


def test_the_logs_of_a_new_round_are_not_written_through_a_link(forged: Forged) -> None:
    (forged.submission.folder / "logs").mkdir()
    log_folder = forged.submission.folder / "logs" / "2-0"
    log_folder.symlink_to(forged.victim)
    assert forged.call("resume").status == 0
    assert log_folder.is_dir()
    assert not log_folder.is_symlink()


@pytest.mark.parametrize("name", ["states", "states/0000", "logs"])
def test_a_submission_with_a_folder_that_is_a_link_is_not_continued(forged: Forged, name: str) -> None:
    folder = forged.submission.folder / name
    if folder.exists():
        folder.rename(forged.folder / "old")
    for path in (forged.victim / "0.json", forged.victim / "0000" / "0.json"):
        path.parent.mkdir(exist_ok=True)
        path.write_text('{"number": 0, "unit": "S0", "packets": ["S0.zip"], "size": 1, "state": "waiting"}')
    before = {path: path.read_text() for path in forged.victim.rglob("*.*")}
    folder.symlink_to(forged.victim)
    for run in (forged.worker(), forged.call("resume"), forged.call("resume", "--failed")):
        assert "Traceback" not in run.text
    assert {path: path.read_text() for path in forged.victim.rglob("*.*")} == before
    assert forged.calls() == []
