"""Imports that are submitted to a real Slurm."""

import json
import os
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.build.study import Study, run_command, snapshot
from tests.build.terminal import Gate
from tests.cluster.slurm import Slurm
from tests.cluster.submitted import SPEC, Submitted

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schema" / "jobs-1.json"
VARYING = ("session.txt", "qxbatch/summary.json", "qxbatch/report.html", "dicom/dcm2niix_30.log")
"""Files that contain times."""


def test_a_submitted_import_equals_an_import_without_a_scheduler(
    submitted: Submitted, tmp_path_factory: pytest.TempPathFactory
) -> None:
    submitted.put(3, bad=1)
    direct = Submitted(Study(tmp_path_factory.mktemp("direct")), submitted.slurm)
    direct.put(3, bad=1)
    assert direct.study.run().status == 1
    run = submitted.submit("--wait")
    assert run.status == 1, run.text
    assert "4 packets: 3 done, 1 failed." in run.out
    submitted.check()
    by_jobs = {name: value for name, value in snapshot(submitted.study.sessions).items() if ".qxbatch" not in name}
    direct_files = snapshot(direct.study.sessions)
    assert by_jobs.keys() == direct_files.keys()
    assert {name for name in by_jobs if by_jobs[name] != direct_files[name] and not name.endswith(VARYING)} == set()
    tables = [each.study.sessions / "study.tsv" for each in (submitted, direct)]
    assert tables[0].read_text() == tables[1].read_text()
    left_out = [
        json.loads((each.study.sessions / "study.json").read_text())["not_imported"] for each in (submitted, direct)
    ]
    assert [each["item"] for each in left_out[0]] == [each["item"] for each in left_out[1]] == ["S004.zip"]


