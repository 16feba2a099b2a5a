"""An export keeps edited files, and the files of sessions that it does not export."""

import hashlib
import json
import os
import shutil

import pytest

from qxbatch.bids.files.dataset_folder import DatasetFolder
from qxbatch.publish.durable import rename_noreplace_at
from tests.build.bids import Scan
from tests.build.bids_study import BOLD, SCANS, T1, BidsStudy
from tests.build.study import run_main


@pytest.fixture
def study(tmp_path):
    study = BidsStudy(tmp_path)
    study.add("S1")
    study.add("S2")
    return study


def test_an_edited_sidecar_is_kept_and_reported(study):
    assert study.run().status == 0
    path = study.bids / f"{BOLD}.json"
    path.write_text('{"TaskName": "mine"}')
    run = study.run()
    assert run.status == 0
    assert path.read_text() == '{"TaskName": "mine"}'
    assert f"left alone: {BOLD}.json: it was edited" in run.out
    assert "Delete it and run again" in run.out


def test_an_edit_that_keeps_size_and_modification_time_is_kept(study):
    assert study.run().status == 0
    path = study.bids / f"{T1}.json"
    status, edited = path.stat(), path.read_bytes().replace(b"0.03", b"0.04")
    assert edited != path.read_bytes()
    path.write_bytes(edited)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    study.change_rules('as = "anat/T1w"', 'as = "anat/T1w"\nset = { PulseSequenceType = "MPRAGE" }')
    run = study.run()
    assert path.read_bytes() == edited
    assert f"left alone: {T1}.json: it was edited" in run.out


@pytest.mark.parametrize("in_place", [False, True])
def test_an_edit_right_after_the_export_wrote_the_file_is_kept(study, monkeypatch, *, in_place):
    path = study.bids / f"{T1}.json"
    edits: list[bytes] = []

    def rename_and_edit(*arguments):
        rename_noreplace_at(*arguments)
        if arguments[3] == path.name and path.exists() and not edits:
            edits.append(path.read_bytes().replace(b"0.03", b"0.04"))
            file = path if in_place else path.with_name("new")
            file.write_bytes(edits[0])
            os.utime(file, ns=(1, 1))
            file.rename(path)

    monkeypatch.setattr("qxbatch.bids.write.apply.rename_noreplace_at", rename_and_edit)
    assert study.run().status == 0
    study.change_rules('as = "anat/T1w"', 'as = "anat/T1w"\nset = { PulseSequenceType = "MPRAGE" }')
    run = study.run()
    assert [path.read_bytes()] == edits
    assert f"left alone: {T1}.json: it was edited" in run.out


def test_an_edited_file_that_a_rule_would_move_is_kept(study):
    assert study.run().status == 0
    path = study.bids / f"{BOLD}.json"
    path.write_text("{}")
    study.change_rules("task-rest", "task-eyesopen")
    run = study.run()
    assert path.read_text() == "{}"
    assert "the export would change it" in run.out
    assert not (study.bids / f"{BOLD}.nii.gz").exists()


def test_a_deleted_file_is_exported_again(study):
    assert study.run().status == 0
    path = study.bids / f"{BOLD}.json"
    content = path.read_text()
    path.write_text("{}")
    path.unlink()
    assert study.run().status == 0
    assert path.read_text() == content


def test_a_file_that_the_export_did_not_write_is_not_overwritten(study):
    path = study.bids / f"{T1}.json"
    path.parent.mkdir(parents=True)
    (study.bids / "dataset_description.json").write_text('{"Name": "mine", "BIDSVersion": "1.10.0"}')
    path.write_text("{}")
    run = study.run()
    assert path.read_text() == "{}"
    assert f"left alone: {T1}.json: the export did not write it" in run.out
    assert json.loads((study.bids / "dataset_description.json").read_text())["Name"] == "mine"


