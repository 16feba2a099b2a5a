"""Files of users whose folder or image changed are named; others are not."""

import shutil
from pathlib import Path

from qxbatch.bids.files.dataset_folder import DatasetFolder
from qxbatch.bids.files.export_cache import ExportCache
from tests.build.bids import Scan
from tests.build.bids_study import BidsStudy
from tests.test_bids_edited_tables import PARTICIPANTS, T1, add_column
from tests.test_bids_faults import exchanged_study, export_with_fault


def test_files_of_users_are_named_beside_a_scans_table_that_cannot_be_read(tmp_path):
    study = exchanged_study(tmp_path / "study")
    table = study.bids / "sub-1" / "sub-1_scans.tsv"
    table.write_text(table.read_text().rstrip("\n") + "\tgood\n")
    study.set_labels(S1="2", S2="1")
    study.run()
    (study.bids / "sub-1" / "sub-1_note.json").write_text("{}")
    assert "sub-1_note.json" not in study.run().text, "it is where its session is"
    study.set_labels(S1="1", S2="2")
    assert "no export wrote sub-1/sub-1_note.json" in " ".join(study.run().text.split())


def test_a_file_beside_an_image_of_another_time_is_named_if_the_scans_table_was_edited(tmp_path):
    study = BidsStudy(tmp_path / "study")
    study.add("S1", Scan(2, "t1", "10:00:00"))
    assert study.run().status == 0
    table = study.bids / "sub-S1" / "sub-S1_scans.tsv"
    head, row = table.read_text().splitlines()
    table.write_text(f"{head}\tgroup\n{row}\tA\n")
    (study.bids / "sub-S1" / "anat" / "sub-S1_T1w_events.tsv").write_text("mine")
    assert "T1w_events.tsv" not in study.run().text
    shutil.rmtree(study.sessions / "S1")
    study.add("S1", Scan(2, "t1", "12:00:00"))
    assert "no export wrote sub-S1/anat/sub-S1_T1w_events.tsv" in " ".join(study.run().text.split())


