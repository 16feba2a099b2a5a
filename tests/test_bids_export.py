"""The export adds, changes and removes files, and leaves other files unchanged."""

import fcntl
import json
import os
import shutil
from pathlib import Path

import jsonschema
import pytest

from qxbatch.publish import folder_lock
from tests.build.bids import Scan
from tests.build.bids_study import BOLD, T1, BidsStudy
from tests.build.study import run_main

SCHEMA = Path(__file__).parents[1] / "docs" / "schema" / "bids-export-1.json"


@pytest.fixture
def study(tmp_path):
    study = BidsStudy(tmp_path)
    study.add("S1")
    study.add("S2")
    return study


def test_an_export_contains_images_sidecars_tables_and_a_record(study):
    run = study.run()
    assert run.status == 0, run.text
    tree = study.tree()
    assert {f"{T1}.nii.gz", f"{T1}.json", f"{BOLD}.nii.gz", f"{BOLD}.json", "sub-S1/sub-S1_scans.tsv"} <= set(tree)
    assert {
        "dataset_description.json",
        "README",
        "CHANGES",
        ".bidsignore",
        "participants.tsv",
        "participants.json",
    } <= set(tree)
    assert tree[f"{T1}.nii.gz"] == (study.sessions / "S1" / "nii" / "21.nii.gz").read_bytes()
    record = {each["path"]: each for each in json.loads(tree["code/qxbatch/export.json"])["files"]}
    assert set(record) == set(tree) - {"code/qxbatch/export.json"}
    assert record[f"{BOLD}.nii.gz"]["rule"] == "func/task-rest_bold"
    assert (record[f"{BOLD}.nii.gz"]["session"], record[f"{BOLD}.nii.gz"]["image"]) == ("S1", 31)
    assert "2 sessions exported" in run.out


def test_the_same_input_gives_the_same_bytes(study, tmp_path):
    assert study.run().status == 0
    first = study.tree()
    assert run_main("bids", str(study.sessions), str(tmp_path / "x" / "bids"), f"--rules={study.rules}").status == 0
    study.bids = tmp_path / "x" / "bids"
    second = study.tree()
    different = {path for path in first if first[path] != second.get(path)}
    assert different <= {"dataset_description.json", "code/qxbatch/export.json"}, "the path to the sessions differs"
    assert set(first) == set(second)


def test_a_second_run_changes_nothing(study):
    assert study.run().status == 0
    before = {path: path.stat().st_mtime_ns for path in study.bids.rglob("*")}
    run = study.run()
    assert "0 added" in run.out
    assert {path: path.stat().st_mtime_ns for path in study.bids.rglob("*")} == before


def test_the_next_run_adds_a_new_session_and_its_row(study):
    assert study.run().status == 0
    study.add("S3")
    assert study.run().status == 0
    rows = study.tree()["participants.tsv"].decode().splitlines()
    assert rows == ["participant_id", "sub-S1", "sub-S2", "sub-S3"]
    assert "sub-S3/anat/sub-S3_T1w.nii.gz" in study.tree()


def test_a_changed_rule_moves_files(study):
    assert study.run().status == 0
    study.change_rules("task-rest", "task-eyesopen")
    assert study.run().status == 0
    tree = study.tree()
    assert f"{BOLD}.nii.gz" not in tree
    assert "sub-S1/func/sub-S1_task-eyesopen_bold.nii.gz" in tree
    assert b"task-eyesopen" in tree["sub-S1/sub-S1_scans.tsv"]
    assert b"task-rest" not in tree["sub-S1/sub-S1_scans.tsv"]


def test_a_changed_rule_that_ignores_a_series_removes_its_folder(study):
    assert study.run().status == 0
    study.change_rules('as = "func/task-rest_bold"', 'ignore = "not needed"')
    assert study.run().status == 0
    assert not (study.bids / "sub-S1" / "func").exists()


def test_a_dry_run_writes_nothing(study):
    run = study.run("--test")
    assert run.status == 0
    assert "would be exported" in run.out
    assert not study.bids.exists()