def test_an_edited_readme_or_description_is_kept_without_a_message(study):
    assert study.run().status == 0
    for name in ("README", "CHANGES", "dataset_description.json", ".bidsignore"):
        (study.bids / name).write_text('{"Name": "mine", "BIDSVersion": "1.10.0"}')
    run = study.run()
    assert "left alone" not in run.out
    assert "mine" in (study.bids / "README").read_text()


def test_columns_rows_and_values_added_to_a_table_are_kept(study):
    assert study.run().status == 0
    path = study.bids / "participants.tsv"
    path.write_text("participant_id\tgroup\nsub-S2\tpatient\nsub-S1\tcontrol\n")
    study.add("S3")
    assert study.run().status == 0
    expected = "participant_id\tgroup\nsub-S2\tpatient\nsub-S1\tcontrol\nsub-S3\tn/a\n"
    assert path.read_text() == expected
    study.add("S4")
    assert study.run().status == 0
    assert path.read_text() == expected + "sub-S4\tn/a\n", "the second export after the edit keeps it too"


@pytest.mark.parametrize(
    ("content", "end"),
    [
        ("participant_id\tcity\nsub-S1\tM\xfcnchen\n".encode("latin-1"), b"\n"),
        (b"participant_id\twave\nsub-S1\t1\nsub-S1\t2\nsub-S2\t1\n", b"\n"),
        (b"participant_id\twave\n\n\tno subject\n  \nsub-S1\t1", b"\n"),
        ("\ufeffparticipant_id\tnote\nsub-S1\t a\u00a0b\u2028c\x0bd \n".encode(), b"\n"),
        (b"note\tparticipant_id\r\nx\tsub-S1\r\ny\r\n", b"\r\n"),
        (b"participant_id\tnote\r\nsub-S1\tx\r\nsub-S2\ty\r", b"\r\n"),
        (b"participant_id\tnote\nsub-S1\tx\nsub-S2\ty\r", b"\n"),
    ],
    ids=["not UTF-8", "equal names", "no name", "unusual characters", "CR LF", "CR without LF", "CR after LF"],
)
def test_all_bytes_of_an_edited_table_are_kept(study, content, end):
    assert study.run().status == 0
    path = study.bids / "participants.tsv"
    path.write_bytes(content)
    assert study.run().status == 0
    assert path.read_bytes().startswith(content)
    before = path.read_bytes()
    study.add("S3")
    assert study.run().status == 0
    added = b"n/a\tsub-S3" if content.startswith(b"note") else b"sub-S3\tn/a"
    assert path.read_bytes() == before + (b"" if before.endswith(b"\n") else b"\n") + added + end
    assert study.run().status == 0
    assert study.tree()["participants.tsv"] == path.read_bytes()


def test_an_undecided_session_does_not_affect_the_others(study):
    study.add("S3", Scan(7, "unknown"))
    run = study.run()
    assert run.status == 1
    assert "S3: not exported: series 7 (unknown)" in run.out
    study.add("S4", Scan(8, "zero", header={"SeriesNumber": 0}))
    assert "S4: not exported: series 0 (zero)" in study.run().out
    assert f"{T1}.nii.gz" in study.tree()
    assert not (study.bids / "sub-S3").exists()


def test_a_session_that_becomes_undecided_keeps_its_exported_files(study):
    assert study.run().status == 0
    before = study.tree()
    study.add("S2", *SCANS, Scan(7, "unknown"))
    assert study.run().status == 1
    assert study.tree() == before


def test_a_session_with_a_missing_image_does_not_affect_the_others(study):
    (study.sessions / "S2" / "nii" / "21.nii.gz").unlink()
    run = study.run()
    assert run.status == 1
    assert "S2: not exported" in run.out
    assert "21.nii.gz cannot be read" in run.out
    assert f"{T1}.nii.gz" in study.tree()
    assert not (study.bids / "sub-S2").exists()


