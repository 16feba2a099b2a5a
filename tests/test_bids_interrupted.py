"""Files that an interrupted export wrote for a session that the next export cannot write again."""

import shutil
from pathlib import Path

import pytest

from tests.build.bids import Scan
from tests.build.bids_study import BidsStudy
from tests.test_bids_edited_tables import add
from tests.test_bids_faults import export_with_fault, files_of_subjects
from tests.test_bids_replaced import damage

T1 = "sub-1/anat/sub-1_T1w.nii.gz"


def interrupted_study(root: Path) -> BidsStudy:
    """Return a study whose first export was killed before the record was written."""
    study = BidsStudy(root / "study")
    study.add("S1", Scan(2, "t1", "10:00:00"), Scan(3, "rest", "10:10:00", 100, volumes=3))
    study.add("S2", Scan(2, "t1", "11:00:00", shape=(5, 4, 3)))
    study.set_labels(S1="1", S2="2")
    assert export_with_fault(study, "KILL@code/qxbatch/export.json", root / "steps")[0] < 0
    return study


@pytest.mark.parametrize("is_damaged", [True, False])
def test_files_of_a_session_that_is_not_exported_again_are_kept(tmp_path, is_damaged):
    study = interrupted_study(tmp_path)
    before = study.tree()
    if is_damaged:
        damage(study, "S1")
    else:
        shutil.rmtree(study.sessions / "S1")
    for _ in range(2):
        run = study.run()
        assert "session S1 is not exported now" in " ".join(run.text.split())
        after = study.tree()
        assert {path: after.get(path) for path in before if path.startswith(("sub-", "participants"))} == {
            path: data for path, data in before.items() if path.startswith(("sub-", "participants"))
        }
    shutil.rmtree(study.bids / "sub-1")
    study.run()
    assert not (study.bids / "code" / "qxbatch" / "journal.json").exists()


def test_an_export_of_another_study_keeps_the_files_of_an_interrupted_one(tmp_path):
    study = interrupted_study(tmp_path)
    before = files_of_subjects(study)
    other = BidsStudy(tmp_path / "other")
    other.add("P1")
    other.bids = study.bids
    assert other.run().status == 0
    assert before.items() <= files_of_subjects(study).items()


def test_no_session_gets_the_label_of_a_session_of_an_interrupted_export(tmp_path):
    study = interrupted_study(tmp_path)
    before = files_of_subjects(study)
    shutil.rmtree(study.sessions / "S1")
    study.set_labels(S1="2", S2="1")
    run = study.run()
    assert run.status == 1
    assert "is of session S1, which no longer exists" in " ".join(run.text.split())
    assert files_of_subjects(study) == before
    shutil.rmtree(study.bids / "sub-1")
    assert study.run().status == 0
    assert study.tree()[T1] == before["sub-2/anat/sub-2_T1w.nii.gz"]


def test_the_image_of_a_session_in_the_place_of_another_one_is_kept(tmp_path):
    study = interrupted_study(tmp_path)
    assert study.run().status == 0
    image = study.tree()[T1]
    study.set_labels(S1="2", S2="3")
    assert export_with_fault(study, "KILL@code/qxbatch/export.json", tmp_path / "steps")[0] < 0
    assert study.tree()["sub-2/anat/sub-2_T1w.nii.gz"] == image
    shutil.rmtree(study.sessions / "S1")
    study.run()
    assert study.tree()["sub-2/anat/sub-2_T1w.nii.gz"] == image


@pytest.mark.parametrize("is_moved", [False, True])
def test_a_session_of_another_study_does_not_replace_one_of_an_interrupted_export(tmp_path, is_moved):
    study = interrupted_study(tmp_path)
    before = files_of_subjects(study)
    other = BidsStudy(tmp_path / "other")
    other.add("S1", Scan(2, "t1", "12:00:00", shape=(6, 4, 3)))
    other.bids = study.bids
    if is_moved:
        study.sessions.rename(tmp_path / "moved")
    for _ in range(2):
        run = other.run()
        assert run.status == 1
        assert f"contains session S1 of {study.sessions}" in " ".join(run.text.split())
        assert files_of_subjects(study) == before


def test_true_dates_of_an_interrupted_export_are_not_mixed_with_shifted_ones(tmp_path):
    study = interrupted_study(tmp_path)
    before = study.tree()
    shutil.rmtree(study.sessions / "S1")
    run = study.run("--shift-dates")
    assert run.status == 64
    assert "are not shifted" in run.err
    assert study.tree() == before


def test_a_session_is_not_exported_beside_files_of_an_interrupted_export_whose_session_cannot_be_placed(tmp_path):
    study = interrupted_study(tmp_path)
    before = files_of_subjects(study)
    study.set_labels(S1="3", S2="1")  # the damage of S1 is found while its images are copied
    damage(study, "S1")
    for _ in range(2):
        run = study.run()
        assert run.status == 1
        assert "S2: not exported: sub-1/anat/sub-1_T1w.json is of session S1, which is not exported now" in " ".join(
            run.text.split()
        )
        assert files_of_subjects(study) == before


def test_a_table_of_an_interrupted_export_is_not_taken_for_an_edited_one_if_its_session_is_not_exported_again(
    tmp_path: Path,
) -> None:
    study, other = BidsStudy(tmp_path / "one"), BidsStudy(tmp_path / "other")
    other.bids = study.bids
    other.add("P1", Scan(2, "t1", "10:00:00"), subject="x", ses="b")
    assert other.run().status == 0
    study.add("S1", Scan(2, "t1", "11:00:00"), subject="x", ses="a")
    assert export_with_fault(study, "KILL@code/qxbatch/export.json", tmp_path / "steps")[0] < 0
    study.add("S1", Scan(2, "t1", "11:00:00"), Scan(4, "unknown"), subject="x", ses="a")
    assert study.run().status == 1
    other.add("P1", Scan(2, "t1", "12:00:00"), subject="x", ses="b")
    assert "was edited" not in other.run().text
    assert "ses-b\t2024-05-06T12:00:00" in study.tree()["sub-x/sub-x_sessions.tsv"].decode()


def test_a_shared_file_of_an_interrupted_export_is_replaced_after_a_run_that_exports_no_session(tmp_path: Path) -> None:
    study, scan = BidsStudy(tmp_path / "one"), Scan(2, "t1", "11:00:00")
    study.add("S1", scan)
    assert study.run().status == 0
    add(study, "S1", "030Y", scan)
    assert export_with_fault(study, "KILL@code/qxbatch/export.json", tmp_path / "steps")[0] < 0
    assert '"age"' in study.tree()["participants.json"].decode()
    study.add("S1", scan, Scan(4, "unknown"))
    assert study.run().status == 1
    shutil.rmtree(study.sessions / "S1")
    study.add("S1", scan)
    assert study.run().status == 0
    assert '"age"' not in study.tree()["participants.json"].decode()