def test_json_output_is_one_document_with_all_sessions(study):
    study.add("S3", Scan(7, "unknown"))
    run = study.run("--json")
    value = json.loads(run.out)
    jsonschema.validate(value, json.loads(SCHEMA.read_text()))
    assert [each["state"] for each in value["sessions"]] == ["exported", "exported", "undecided"]
    assert value["files"]["add"] == len(value["changed"])


@pytest.mark.parametrize("link", ["auto", "hard", "copy", "symlink"])
def test_images_are_linked_or_copied_as_the_option_says(study, link):
    assert study.run(f"--link={link}").status == 0
    exported, source = study.bids / f"{T1}.nii.gz", study.sessions / "S1" / "nii" / "21.nii.gz"
    assert exported.read_bytes() == source.read_bytes()
    assert exported.is_symlink() == (link == "symlink")
    assert (exported.stat().st_ino == source.stat().st_ino) == (link in ("hard", "symlink"))
    assert "0 added" in study.run(f"--link={link}").out


def test_an_edit_of_an_exported_copy_does_not_change_the_session(study):
    assert study.run().status == 0
    source = study.sessions / "S1" / "nii" / "21.nii.gz"
    before = source.read_bytes()
    with (study.bids / f"{T1}.nii.gz").open("r+b") as file:
        file.write(b"edited")
    assert source.read_bytes() == before
    assert "it was edited" in study.run().out


def test_a_symbolic_link_is_replaced_and_its_target_stays_unchanged(study):
    assert study.run("--link=symlink").status == 0
    source = study.sessions / "S1" / "nii" / "21.nii.gz"
    before = source.read_bytes()
    assert study.run("--link=copy").status == 0
    assert not (study.bids / f"{T1}.nii.gz").is_symlink()
    assert source.read_bytes() == before


