"""Sessions of another study that have the name of a session in the data set."""

import shutil

import pytest

from tests.build.bids import Scan
from tests.build.bids_study import BidsStudy
from tests.build.study import run_main


@pytest.fixture
def study(tmp_path):
    study = BidsStudy(tmp_path)
    study.add("S1")
    study.add("S2")
    return study


def test_a_session_of_another_study_does_not_replace_one_of_its_name(study, tmp_path):
    other = BidsStudy(tmp_path / "other")
    other.add("S1", Scan(2, "t1", "11:00:00"))
    other.add("S9")
    assert study.run().status == 0
    before = study.tree()
    other.bids = study.bids
    run = other.run()
    assert run.status == 1
    assert f"contains session S1 of {study.sessions}" in " ".join(run.out.split())
    assert "1 session exported" in run.out
    after = study.tree()
    assert {path: after[path] for path in before if path.startswith("sub-S1")} == {
        path: data for path, data in before.items() if path.startswith("sub-S1")
    }
    assert any(path.startswith("sub-S9") for path in after)
    assert other.run().status == 1, "the next export knows it too"
    assert study.run().status == 0


def test_a_session_does_not_replace_one_of_the_study_to_which_the_same_link_led_before(study, tmp_path):
    link, other = tmp_path / "current", BidsStudy(tmp_path / "other")
    other.add("S1", Scan(2, "t1", "11:00:00", shape=(5, 4, 3)))
    link.symlink_to(study.sessions)
    words = ["bids", str(link), str(study.bids), f"--rules={study.rules}"]
    assert run_main(*words).status == 0
    before = files_of(study, "S1")
    link.unlink()
    link.symlink_to(other.sessions)
    run = run_main(*words)
    assert run.status == 1
    assert f"contains session S1 of {study.sessions}" in " ".join(run.out.split())
    assert files_of(study, "S1") == before
    assert study.run().status == 0


def test_sessions_that_were_moved_with_their_folder_are_exported(study, tmp_path):
    assert study.run().status == 0
    study.sessions = study.sessions.rename(tmp_path / "moved")
    assert study.run().status == 0


def move_dataset(study, folder):
    folder.mkdir()
    study.bids = study.bids.rename(folder / "bids")


def files_of(study, subject):
    return {path: data for path, data in study.tree().items() if path.startswith(f"sub-{subject}/")}


def test_a_session_of_another_study_does_not_replace_one_of_its_name_after_the_data_set_was_moved(study, tmp_path):
    assert study.run().status == 0
    before = files_of(study, "S1")
    move_dataset(study, tmp_path / "elsewhere")
    other = BidsStudy(tmp_path / "other")
    other.add("S1", Scan(2, "t1", "11:00:00", shape=(5, 4, 3)))
    other.bids = study.bids
    run = other.run()
    assert run.status == 1
    assert f"session S1 of {tmp_path / 'elsewhere' / 'sessions'}, which does not exist now" in " ".join(run.out.split())
    assert files_of(study, "S1") == before
    assert study.run().status == 0, "the first study has images of it"
    assert files_of(study, "S1") == before


def test_a_replaced_session_is_exported_after_its_files_were_deleted_from_the_moved_data_set(study, tmp_path):
    assert study.run().status == 0
    move_dataset(study, tmp_path / "elsewhere")
    shutil.rmtree(study.sessions / "S1")
    study.add("S1", Scan(2, "t1", "11:00:00", shape=(5, 4, 3)))
    assert study.run().status == 1
    shutil.rmtree(study.bids / "sub-S1")
    assert study.run().status == 0
    assert set(files_of(study, "S1")) > {"sub-S1/anat/sub-S1_T1w.nii.gz"}


def test_the_only_image_that_is_left_has_another_name_after_the_data_set_was_moved(study, tmp_path):
    assert study.run().status == 0
    move_dataset(study, tmp_path / "elsewhere")
    study.change_rules("anat/T1w", "anat/T2w")
    assert study.run().status == 0
    assert "sub-S1/anat/sub-S1_T2w.nii.gz" in study.tree()


def test_dates_of_a_subject_in_two_studies_are_shifted_by_one_table(tmp_path):
    study, other = BidsStudy(tmp_path / "one"), BidsStudy(tmp_path / "two")
    study.add("P1_a", subject="P1", ses="a")
    other.add("P1_b", subject="P1", ses="b")
    assert study.run("--shift-dates").status == 0
    assert other.run("--shift-dates").status == 0, "it has its own table now"
    other.bids = study.bids
    run = other.run("--shift-dates")
    assert run.status == 64
    table = study.sessions / "bids-date-shifts.tsv"
    assert f"Add --shift-table={table}" in " ".join(run.err.split())
    assert other.run("--shift-dates", f"--shift-table={table}").status == 0
    days = {
        line.split("\t")[1][:10] for line in (study.bids / "sub-P1/sub-P1_sessions.tsv").read_text().splitlines()[1:]
    }
    assert len(days) == 1, "both sessions are of one day"
    table.rename(tmp_path / "moved.tsv")
    assert study.run("--shift-dates", f"--shift-table={tmp_path / 'moved.tsv'}").status == 0


