"""Files of users whose folder or image changed, beside a scans.tsv that users edited."""

import shutil

from tests.build.bids import Scan
from tests.build.bids_study import BidsStudy
from tests.test_bids_faults import exchanged_study, with_labels


def test_files_of_users_are_named_beside_a_scans_table_that_cannot_be_read(tmp_path):
    study, rules = exchanged_study(tmp_path / "study")
    table = study.bids / "sub-1" / "sub-1_scans.tsv"
    table.write_text(table.read_text().rstrip("\n") + "\tgood\n")
    with_labels(study, rules, "2", "1")
    study.run()
    (study.bids / "sub-1" / "sub-1_note.json").write_text("{}")
    assert "sub-1_note.json" not in study.run().text, "it is where its session is"
    with_labels(study, rules, "1", "2")
    assert "sub-1/sub-1_note.json is not of an export" in " ".join(study.run().text.split())


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
    assert "sub-S1/anat/sub-S1_T1w_events.tsv is not of an export" in " ".join(study.run().text.split())
