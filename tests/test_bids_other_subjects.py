"""A subject of the data set gets other sessions, and earlier ones leave it: its folder has images of one person."""

import shutil
from pathlib import Path

import pytest

from tests.build.bids import Scan
from tests.build.bids_study import BidsStudy
from tests.test_bids_edited_tables import PARTICIPANTS, add
from tests.test_bids_replaced import damage

FIRST = Scan(2, "t1", "10:00:00")
SECOND = Scan(2, "t1", "11:00:00", shape=(5, 4, 3))


def exchanged_subjects(root: Path) -> BidsStudy:
    """Return an exported study of x (sub-1/ses-a) and y (sub-2/ses-b) whose labels are then exchanged in the rule file."""
    study = BidsStudy(root)
    add(study, "S1", "070Y", FIRST, subject="x", ses="a")
    add(study, "S2", "030Y", SECOND, subject="y", ses="b")
    study.set_labels(x="1", y="2")
    assert study.run().status == 0
    study.set_labels(x="2", y="1")
    return study


def lose_subject(study: BidsStudy, name: str) -> None:
    """Remove the records of a session, as an import that replaces it does for a moment, or one that was killed then."""
    (study.sessions / name / "session.txt").unlink()
    shutil.rmtree(study.sessions / name / "qxbatch")


def files_of_subjects(study: BidsStudy) -> dict[str, bytes]:
    return {path: data for path, data in study.tree().items() if path.startswith(("sub-", PARTICIPANTS))}


@pytest.mark.parametrize("reason", ["undecided", "damaged", "not chosen"])
def test_a_session_is_not_exported_to_a_subject_whose_earlier_session_cannot_leave(
    tmp_path: Path, *, reason: str
) -> None:
    study = exchanged_subjects(tmp_path)
    before = files_of_subjects(study)
    if reason == "undecided":
        study.add("S1", FIRST, Scan(4, "unknown"), subject="x", ses="a")
    elif reason == "damaged":
        damage(study, "S1")
    run = study.run(*(["--sessions=S2"] if reason == "not chosen" else []))
    assert run.status == 1
    assert "of session S1, which is not exported now" in " ".join(run.text.split())
    assert files_of_subjects(study) == before


def test_subjects_whose_sessions_are_all_exported_exchange_their_labels(tmp_path: Path) -> None:
    study = exchanged_subjects(tmp_path)
    assert study.run().status == 0
    tree = files_of_subjects(study)
    assert {path for path in tree if path.endswith(".nii.gz")} == {
        "sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz",
        "sub-2/ses-a/anat/sub-2_ses-a_T1w.nii.gz",
    }
    assert tree[PARTICIPANTS].decode().splitlines()[1:] == ["sub-1\t30\tF", "sub-2\t70\tF"]