def test_the_table_of_another_study_does_not_shift_dates_of_a_data_set_that_was_moved(tmp_path):
    study, other = BidsStudy(tmp_path / "one"), BidsStudy(tmp_path / "two")
    study.add("P1_a", subject="P1", ses="a")
    other.add("P1_b", subject="P1", ses="b")
    assert study.run("--shift-dates").status == 0
    assert other.run("--shift-dates").status == 0, "it has its own table now"
    move_dataset(study, tmp_path / "elsewhere")
    before, other.bids = study.tree(), study.bids
    run = other.run("--shift-dates")
    assert run.status == 64
    assert "No session of this export shows that" in " ".join(run.err.split())
    assert study.tree() == before
    assert study.run("--shift-dates").status == 0, "it has a session of the data set"
    table = study.sessions / "bids-date-shifts.tsv"
    assert other.run("--shift-dates", f"--shift-table={table}").status == 0


def test_dates_are_not_shifted_by_a_table_that_was_made_again(tmp_path):
    study = BidsStudy(tmp_path)
    study.add("P1_a", subject="P1", ses="a")
    study.add("P1_b", Scan(2, "t1", "11:00:00"), subject="P1", ses="b")
    assert study.run("--shift-dates").status == 0
    before, bids = study.tree(), study.bids
    (study.sessions / "bids-date-shifts.tsv").write_text("participant_id\tdays\nP1\t50000\n")
    run = study.run("--shift-dates", "--sessions=P1_b")
    assert run.status == 64
    assert "The dates of session P1_b" in " ".join(run.err.split())
    assert study.tree() == before
    study.bids = tmp_path / "new"
    assert study.run("--shift-dates").status == 0
    study.bids = bids
    assert study.run("--shift-dates").status == 64


@pytest.mark.parametrize("is_removed", [False, True])
def test_a_subject_does_not_get_the_label_of_another_one(study, tmp_path, is_removed):
    """The names A-1 and A1 are reduced to one label; the other session is in another study, or was removed."""
    study.add("S3", ses="a", subject="A-1")
    assert study.run().status == 0
    before = files_of(study, "A1")
    other = study
    if is_removed:
        shutil.rmtree(study.sessions / "S3")
    else:
        other = BidsStudy(tmp_path / "other")
        other.bids = study.bids
    other.add("S4", ses="b", subject="A1")
    for _ in range(2):
        run = other.run()
        assert run.status == 1
        assert "subjects A-1 (session S3 in the data set) and A1 have one label, sub-A1." in " ".join(run.out.split())
        assert files_of(study, "A1") == before
    other.rules.write_text(other.rules.read_text() + '\n[session.S4]\nsubject = "A1"\n')
    assert other.run().status == 0, "the rules say that it is one subject"
    assert any("/ses-b/" in path for path in files_of(study, "A1"))


def test_sessions_of_one_subject_in_two_studies_are_exported(study, tmp_path):
    study.add("S3", ses="a", subject="A-1")
    assert study.run().status == 0
    other = BidsStudy(tmp_path / "other")
    other.bids = study.bids
    other.add("S4", ses="b", subject="A-1")
    assert other.run().status == 0


def test_the_label_of_a_session_of_another_study_is_named_with_its_sessions_folder(study, tmp_path):
    other = BidsStudy(tmp_path / "other")
    other.add("P1", Scan(2, "t1", "11:00:00"))
    other.set_labels(P1="S1")
    assert study.run().status == 0
    other.bids = study.bids
    text = " ".join(other.run().text.split())
    assert (
        f"is of session S1 of {study.sessions}. Give the session another label, or export to another data set." in text
    )
    assert "no longer exists" not in text


def test_a_session_of_another_study_whose_files_were_deleted_does_not_refuse_one_of_its_name(study, tmp_path):
    assert study.run().status == 0
    shutil.rmtree(study.bids / "sub-S1")
    other = BidsStudy(tmp_path / "other")
    other.add("S1", Scan(2, "t1", "11:00:00"))
    other.bids = study.bids
    assert other.run().status == 0
    assert "contains session S1 of" in " ".join(study.run().text.split())