def test_sessions_that_are_not_selected_stay_unchanged(study):
    assert study.run().status == 0
    before = study.tree()
    study.change_rules("task-rest", "task-eyesopen")
    assert study.run("--sessions=S1").status == 0
    tree = study.tree()
    assert {path for path in before if path.startswith("sub-S2/")} <= set(tree)
    assert "sub-S1/func/sub-S1_task-eyesopen_bold.json" in tree
    assert tree["participants.tsv"] == before["participants.tsv"]


def test_a_removed_session_keeps_its_exported_files(study):
    assert study.run().status == 0
    before = study.tree()
    (study.sessions / "S2").rename(study.sessions.parent / "S2")
    assert study.run().status == 0
    assert study.tree() == before


def test_a_session_does_not_take_the_label_of_one_that_is_not_exported(study):
    assert study.run().status == 0
    before = study.tree()
    study.rules.write_text(study.rules.read_text() + '\n[session.S2]\nsubject = "S1"\n[session.S1]\nsubject = "S2"\n')
    run = study.run("--sessions=S2")
    assert run.status == 1
    assert "Export both" in run.out
    assert study.tree() == before
    assert study.run().status == 0
    assert study.tree()["code/qxbatch/export.json"] != before["code/qxbatch/export.json"]


def test_a_readme_in_markdown_replaces_the_generated_one(study):
    assert study.run().status == 0
    (study.bids / "README.md").write_text("mine")
    assert study.run().status == 0
    assert "README" not in study.tree()
    assert study.tree()["README.md"] == b"mine"


def test_a_session_that_cannot_be_exported_is_not_in_the_participants_table(study):
    study.add("S3")
    (study.sessions / "S3" / "nii" / "21.nii.gz").unlink()
    run = study.run()
    assert run.status == 1
    assert (study.bids / "participants.tsv").read_text() == "participant_id\nsub-S1\nsub-S2\n"


def test_an_added_row_of_a_subject_without_images_is_kept(study):
    assert study.run().status == 0
    path = study.bids / "participants.tsv"
    path.write_text("participant_id\nsub-S1\nsub-S2\nsub-X\n")
    study.add("S3")
    assert study.run().status == 0
    assert path.read_text() == "participant_id\nsub-S1\nsub-S2\nsub-X\nsub-S3\n"


def test_a_renamed_session_is_exported_after_its_old_files_are_deleted(study):
    assert study.run().status == 0
    (study.sessions / "S2").rename(study.sessions / "S-2")
    run = study.run()
    assert run.status == 1
    assert "is of session S2, which no longer exists. Delete the files of S2" in " ".join(run.out.split())
    shutil.rmtree(study.bids / "sub-S2")
    assert study.run().status == 0
    assert "sub-S2/anat/sub-S2_T1w.nii.gz" in study.tree()


def test_an_edited_sidecar_of_a_replaced_image_is_reported(study):
    study.add(
        "S3", Scan(2, "t1"), Scan(4, "rest", "10:10:00", 100, volumes=3), Scan(5, "rest", "10:20:00", 100, volumes=4)
    )
    assert study.run().status == 0
    sidecar = study.bids / "sub-S3/func/sub-S3_task-rest_run-2_bold.json"
    sidecar.write_text('{"mine": 1}')
    study.add("S3", Scan(2, "t1"), *(Scan(k, "rest", f"10:{10 * k}:00", 100, volumes=k) for k in (3, 4, 5)))
    run = study.run("--json")
    assert sidecar.read_text() == '{"mine": 1}'
    (left,) = json.loads(run.out)["left"]
    assert left["other_image"]
    assert "describes another image than the one that exists now" in " ".join(study.run().out.split())