def test_nothing_is_written_through_a_linked_folder(study, tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    study.bids.mkdir()
    (study.bids / "dataset_description.json").write_text("{}")
    (study.bids / "sub-S1").symlink_to(target)
    run = study.run()
    assert list(target.iterdir()) == []
    assert "left alone: sub-S1/anat" in run.out


def test_a_link_that_replaces_a_file_is_not_followed(study, tmp_path):
    assert study.run().status == 0
    target = tmp_path / "target"
    target.write_text("{}")
    path = study.bids / f"{BOLD}.json"
    path.unlink()
    path.symlink_to(target)
    study.change_rules('as = "func/task-rest_bold"', 'as = "func/task-rest_bold"\nset = { Instructions = "x" }')
    study.run()
    assert target.read_text() == "{}"


def test_a_folder_that_is_not_a_data_set_is_refused(study):
    study.bids.mkdir()
    (study.bids / "thesis.doc").write_text("x")
    run = study.run()
    assert run.status == 64
    assert "not a BIDS data set" in run.err
    assert [path.name for path in study.bids.iterdir()] == ["thesis.doc"]


def test_a_data_set_that_cannot_be_listed_is_refused_with_advice(study):
    study.bids.write_bytes(b"a file")
    run = study.run()
    assert run.status == 73, run.text
    assert "Name a folder that you can read and write." in " ".join(run.err.split())


@pytest.mark.parametrize("where", ["sessions", "sessions/S1", "sessions/S1/bids", "."])
def test_a_data_set_in_or_around_the_sessions_folder_is_refused(study, where):
    run = run_main("bids", str(study.sessions), str(study.sessions.parent / where), f"--rules={study.rules}")
    assert run.status == 64, run.text


def test_a_second_export_at_the_same_time_is_refused(study, monkeypatch):
    assert study.run().status == 0
    monkeypatch.setattr(folder_lock, "_WAIT_SECONDS", 0.0)
    descriptor = os.open(study.bids / "code" / "qxbatch", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        run = study.run()
    finally:
        os.close(descriptor)
    assert run.status == 75
    assert "Another run exports" in run.err


def test_an_unknown_key_is_refused_before_anything_is_written(study):
    study.change_rules('as = "anat/T1w"', 'az = "anat/T1w"')
    run = study.run()
    assert run.status == 64
    assert not study.bids.exists()


def test_an_unreadable_record_is_refused(study):
    assert study.run().status == 0
    (study.bids / "code" / "qxbatch" / "export.json").write_text('{"schema": 1, "files": [{"path": "../x"}]}')
    run = study.run()
    assert run.status == 64
    assert "cannot be read" in run.err


def test_an_edit_through_a_hard_link_is_reported(study):
    assert study.run("--link=hard").status == 0
    with (study.bids / f"{T1}.nii.gz").open("r+b") as file:
        file.write(b"edited")
    run = study.run("--link=hard")
    assert "are one file by a hard link, and it was edited" in run.out


def test_a_new_image_behind_a_symbolic_link_is_not_reported_as_an_edit(study):
    assert study.run("--link=symlink").status == 0
    shutil.rmtree(study.sessions / "S1")
    study.add("S1", Scan(2, "t1", shape=(5, 4, 3)))
    assert "hard link" not in study.run("--link=symlink").text


def test_files_that_git_annex_replaced_by_links_are_recognised(study):
    assert study.run().status == 0
    path = study.bids / f"{T1}.nii.gz"
    annex = study.bids / ".git" / "annex" / "key"
    annex.parent.mkdir(parents=True)
    path.rename(annex)
    path.symlink_to("../../.git/annex/key")
    content = annex.read_bytes()
    run = study.run()
    assert "left alone" not in run.out
    study.change_rules('as = "anat/T1w"', 'ignore = "moved"')
    assert study.run().status == 0
    assert not path.is_symlink()
    assert annex.read_bytes() == content


def test_a_record_that_git_annex_replaced_by_a_link_is_read(study):
    assert study.run().status == 0
    record, annex = study.bids / "code" / "qxbatch" / "export.json", study.bids / ".git" / "annex" / "key"
    annex.parent.mkdir(parents=True)
    record.rename(annex)
    record.symlink_to("../../.git/annex/key")
    content = annex.read_bytes()
    study.change_rules("task-rest", "task-open")
    assert study.run().status == 0
    assert f"{BOLD}.nii.gz" not in study.tree(), "the file of the record is removed"
    assert annex.read_bytes() == content
    record.unlink()
    record.symlink_to("../../.git/annex/dropped")
    before = study.tree()
    run = study.run()
    assert run.status == 64
    assert "git annex get" in run.err
    assert study.tree() == before


def test_a_record_with_a_null_character_in_a_folder_is_refused(study):
    assert study.run().status == 0
    record = study.bids / "code" / "qxbatch" / "export.json"
    content = json.loads(record.read_text())
    record.write_text(json.dumps({**content, "folders": {"S1": "a\0b"}}))
    run = study.run()
    assert run.status == 64
    assert "has a null character" in run.err


@pytest.mark.parametrize("name", ["S\udcff3", "Süß 3", "S\u202e3"])
def test_a_session_with_an_unusual_name_is_exported_and_recognised(study, name):
    study.add("S3")
    (study.sessions / "S3").rename(study.sessions / name)
    run = study.run()
    assert run.status == 0, run.text
    assert "sub-S3/anat/sub-S3_T1w.nii.gz" in study.tree()
    assert "0 added" in study.run().out


@pytest.mark.parametrize("path", ["../x", "a//b", "", "/x", "a/./b", "a\0b"])
def test_a_record_with_a_path_outside_the_data_set_is_refused(study, path):
    assert study.run().status == 0
    record = study.bids / "code" / "qxbatch" / "export.json"
    content = json.loads(record.read_text())
    content["files"].append({"path": path, "size": 1, "sha256": "x"})
    record.write_text(json.dumps(content))
    run = study.run()
    assert run.status == 64
    assert "is not in the data set" in run.err


@pytest.mark.parametrize("word", [[], ["--test"]])
def test_a_session_with_a_name_that_is_too_long_does_not_prevent_the_export_of_the_others(tmp_path, word):
    study = BidsStudy(tmp_path)
    study.add("S1")
    study.add("S2", subject="x" * 260)
    study.add("S3", subject="y" * 230)
    run = study.run(*word)
    assert run.status == 1, run.text
    assert "S2: not exported: the name of sub-" in run.out
    assert "S3: not exported: the name of sub-" in run.out
    assert "1 session" in run.out
    assert word or (study.bids / f"{T1}.nii.gz").exists()
