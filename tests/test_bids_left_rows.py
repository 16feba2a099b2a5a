"""Rows of tables whose image or session left, and whose name another one gets later."""

import time
from pathlib import Path

import pytest

from qxbatch.bids.files.record import Record, RecordEntry
from qxbatch.bids.write.session_results import KeptFiles, SessionResults
from tests.build.bids import Scan
from tests.build.bids_study import BidsStudy
from tests.test_bids_edited_tables import PARTICIPANTS, add_column

FIRST = Scan(2, "t1", "10:00:00")
SECOND = Scan(2, "t1", "11:00:00", shape=(5, 4, 3))


def test_the_row_of_a_subject_that_its_only_session_left_is_reported_also_when_the_next_session_gets_it(
    tmp_path: Path,
) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", FIRST, subject="x", ses="a")
    study.add("S2", SECOND, subject="y", ses="a")
    study.set_labels(x="1", y="2")
    assert study.run().status == 0
    add_column(study, PARTICIPANTS, "group", ["patient", "control"])
    study.set_labels(x="3", y="2")
    run = study.run("--sessions=S1")
    assert "S1: participants.tsv was edited, so its row sub-1 stays, but that is no longer exported." in " ".join(
        run.text.split()
    )
    assert "sub-1/sub-1_sessions.tsv" not in study.tree()
    study.set_labels(x="3", y="1")
    text = " ".join(study.run().text.split())
    assert (
        "S2: participants.tsv was edited, so its row sub-1 stays, but that had no session at the last export." in text
    )
    assert "sub-1\tpatient" in study.tree()[PARTICIPANTS].decode()
    assert "its row sub-1 stays" not in study.run().text


def test_a_row_that_users_add_before_the_first_session_of_a_subject_is_not_reported(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", FIRST)
    assert study.run().status == 0
    table = study.bids / PARTICIPANTS
    table.write_text("participant_id\tgroup\nsub-S1\tpatient\nsub-S2\tcontrol\n")
    assert "warning" not in study.run().text
    study.add("S2", SECOND)
    assert "warning" not in study.run().text
    assert "sub-S2\tcontrol" in table.read_text()


def test_the_row_of_an_image_that_was_not_exported_is_reported_when_another_image_gets_its_name(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", Scan(2, "t1", None), Scan(3, "t2", None))
    study.rules.write_text(study.rules.read_text() + '[[rule]]\nmatch = { name = "t2" }\nas = "anat/T2w"\n')
    assert study.run().status == 0
    table = "sub-S1/sub-S1_scans.tsv"
    add_column(study, table, "quality", ["good", "bad"])
    study.add("S1", Scan(2, "t1", None))
    assert "anat/sub-S1_T2w.nii.gz stays, but that is no longer exported" in " ".join(study.run().text.split())
    study.add("S1", Scan(2, "t1", None), Scan(5, "t2", None, shape=(5, 4, 3)))
    text = " ".join(study.run().text.split())
    assert (
        f"{table} was edited, so its row anat/sub-S1_T2w.nii.gz stays, but that had no image at the last export" in text
    )
    assert "warning" not in study.run().text


def test_the_table_of_sessions_loses_a_session_that_left_also_if_no_other_one_of_the_subject_is_exported(
    tmp_path: Path,
) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", FIRST, subject="x", ses="a")
    study.add("S2", SECOND, subject="x", ses="b")
    assert study.run().status == 0
    study.rules.write_text(study.rules.read_text() + '[session.S1]\nsubject = "y"\n')
    assert study.run("--sessions=S1").status == 0
    rows = study.tree()["sub-x/sub-x_sessions.tsv"].decode().splitlines()[1:]
    assert [row.split("\t")[0] for row in rows] == ["ses-b"]


def test_rows_and_shared_files_are_not_compared_with_all_files_of_the_record() -> None:
    files = {
        path: RecordEntry(path, 1, "", session=path.split("/")[0])
        for k in range(4000)
        for path in [f"sub-{k}/ses-a/{k}.json"]
    }
    shared = [RecordEntry(f"sub-{k}/sub-{k}_sessions.tsv", 1, "") for k in range(4000)]
    kept = KeptFiles(Record(files), SessionResults())
    begin = time.process_time()
    assert all(map(kept.is_kept, shared))
    assert not kept.is_kept(RecordEntry("sub-x/sub-x_sessions.tsv", 1, ""))
    assert time.process_time() - begin < 1  # a comparison of all pairs takes several seconds


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_a_table_keeps_its_permissions_when_rows_are_added(tmp_path: Path, mode: int) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", FIRST)
    assert study.run().status == 0
    table = study.bids / PARTICIPANTS
    table.write_text("participant_id\tiq\nsub-S1\t100\n")
    table.chmod(mode)
    study.add("S2", SECOND)
    assert study.run().status == 0
    assert "sub-S2" in table.read_text()
    assert table.stat().st_mode & 0o777 == mode
