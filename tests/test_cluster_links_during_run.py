"""Folders of a submission that become links after the submission was read: nothing is changed outside of the study."""

import contextlib
import os
from pathlib import Path

import pytest

from qxbatch.cluster.creation import _remove_done
from qxbatch.cluster.grouping import JobArray, SubmissionPlan
from qxbatch.cluster.new_submission import new_submission
from qxbatch.cluster.state import ImportState, UnitState, as_text
from qxbatch.cluster.submission import Submission
from qxbatch.cluster.submit import RoundSubmitter
from qxbatch.cluster.submit_new import submit_new
from qxbatch.problems import UsageError
from qxbatch.publish.plain_files import LinkError
from qxbatch.settings.scheduler import scheduler_spec
from tests.build.study import Study, run_main, snapshot

UNITS = [UnitState(k, f"S{k}", (f"S{k}.zip",), 1000) for k in range(2)]
PLAN = SubmissionPlan(((0,), (1,)), (JobArray(0, 2, 1, 1),))
RECORD = {"scheduler": "SLURM", "cwd": "/", "bids_app": False, "typed": [], "found": []}
FAKES = {
    "sbatch": "echo 9",
    "squeue": '[ ! -e "$folder/swap" ] || source "$folder/swap"',
    "scancel": "",
    "scontrol": "exit 1",
}


@pytest.fixture
def submission(study: Study) -> Submission:
    """A submission of two packets that has no round."""
    options = {"sessionsfolder": str(study.sessions)}
    return new_submission(study.sessions, RECORD | {"options": options}, UNITS)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder outside of the study, with names that a submission and its folders have, too."""
    victim = tmp_path / "victim"
    for path in ("1-T1w/raw.dat", "2-0/raw.dat", "states/0000/0.json", "0000/0.json", "0.json", "logs/1-0/0.log"):
        (victim / path).parent.mkdir(parents=True, exist_ok=True)
        (victim / path).write_text("the only copy\n")
    for ending in ("tasks", "jobs", "json"):
        (victim / f"round-1.{ending}").write_text("the only copy\n")
    return victim


def replace_by_link(folder: Path, target: Path) -> None:
    if folder.exists():
        folder.rename(folder.with_name("moved"))
    folder.symlink_to(target)


@pytest.mark.parametrize("command", ["cancel", "resume"])
def test_a_command_does_not_remove_logs_through_a_link_that_appears_while_the_queue_is_read(
    command: str,
    study: Study,
    submission: Submission,
    victim: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, commands in FAKES.items():
        (programs / name).write_text(f'#!/bin/bash\nfolder=$(dirname "$0")\n{commands}\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.chdir(Path.cwd())  # resume changes to the working folder of the submission
    number = submission.add_round(PLAN, printed=command == "cancel")
    if command == "resume":
        submission.record_job(number, "0", "7")
    logs = submission.folder / "logs"
    logs.mkdir()
    before = snapshot(victim)
    (programs / "swap").write_text(f"[ -L {logs} ] || {{ mv {logs} {logs}.old; ln -s {victim} {logs}; }}\n")
    run = run_main(command, str(study.sessions))
    assert logs.is_symlink()
    assert run.status == 73, run.text
    assert f"{logs}: is a link" in run.err
    assert snapshot(victim) == before


@pytest.mark.parametrize("level", ["submission", "jobs", "workspace", "logs", "states", "numbered"])
@pytest.mark.parametrize("change", ["round", "removed round", "state", "script", "job"])
def test_a_submission_changes_nothing_through_a_folder_that_became_a_link(
    submission: Submission, victim: Path, level: str, change: str
) -> None:
    number = submission.add_round(PLAN)
    folder = submission.folder
    link, target = {
        "submission": (folder, victim),
        "jobs": (folder.parent, victim.parent / "other"),
        "workspace": (folder.parents[1], victim.parent / "other"),
        "logs": (folder / "logs", victim),
        "states": (folder / "states", victim),
        "numbered": (folder / "states" / "0000", victim),
    }[level]
    for outer in (victim.parent / "other", victim.parent / "other" / "jobs"):
        outer.mkdir()
        (outer / folder.name).symlink_to(victim)
    before = snapshot(victim)
    replace_by_link(link, target)
    with contextlib.suppress(LinkError, UsageError):  # which of them, and whether there is one, depends on the link
        match change:
            case "round":
                submission.add_round(PLAN)
            case "removed round":
                submission.remove_round(number)
            case "state":
                submission.write_state(UNITS[0]._replace(state=ImportState.DONE))
            case "script":
                RoundSubmitter(submission, scheduler_spec("SLURM")).write_scripts({0: 1000})
            case "job":
                submission.record_job(number, "0", "7")
    assert snapshot(victim) == before


@pytest.mark.parametrize("level", ["file", "numbered", "states", "submission"])
def test_a_new_submission_changes_nothing_through_a_link_that_appears_while_it_is_written(
    study: Study, victim: Path, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    before = snapshot(victim)
    folders: list[Path] = []

    def as_text_after_a_link_appears(state: UnitState) -> str:
        if not folders:
            folders.extend((study.sessions / ".qxbatch" / "jobs").glob(".*.new"))
            states = folders[0] / "states"
            match level:
                case "file":
                    (states / "0000" / "1.json").symlink_to(victim / "0.json")
                case "numbered":
                    replace_by_link(states / "0000", victim)
                case "states":
                    replace_by_link(states, victim)
                case "submission":
                    replace_by_link(folders[0], victim)
        return as_text(state)

    monkeypatch.setattr("qxbatch.cluster.state.as_text", as_text_after_a_link_appears)
    with contextlib.suppress(OSError, UsageError):  # which of them, and whether there is one, depends on the link
        new_submission(study.sessions, RECORD | {"options": {"sessionsfolder": str(study.sessions)}}, UNITS)
    assert folders
    assert snapshot(victim) == before


def test_a_file_of_another_program_in_a_new_submission_is_named(
    study: Study, monkeypatch: pytest.MonkeyPatch, victim: Path
) -> None:
    def as_text_after_a_link_appears(state: UnitState) -> str:
        (folder,) = (study.sessions / ".qxbatch" / "jobs").glob(".*.new/states/0000")
        (folder / "1.json").symlink_to(victim / "0.json")
        return as_text(state)

    monkeypatch.setattr("qxbatch.cluster.state.as_text", as_text_after_a_link_appears)
    with pytest.raises(UsageError, match=r"Another program wrote /.*/states/0000/1\.json while") as raised:
        new_submission(study.sessions, RECORD | {"options": {"sessionsfolder": str(study.sessions)}}, UNITS)
    assert "/proc/" not in raised.value.message
    assert [*(study.sessions / ".qxbatch" / "jobs").iterdir()] == []


@pytest.mark.parametrize("level", ["jobs", "workspace"])
def test_a_submission_is_not_removed_through_a_link(
    submission: Submission, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    for unit in UNITS:
        submission.write_state(unit._replace(state=ImportState.DONE))
    link = submission.folder.parent if level == "jobs" else submission.folder.parents[1]
    replace_by_link(link, link.with_name("moved"))
    assert os.path.lexists(submission.folder)
    before = snapshot(link.with_name("moved"))
    _remove_done([submission])
    monkeypatch.setattr(RoundSubmitter, "submit", _refused)
    with pytest.raises(UsageError):
        submit_new(submission, scheduler_spec("SLURM"), None)
    assert snapshot(link.with_name("moved")) == before


def _refused(*_: object) -> None:
    raise UsageError("refused.")
