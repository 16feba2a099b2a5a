"""A subject of the data set gets other sessions, and earlier ones leave it: its folder has images of one person."""

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