def test_a_session_found_damaged_while_copying_is_not_in_the_participants_table(study):
    study.add("S3", ses="x", subject="S3")
    image = study.sessions / "S3" / "nii" / "21.nii.gz"
    summary = study.sessions / "S3" / "qxbatch" / "summary.json"
    status, content = image.stat(), json.loads(summary.read_text())
    (image_summary,) = (each for each in content["images"] if each["number"] == 21)
    image_summary["sums"] = {"nii/21.nii.gz": {"size": status.st_size, "sha256": "0" * 64}}
    summary.write_text(json.dumps(content))
    run = study.run()
    assert run.status == 1, run.text
    assert (study.bids / "participants.tsv").read_text() == "participant_id\nsub-S1\nsub-S2\n"
    assert not (study.bids / "sub-S3").exists()


@pytest.mark.parametrize("change", ["undecided", "removed"])
def test_tables_keep_the_rows_of_sessions_that_are_not_exported(tmp_path, change):
    study = BidsStudy(tmp_path)
    study.add("A_x", ses="x", subject="A")
    study.add("B_x", ses="x", subject="B")
    assert study.run().status == 0
    before = study.tree()
    for name in ("A_x", "B_x"):
        if change == "removed" and name == "A_x":
            shutil.rmtree(study.sessions / name)
        else:
            study.add(name, Scan(9, "unknown"), ses="x", subject=name[0])
    assert study.run().status == 1
    assert study.tree() == before


def test_a_session_that_is_named_alone_does_not_make_another_one_missing(study):
    study.set_labels(S1="1", S2="2")
    assert study.run().status == 0
    before = study.tree()
    study.set_labels(S1="2", S2="1")
    run = run_main("bids", str(study.sessions / "S1"), *study.words[2:])
    assert run.status == 1
    assert "is of session S2, which is not exported now. Export both in one run." in " ".join(run.text.split())
    assert study.tree() == before


def test_a_table_whose_lines_end_with_a_carriage_return_is_left_alone(tmp_path):
    study = BidsStudy(tmp_path)
    study.add("S1")
    assert study.run().status == 0
    table = study.bids / "participants.tsv"
    table.write_bytes(b"participant_id\tgroup\rsub-S1\tpatient\r")
    before = table.read_bytes()
    study.add("S2")
    assert "left alone: participants.tsv" in study.run().out
    assert table.read_bytes() == before


def test_an_edited_table_of_the_record_that_cannot_be_read_is_left_alone(study):
    """An earlier version wrote such a table after the last LF of its CR LF was cut."""
    assert study.run().status == 0
    table, record = study.bids / "participants.tsv", study.bids / "code" / "qxbatch" / "export.json"
    table.write_bytes(b"participant_id\tgroup\r\nsub-S1\tpatient\r\r\nsub-S2\tn/a\r\n")
    content = json.loads(record.read_bytes())
    (entry,) = (each for each in content["files"] if each["path"] == table.name)
    before = table.read_bytes()
    entry |= {"edited": True, "size": len(before), "sha256": hashlib.sha256(before).hexdigest()}
    record.write_text(json.dumps(content))
    study.add("S3")
    for _ in range(2):
        assert "left alone: participants.tsv" in study.run().out
        assert table.read_bytes() == before


def test_a_name_that_changes_only_in_case_is_not_removed_where_both_are_one_file(study, monkeypatch):
    assert study.run().status == 0
    monkeypatch.setattr(DatasetFolder, "is_one_file", lambda *_: True)
    study.change_rules("task-rest", "task-REST")
    assert study.run().status == 0
    assert {f"{BOLD}.nii.gz", f"{BOLD.replace('rest', 'REST')}.nii.gz"} <= study.tree().keys()


def test_a_name_that_changes_in_case_is_removed_where_both_are_two_files(study):
    assert study.run("--link=hard").status == 0
    study.change_rules("task-rest", "task-REST")
    assert study.run("--link=hard").status == 0
    assert f"{BOLD}.nii.gz" not in study.tree()
    assert f"{BOLD.replace('rest', 'REST')}.nii.gz" in study.tree()