def test_a_submission_ends_before_its_jobs_and_jobs_lists_them(submitted: Submitted, tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    submitted.env.update(gate.env)
    submitted.put(2)
    run = submitted.submit()
    assert run.status == 0, run.text
    assert "2 sessions in 2 tasks" in run.out
    submitted.until(lambda states: set(states.values()) == {"running"})
    document = json.loads(submitted.call("jobs", "--json").out)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    assert [each["unknown"] for each in document["packets"]] == [False, False]
    assert not (submitted.study.sessions / "study.tsv").exists()
    gate.open()
    submitted.until(lambda states: set(states.values()) == {"done"})
    submitted.slurm.wait_for_jobs()
    assert (submitted.study.sessions / "study.tsv").exists()
    assert all(Path(each["log"]).is_file() for each in submitted.jobs().values())
    submitted.check()


def test_a_submitted_packet_is_not_submitted_again(submitted: Submitted, tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    submitted.env.update(gate.env)
    submitted.put(2)
    assert submitted.submit().status == 0
    again = submitted.submit()
    assert again.status == 75
    assert "Packets of 2 of 2 sessions are submitted already" in again.out
    submitted.put(1, first=3)
    assert submitted.submit().status == 0
    gate.open()
    submitted.until(lambda states: set(states.values()) == {"done"})
    submitted.slurm.wait_for_jobs()
    submitted.check()


def test_paths_can_contain_spaces_and_special_characters_of_the_scheduler(slurm: Slurm, tmp_path: Path) -> None:
    submitted = Submitted(Study(tmp_path / "a b%a 'c"), slurm)
    submitted.put(2)
    assert submitted.submit("--wait").status == 0
    submitted.check()
    assert all(Path(each["log"]).is_file() for each in submitted.jobs().values())


def test_folder_mode_can_be_submitted(submitted: Submitted) -> None:
    from tests.build.dicom import MrSeries
    from tests.build.packets import write_folder

    for k in (1, 2):
        write_folder(MrSeries(patient=f"P{k}").files(), submitted.study.session(f"S{k}") / "inbox")
    run = submitted.submit("--masterinbox=none", "--sessions=S*", "--wait")
    assert run.status == 0, run.text
    assert submitted.states() == {"S1": "done", "S2": "done"}
    assert all((submitted.study.session(name) / "session.txt").exists() for name in ("S1", "S2"))


def test_the_config_file_can_name_the_scheduler(submitted: Submitted, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        "archive = 'copy'\n[scheduler]\nname = 'SLURM'\nminutes = 0.02\nmem = '300M'\ntime = '00:10:00'\n"
    )
    submitted.put(2)
    run = submitted.study.run(f"--config={config}", "--wait", env=submitted.env)
    assert run.status == 0, run.text
    assert len(list(submitted.study.inbox.iterdir())) == len(list(submitted.study.archive.iterdir())) == 2
    script = next((submitted.study.sessions / ".qxbatch/jobs").glob("*/round-1.0.sh")).read_text()
    assert "#SBATCH --time=00:10:00\n" in script
    assert "#SBATCH --mem=300M\n" in script


def test_a_printed_script_submits_the_jobs(submitted: Submitted, tmp_path: Path) -> None:
    submitted.put(3)
    run = submitted.submit("--print-script")
    assert run.status == 0, run.text
    assert submitted.slurm.unfinished_tasks() == []
    waiting = submitted.jobs()
    assert {each["state"] for each in waiting.values()} == {"waiting"}
    assert {each["reason"] for each in waiting.values()} == {"the printed script was not run yet"}
    script = tmp_path / "submit.sh"
    script.write_text(run.out)
    submitted.slurm.call("bash", str(script))
    submitted.until(lambda states: set(states.values()) == {"done"})
    submitted.slurm.wait_for_jobs()
    assert (submitted.study.sessions / "study.tsv").exists()
    submitted.check()


def test_a_printed_script_that_is_not_run_can_be_cancelled(submitted: Submitted) -> None:
    submitted.put(1)
    assert submitted.submit("--print-script").status == 0
    assert submitted.submit().status == 75
    assert submitted.call("cancel").status == 0
    assert submitted.states() == {"S001.zip": "lost"}
    assert submitted.call("resume", "--wait").status == 0
    submitted.check()


def test_a_resume_that_is_refused_can_be_repeated(submitted: Submitted) -> None:
    submitted.put(1)
    assert submitted.submit("--print-script").status == 0
    assert submitted.call("cancel").status == 0
    run = submitted.call("resume", "--scheduler=SLURM,partition=none")
    assert run.status == 69
    assert submitted.states() == {"S001.zip": "lost"}
    assert submitted.call("resume", "--wait").status == 0
    submitted.check()


def test_jobs_run_in_a_container_with_its_folders_and_variables(submitted: Submitted, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    image = tmp_path / "q x.sif"
    (programs / "qxbatch").write_text(f'#!/bin/sh\nexec {sys.executable} -m qxbatch "$@"\n')
    (programs / "apptainer").write_text(
        f'#!/bin/bash\nprintf "%s\\n" "$@" >> {tmp_path}/calls\n'
        f'while [ "$1" != "{image}" ]; do shift; done\nshift\nexec "$@"\n'
    )
    for program in programs.iterdir():
        program.chmod(0o755)
    submitted.env["PATH"] = f"{programs}:{submitted.env['PATH']}"
    submitted.put(2)
    run = submitted.submit(f"--container={image}", "--wait", spec="SLURM,mem=300M")
    assert run.status == 0, run.text + submitted.logs()
    submitted.check()
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls.count("exec") == 2, "a task and the dependent job"
    assert f"{submitted.study.sessions}:{submitted.study.sessions}" in calls
    assert f"{submitted.study.inbox}:{submitted.study.inbox}" in calls
    assert "SLURM_CPUS_PER_TASK=1" in calls
    assert "SLURM_MEM_PER_NODE=300" in calls


def refusing(folder: Path, most: int, jobs: int, largest: int = 1001) -> dict[str, str]:
    """Return an environment whose sbatch refuses arrays of more than `most` tasks and more than `jobs` queued jobs.

    Its scontrol reports `largest` as MaxArraySize.
    """
    folder.mkdir()
    real = f"export PATH={os.environ['PATH']}:/usr/sbin"
    (folder / "scontrol").write_text(f"#!/bin/bash\necho 'MaxArraySize            = {largest}'\n")
    (folder / "sbatch").write_text(
        f"#!/bin/bash\n{real}\n"
        "last=$(sed -nE 's/^#SBATCH --array=0-([0-9]+).*/\\1/p' \"${@: -1}\")\n"
        f'if [ "${{last:-0}}" -ge {most} ] || [ "$(squeue --noheader --format=%F | sort -u | wc -l)" -ge {jobs} ]; then\n'
        "    echo 'sbatch: error: AssocMaxSubmitJobLimit' >&2\n"
        "    echo 'sbatch: error: Batch job submission failed: Job violates accounting/QOS policy' >&2\n"
        "    exit 1\n"
        "fi\n"
        'exec sbatch "$@"\n'
    )
    for program in folder.iterdir():
        program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}:/usr/sbin"}


def test_a_refused_submission_is_repeated_with_larger_groups(submitted: Submitted, tmp_path: Path) -> None:
    submitted.env.update(refusing(tmp_path / "bin", most=4, jobs=100))
    submitted.put(12)
    run = submitted.submit("--wait")
    assert run.status == 0, run.text
    assert "12 sessions in 3 tasks" in run.out
    submitted.check()


def test_the_dependent_job_submits_the_refused_packets(submitted: Submitted, tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    submitted.env.update({**refusing(tmp_path / "bin", most=100, jobs=3, largest=2), **gate.env})
    submitted.put(10)
    run = submitted.submit()
    assert run.status == 0, run.text
    assert "4 sessions in 4 tasks" in run.out
    assert "6 more sessions will be submitted by the last job" in run.out
    assert set(submitted.states().values()) <= {"waiting", "running"}
    gate.open()
    submitted.until(lambda states: set(states.values()) == {"done"})
    submitted.slurm.wait_for_jobs()
    submitted.check()


def test_a_scheduler_that_refuses_everything_gives_status_69_and_no_submission(
    submitted: Submitted, tmp_path: Path
) -> None:
    submitted.env.update(refusing(tmp_path / "bin", most=100, jobs=0))
    submitted.put(2)
    run = submitted.submit()
    assert run.status == 69, run.text
    assert "Job violates accounting/QOS policy" in run.err
    assert submitted.call("jobs").status == 66


def test_a_wrong_partition_is_an_error_without_a_submission(submitted: Submitted) -> None:
    submitted.put(1)
    run = submitted.submit(spec=f"{SPEC},partition=none")
    assert run.status == 69
    assert "invalid partition" in run.err.lower()
    assert not (submitted.study.sessions / ".qxbatch" / "jobs").exists() or submitted.call("jobs").status == 66


def test_a_missing_sbatch_gives_status_69_and_nothing_is_written(study: Study, tmp_path: Path) -> None:
    Submitted(study, Slurm(tmp_path / "none")).put(1)
    (tmp_path / "bin").mkdir()
    run = run_command(str(study.sessions), f"--scheduler={SPEC}", env={"PATH": str(tmp_path / "bin")})
    assert run.status == 69
    assert "There is no sbatch on this host" in run.err
    assert "--print-script" in run.err
    assert not (study.sessions / ".qxbatch").exists()