def test_a_session_that_was_in_a_subject_before_is_exported_though_another_one_cannot_leave(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", FIRST, subject="x", ses="a")
    study.add("S2", SECOND, subject="x", ses="b")
    assert study.run().status == 0
    study.rules.write_text(study.rules.read_text() + '[session.S1]\nsubject = "y"\n')
    study.add("S2", Scan(2, "t1", "12:00:00", shape=(6, 4, 3)), subject="x", ses="b")
    assert study.run("--sessions=S2").status == 0
    image = study.sessions / "S2" / "nii" / "21.nii.gz"
    assert study.tree()["sub-x/ses-b/anat/sub-x_ses-b_T1w.nii.gz"] == image.read_bytes()


def test_a_subject_of_another_study_is_recognised_although_its_session_has_the_id_of_an_exported_one(
    tmp_path: Path,
) -> None:
    study, other = BidsStudy(tmp_path / "one"), BidsStudy(tmp_path / "other")
    other.bids = study.bids
    study.add("S1", FIRST, subject="A-1", ses="a")
    assert study.run().status == 0
    before = files_of_subjects(study)
    other.add("S1", SECOND, subject="Z", ses="a")
    other.add("S2", SECOND, subject="A1", ses="b")
    run = other.run()
    assert run.status == 1
    assert "subjects A-1 (session S1 in the data set) and A1 have one label, sub-A1" in " ".join(run.text.split())
    assert files_of_subjects(study) == before


def test_a_session_does_not_get_the_label_of_one_whose_subject_is_not_known_now(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", FIRST, subject="A-1", ses="a")
    assert study.run().status == 0
    before = files_of_subjects(study)
    study.add("S2", SECOND, subject="A1", ses="b")
    assert study.run().status == 1
    lose_subject(study, "S1")
    run = study.run()
    assert run.status == 1
    assert "subjects A-1 (session S1 in the data set) and A1 have one label" in " ".join(run.text.split())
    assert files_of_subjects(study) == before


def test_a_session_is_not_exported_to_a_subject_whose_earlier_session_may_be_of_another_subject_now(
    tmp_path: Path,
) -> None:
    study = exchanged_subjects(tmp_path)
    before = files_of_subjects(study)
    lose_subject(study, "S1")
    assert study.run().status == 1
    assert files_of_subjects(study) == before


def test_a_session_of_another_person_now_does_not_stay_with_one_whose_subject_is_not_known_now(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", FIRST, subject="A1", ses="a")
    study.add("S2", SECOND, subject="A1", ses="b")
    assert study.run().status == 0
    before = files_of_subjects(study)
    study.add("S2", Scan(2, "t1", "12:00:00", shape=(6, 4, 3)), subject="A-1", ses="b")
    assert study.run().status == 1
    lose_subject(study, "S1")
    run = study.run()
    assert run.status == 1
    assert "subjects A1 (session S1 in the data set) and A-1 have one label" in " ".join(run.text.split())
    assert files_of_subjects(study) == before


def test_another_session_of_a_subject_is_exported_again_while_an_import_replaces_the_first_one(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", FIRST, subject="x", ses="a")
    study.add("S2", SECOND, subject="x", ses="b")
    assert study.run().status == 0
    lose_subject(study, "S1")
    study.add("S2", Scan(2, "t1", "12:00:00", shape=(6, 4, 3)), subject="x", ses="b")
    assert "1 session exported" in study.run().out
    image = study.sessions / "S2" / "nii" / "21.nii.gz"
    assert study.tree()["sub-x/ses-b/anat/sub-x_ses-b_T1w.nii.gz"] == image.read_bytes()


@pytest.mark.parametrize("name", ["A1", "a1"])
def test_a_subject_of_another_study_is_recognised_without_its_scans_tsv_and_whatever_the_case_of_its_label(
    tmp_path: Path, *, name: str
) -> None:
    study, other = BidsStudy(tmp_path / "one"), BidsStudy(tmp_path / "other")
    other.bids = study.bids
    study.add("S1", FIRST, subject="A-1", ses="a")
    assert study.run().status == 0
    (study.bids / "sub-A1" / "ses-a" / "sub-A1_ses-a_scans.tsv").unlink()
    before = files_of_subjects(study)
    other.add("S2", SECOND, subject=name, ses="b")
    run = other.run()
    assert run.status == 1
    assert f"subjects A-1 (session S1 in the data set) and {name} have one label, sub-{name}" in " ".join(
        run.text.split()
    )
    assert files_of_subjects(study) == before


def test_a_session_of_another_study_does_not_get_a_folder_whose_labels_differ_only_in_case(tmp_path: Path) -> None:
    study, other = BidsStudy(tmp_path / "one"), BidsStudy(tmp_path / "other")
    other.bids = study.bids
    study.add("S1", FIRST, subject="A1", ses="a")
    assert study.run().status == 0
    other.add("S2", SECOND, subject="a1", ses="A")
    run = other.run()
    assert run.status == 1
    assert "S2: not exported: sub-A1/ses-a/anat/sub-A1_ses-a_T1w.json is of session S1 of" in " ".join(run.text.split())
    assert not (study.bids / "sub-a1").exists()