def test_files_of_users_beside_an_image_that_is_removed_are_reported(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1")
    study.add("S2")
    study.set_labels(S1="1", S2="2")
    assert study.run().status == 0
    events = study.bids / "sub-1" / "func" / "sub-1_task-rest_events.tsv"
    events.write_text("onset\tduration\n")
    assert "warning" not in study.run("--sessions=S2").text
    study.set_labels(S1="3", S2="2")  # the next export could give 1 to S2
    text = " ".join(study.run().text.split())
    path = "sub-1/func/sub-1_task-rest"
    assert f"S1: {path}_bold.nii.gz is no longer exported, and no export wrote {path}_events.tsv. Move it" in text
    assert "1 warning" in text
    assert events.read_text() == "onset\tduration\n"
    assert "warning" not in study.run().text


def test_all_files_of_users_in_the_folder_of_a_label_are_reported_if_it_gets_another_session(tmp_path: Path) -> None:
    study = exchanged_study(tmp_path)
    behavior = study.bids / "sub-1" / "beh" / "sub-1_task-words_beh.tsv"
    behavior.parent.mkdir()
    behavior.write_text("mine\n")
    assert "warning" not in study.run().text
    study.set_labels(S1="2", S2="1")
    text = " ".join(study.run().text.split())
    assert (
        "S2: sub-1 is of another session than at the last export, and no export wrote sub-1/beh/sub-1_task-words_beh.tsv"
        in text
    )
    assert "1 warning" in text
    assert behavior.read_text() == "mine\n"
    assert "warning" not in study.run().text


def test_files_of_users_beside_an_image_of_another_time_are_reported(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1")
    assert study.run().status == 0
    events = study.bids / "sub-S1" / "func" / "sub-S1_task-rest_events.tsv"
    events.write_text("onset\tduration\n")
    study.add("S1", T1, Scan(3, "rest", "15:10:00", 100, volumes=5))
    text = " ".join(study.run().text.split())
    path = "sub-S1/func/sub-S1_task-rest"
    assert (
        f"S1: {path}_bold.nii.gz is another image than at the last export, and no export wrote {path}_events.tsv"
        in text
    )
    assert "1 warning" in text
    assert "warning" not in study.run().text


def test_an_edited_file_of_an_earlier_session_does_not_hide_that_a_label_has_another_session(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", T1)
    study.add("S2")
    study.set_labels(S1="1", S2="2")
    assert study.run().status == 0
    (study.bids / "sub-2" / "func" / "sub-2_task-rest_bold.json").write_text('{"mine": 1}')
    study.set_labels(S1="2", S2="1")
    assert study.run().status == 0
    (study.bids / "sub-2" / "sub-2_note.json").write_text('"of S1"')
    add_column(study, PARTICIPANTS, "group", ["of S2", "of S1"])
    assert "warning" not in study.run().text
    study.set_labels(S1="1", S2="2")
    text = " ".join(study.run().text.split())
    assert "its row sub-2 stays, but that is another session now" in text
    assert "S2: sub-2 is of another session than at the last export, and no export wrote sub-2/sub-2_note.json" in text


def test_files_of_users_in_the_sourcedata_of_a_label_that_gets_another_session_are_reported(tmp_path: Path) -> None:
    study = exchanged_study(tmp_path)
    physio = study.bids / "sourcedata" / "sub-1" / "physio.log"
    physio.parent.mkdir(parents=True)
    physio.write_text("of S1")
    study.set_labels(S1="2", S2="1")
    text = " ".join(study.run().text.split())
    assert (
        "sourcedata/sub-1 is of another session than at the last export, and no export wrote sourcedata/sub-1/physio.log"
        in text
    )


def test_images_of_an_export_whose_record_was_deleted_are_reported_in_the_folder_of_another_session(
    tmp_path: Path,
) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", T1)
    study.add("S2", Scan(3, "rest", "12:00:00", 100, volumes=3))
    study.set_labels(S1="1", S2="2")
    assert study.run().status == 0
    (study.bids / "code" / "qxbatch" / "export.json").unlink()
    study.set_labels(S1="2", S2="1")
    text = " ".join(study.run().text.split())
    assert "S2: sub-1 is of a new session, and no export wrote sub-1/anat/sub-1_T1w.json (and 1 more)" in text
    assert "S1: sub-2 is of a new session" in text


def test_events_and_dicom_that_users_add_before_the_first_export_are_not_reported(tmp_path: Path) -> None:
    study = exchanged_study(tmp_path)
    for path in ("sub-S3/func/sub-S3_task-rest_events.tsv", "sub-S3/beh/sub-S3_beh.tsv", "sourcedata/sub-S3/1.dcm"):
        (study.bids / path).parent.mkdir(parents=True, exist_ok=True)
        (study.bids / path).write_text("mine")
    study.add("S3")
    run = study.run()
    assert run.status == 0
    assert "warning" not in run.text
    tree = study.tree()
    assert "sub-S3/func/sub-S3_task-rest_bold.nii.gz" in tree
    assert tree["sub-S3/beh/sub-S3_beh.tsv"] == b"mine"


def test_files_and_rows_that_users_add_after_an_interrupted_export_are_reported_if_the_labels_change_back(
    tmp_path: Path,
) -> None:
    study = exchanged_study(tmp_path)
    study.set_labels(S1="2", S2="1")
    assert export_with_fault(study, "KILL@code/qxbatch/export.json", tmp_path / "steps")[0] < 0
    (study.bids / "sub-1" / "anat" / "sub-1_T1w_events.tsv").write_text("of S2")
    (study.bids / "sub-2" / "sub-2_note.json").write_text("of S1")
    add_column(study, PARTICIPANTS, "group", ["of S2", "of S1"])
    study.set_labels(S1="1", S2="2")
    text = " ".join(study.run().text.split())
    assert "sub-1/anat/sub-1_T1w.nii.gz was another image after an interrupted export" in text
    assert "sub-2 is of another session than at the last export, and no export wrote sub-2/sub-2_note.json" in text
    assert "its row sub-1 stays, but that is another session now" in text
    assert "hard link" not in text
    assert "warning" not in study.run().text


def test_a_run_that_completes_an_interrupted_export_warns_only_of_files_of_users(tmp_path: Path) -> None:
    study = exchanged_study(tmp_path)
    (study.bids / "sub-1" / "anat" / "sub-1_T1w_events.tsv").write_text("of S1")
    study.set_labels(S1="2", S2="1")
    assert export_with_fault(study, "KILL@code/qxbatch/export.json", tmp_path / "steps")[0] < 0
    text = " ".join(study.run().text.split())
    assert "sub-1_T1w.nii.gz is another image than at the last export" in text
    assert "1 warning" in text


def test_files_of_users_in_the_folder_of_a_label_without_sessions_are_reported(tmp_path: Path) -> None:
    study = exchanged_study(tmp_path)
    (study.bids / "sub-1" / "sub-1_note.json").write_text("{}")
    study.set_labels(S1="3", S2="2")
    assert "S1: sub-1 has no session any more, and no export wrote sub-1/sub-1_note.json" in " ".join(
        study.run().text.split()
    )


def test_files_of_users_beside_a_session_of_another_study_are_reported_after_an_interrupted_export(
    tmp_path: Path,
) -> None:
    study, other = BidsStudy(tmp_path / "one"), BidsStudy(tmp_path / "other")
    other.bids = study.bids
    study.add("S1", T1, subject="x", ses="a")
    assert study.run().status == 0
    other.add("P1", T1, subject="y", ses="b")
    other.set_labels(y="x")
    assert export_with_fault(other, "KILL@code/qxbatch/export.json", tmp_path / "steps")[0] < 0
    (study.bids / "sub-x" / "sub-x_note.json").write_text("{}")
    other.set_labels(y="y")
    text = " ".join(other.run().text.split())
    assert "P1: sub-x is of another session than at the last export, and no export wrote sub-x/sub-x_note.json" in text


def test_files_beside_an_image_are_found_if_other_entities_follow_its_echo(tmp_path: Path) -> None:
    start = "sub-1_acq-a_echo-1_flip-1_mt-on_part-mag"
    without_echo = "sub-1_acq-a_flip-1_mt-on_note.txt"
    folder = tmp_path / "sub-1" / "anat"
    folder.mkdir(parents=True)
    for name in (f"{start}_MPM.nii.gz", f"{start}_note.txt", without_echo, "sub-1_acq-a_note.txt"):
        (folder / name).touch()
    found = DatasetFolder(tmp_path, ExportCache(None)).files_beside(f"sub-1/anat/{start}_MPM.nii.gz")
    names = (f"{start}_MPM.nii.gz", f"{start}_note.txt", without_echo)
    assert found == {f"sub-1/anat/{name}" for name in names}
