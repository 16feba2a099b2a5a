"""An export is killed or the disk is full: the next run completes it, as if nothing had happened."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.build.bids import Scan
from tests.build.bids_study import BOLD, BidsStudy
from tests.build.study import TIME_LIMIT
from tests.faults.victim import BELOW

EDITED = "sub-S2/anat/sub-S2_T1w.json"
KILLS = 14
"""Number of steps of the export at which it is killed."""


def exported_study(root: Path) -> BidsStudy:
    """Return an exported study whose next export adds, changes, moves and removes files, and finds a manual edit."""
    study = BidsStudy(root)
    for name in ("S1", "S2"):
        study.add(name)
    assert study.run().status == 0
    (study.bids / EDITED).write_text('{"mine": 1}')
    study.change_rules("task-rest", "task-open")
    study.change_rules('as = "anat/T1w"', 'as = "anat/T1w"\nset = { PulseSequenceType = "MPRAGE" }')
    study.add("S3")
    return study


def export_with_fault(study: BidsStudy, fault: str, out: Path, *words: str) -> tuple[int, str]:
    """Export with a fault; return the exit status and the output."""
    command = [sys.executable, "-m", "tests.faults.victim", fault, str(out), *study.words, *words]
    result = subprocess.run(
        command,
        env={**os.environ, BELOW: str(study.bids)},
        check=False,
        capture_output=True,
        timeout=TIME_LIMIT,
        text=True,
    )
    return result.returncode, result.stdout + result.stderr


def test_the_next_run_completes_an_export_that_was_killed_at_any_step(tmp_path):
    reference = exported_study(tmp_path / "reference")
    before, out = reference.tree(), tmp_path / "steps"
    assert export_with_fault(reference, "count", out)[0] == 0
    after = reference.tree()
    steps = len(out.read_text().splitlines())
    assert steps > 30
    complete = {content for tree in (before, after) for content in tree.values()}
    template = tmp_path / "template"
    exported_study(template)
    for k in range(KILLS):
        step = 1 + k * (steps - 1) // (KILLS - 1)
        study = BidsStudy.copied(template, tmp_path / f"killed{step}")
        assert export_with_fault(study, f"KILL@{step}", out)[0] < 0
        assert (study.bids / EDITED).read_text() == '{"mine": 1}'
        partial = {
            path for path, content in study.tree().items() if not path.startswith("code/") and content not in complete
        }
        assert partial == set(), f"files are incomplete after a kill at step {step}"
        run = study.run()
        assert run.status == 0, run.text
        assert study.tree() == after, f"killed at step {step}"
        assert "left alone: " + EDITED in run.out
        assert run.out.count("left alone:") == 1, f"killed at step {step}: {run.out}"


def test_a_run_that_completes_a_killed_export_can_be_killed_too(tmp_path):
    study, out = exported_study(tmp_path / "study"), tmp_path / "steps"
    for step in (25, 12, 30, 20):
        export_with_fault(study, f"KILL@{step}", out)
    assert study.run().status == 0
    reference = exported_study(tmp_path / "reference")
    assert reference.run().status == 0
    assert study.tree() == reference.tree()


def test_a_full_disk_is_reported_and_the_next_run_completes_the_export(tmp_path):
    study, out = exported_study(tmp_path / "study"), tmp_path / "steps"
    status, text = export_with_fault(study, "FULL@20", out)
    assert status == 73, text
    assert "Traceback" not in text
    assert "run again" in text
    assert study.run().status == 0
    reference = exported_study(tmp_path / "reference")
    assert reference.run().status == 0
    assert study.tree() == reference.tree()


def test_an_interrupted_export_exits_with_130(tmp_path):
    study, out = exported_study(tmp_path / "study"), tmp_path / "steps"
    assert export_with_fault(study, "INT@20", out)[0] == 130
    assert study.run().status == 0
    assert f"{BOLD}.nii.gz" not in study.tree()


def test_an_edit_after_a_kill_is_kept_by_the_next_run(tmp_path):
    study, out = exported_study(tmp_path / "study"), tmp_path / "steps"
    export_with_fault(study, "KILL@35", out)
    written = next(
        path for path in sorted(study.bids.glob("sub-S3/*/*.json")) or sorted(study.bids.glob("sub-S1/*/*.json"))
    )
    written.write_text('{"edited": true}')
    run = study.run()
    assert written.read_text() == '{"edited": true}'
    assert "left alone: " + written.relative_to(study.bids).as_posix() in run.out


def exchanged_study(root: Path) -> BidsStudy:
    """Return an exported study of S1 (sub-1) and S2 (sub-2)."""
    study = BidsStudy(root)
    study.add("S1", Scan(2, "t1", "10:00:00"))
    study.add("S2", Scan(2, "t1", "11:00:00", shape=(5, 4, 3)))
    study.set_labels(S1="1", S2="2")
    assert study.run().status == 0
    return study


def files_of_subjects(study: BidsStudy) -> dict[str, bytes]:
    return {path: data for path, data in study.tree().items() if path.startswith("sub-")}


def test_after_an_interrupted_export_some_sessions_are_not_exported_without_the_others(tmp_path):
    study = exchanged_study(tmp_path / "study")
    before = files_of_subjects(study)
    study.set_labels(S1="2", S2="1")
    assert export_with_fault(study, "KILL@code/qxbatch/export.json", tmp_path / "steps")[0] < 0
    interrupted = files_of_subjects(study)
    assert interrupted != before
    study.set_labels(S1="1", S2="2")
    run = study.run("--sessions=S1")
    assert run.status == 64
    assert "It had session S2, which this run omits" in run.err
    assert files_of_subjects(study) == interrupted
    assert "left alone" not in study.run().text
    assert files_of_subjects(study) == before
    assert study.run("--sessions=S1").status == 0


def test_an_interrupted_export_of_one_session_can_be_run_again_alone(tmp_path):
    study = exported_study(tmp_path / "study")
    assert export_with_fault(study, "KILL@20", tmp_path / "steps", "--sessions=S3")[0] < 0
    assert (study.bids / "code" / "qxbatch" / "journal.json").exists()
    assert study.run("--sessions=S3").status == 0
    assert not (study.bids / "code" / "qxbatch" / "journal.json").exists()


def test_files_of_two_interrupted_exports_are_not_taken_for_edits(tmp_path):
    study = exchanged_study(tmp_path / "study")
    before, out = files_of_subjects(study), tmp_path / "steps"
    study.set_labels(S1="2", S2="1")
    assert export_with_fault(study, "KILL@code/qxbatch/export.json", out)[0] < 0
    rules = study.rules.read_text()
    study.change_rules('as = "anat/T1w"', 'as = "anat/T1w"\nset = { PulseSequenceType = "MPRAGE" }')
    assert export_with_fault(study, "KILL@code/qxbatch/.staging", out)[0] < 0
    assert len(study.tree()) > len(before)
    study.rules.write_text(rules)
    study.set_labels(S1="1", S2="2")
    run = study.run()
    assert "left alone" not in run.text
    assert files_of_subjects(study) == before


def test_a_session_that_is_deleted_after_an_interrupted_export_is_reported_until_its_files_are_deleted(tmp_path):
    study = exchanged_study(tmp_path / "study")
    shutil.rmtree(study.sessions / "S2")
    study.add("S2", Scan(2, "t1", "12:00:00", shape=(6, 4, 3)))
    assert export_with_fault(study, "KILL@code/qxbatch/export.json", tmp_path / "steps")[0] < 0
    shutil.rmtree(study.sessions / "S2")
    for _ in range(2):
        text = " ".join(study.run().text.split())
        assert (
            "S1: session S2 is not exported now. An interrupted export may have left old and new files of it." in text
        )
    shutil.rmtree(study.bids / "sub-2")
    assert "interrupted" not in study.run().text


def test_a_value_of_an_interrupted_export_in_an_edited_table_is_reported(tmp_path):
    study, out = BidsStudy(tmp_path / "study"), tmp_path / "steps"
    study.add("S1", Scan(2, "t1", "10:00:00"))
    study.add("S2", Scan(2, "t1", "11:00:00"))
    study.set_labels(S1="1", S2="2")
    assert study.run().status == 0
    study.set_labels(S1="2", S2="1")
    assert export_with_fault(study, "KILL@code/qxbatch/export.json", out)[0] < 0
    table = study.bids / "sub-1" / "sub-1_scans.tsv"
    assert "T11:00:00" in table.read_text()
    head, row = table.read_text().splitlines()
    table.write_text(f"{head}\tquality\n{row}\tgood\n")
    study.set_labels(S1="1", S2="2")
    text = " ".join(study.run().text.split())
    assert "acq_time of anat/sub-1_T1w.nii.gz stays 2024-05-06T11:00:00, but it is now 2024-05-06T10:00:00." in text


def test_a_table_has_no_rows_of_images_that_only_an_interrupted_export_wrote(tmp_path):
    study, out = BidsStudy(tmp_path / "study"), tmp_path / "steps"
    study.add("S1")
    study.add("S2", Scan(2, "t1", "11:00:00"))
    study.set_labels(S1="1", S2="2")
    assert export_with_fault(study, "KILL@code/qxbatch/export.json", out)[0] < 0
    assert (study.bids / "sub-1" / "func" / "sub-1_task-rest_bold.nii.gz").exists()
    study.set_labels(S1="2", S2="1")
    assert study.run().status == 0
    assert study.tree()["sub-1/sub-1_scans.tsv"] == b"filename\tacq_time\nanat/sub-1_T1w.nii.gz\t2024-05-06T11:00:00\n"


def test_an_export_that_was_interrupted_before_it_created_the_folder_of_the_record_is_completed(tmp_path):
    study = BidsStudy(tmp_path)
    study.add("S1")
    (study.bids / "code").mkdir(parents=True)
    assert study.run().status == 0


def test_a_folder_with_code_is_no_data_set(tmp_path):
    study = BidsStudy(tmp_path)
    study.add("S1")
    (study.bids / "code").mkdir(parents=True)
    (study.bids / "code" / "mine.py").write_text("")
    run = study.run()
    assert run.status == 64
    assert "is not empty and is not a BIDS data set" in " ".join(run.err.split())
