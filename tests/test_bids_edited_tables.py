"""Tables of a data set that users edited, when the sessions give other values than at the last export."""

import json
import shutil
from pathlib import Path

import pytest

from tests.build.bids import Scan
from tests.build.bids_study import BidsStudy
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, under

T1 = Scan(2, "t1", "10:00:00")
LATER_T1 = Scan(2, "t1", "11:30:00")
SCANS_TSV = "sub-S1/sub-S1_scans.tsv"
PARTICIPANTS = "participants.tsv"


def add(study: BidsStudy, name: str, age: str, scan: Scan = T1, *, subject: str = "", ses: str | None = None) -> None:
    """Write a session of a subject of this age."""
    study.add(name, scan, subject=subject, ses=ses)
    series = MrSeries(changes={"PatientSex": "F", "PatientAge": age})
    (study.sessions / name / "dicom" / "20.tar.gz").write_bytes(packed(under("20", series.files()), Kind.TAR_GZ))


def add_column(study: BidsStudy, path: str, name: str, cells: list[str]) -> None:
    """Add a column to a table, as users do."""
    lines = (study.bids / path).read_text().splitlines()
    rows = [f"{line}\t{cell}\n" for line, cell in zip(lines, [name, *cells], strict=True)]
    (study.bids / path).write_text("".join(rows))


@pytest.fixture
def study(tmp_path: Path) -> BidsStudy:
    """Return an exported study, to whose tables a user added a column."""
    study = BidsStudy(tmp_path)
    add(study, "S1", "070Y")
    add(study, "S2", "030Y")
    assert study.run().status == 0
    add_column(study, PARTICIPANTS, "group", ["patient", "control"])
    add_column(study, SCANS_TSV, "quality", ["bad"])
    return study


def test_values_of_another_import_are_reported_and_the_table_stays(study: BidsStudy) -> None:
    assert "warning" not in study.run().text
    before = study.tree()
    add(study, "S1", "025Y", LATER_T1)
    for _ in range(2):  # until the user corrects the table
        run = study.run()
        assert run.status == 0
        text = " ".join(run.text.split())
        assert f"S1: {PARTICIPANTS} was edited, so age of sub-S1 stays 70, but it is now 25." in text
        assert f"S1: {SCANS_TSV} was edited, so acq_time of anat/sub-S1_T1w.nii.gz stays 2024-05-06T10:00:00" in text
        assert "2 warnings" in text
        after = study.tree()
        assert [after[path] for path in (PARTICIPANTS, SCANS_TSV)] == [
            before[path] for path in (PARTICIPANTS, SCANS_TSV)
        ]


def test_a_row_that_is_deleted_or_corrected_has_the_new_values(study: BidsStudy) -> None:
    add(study, "S1", "025Y", LATER_T1)
    assert study.run().status == 0
    lines = (study.bids / SCANS_TSV).read_text().splitlines(keepends=True)
    (study.bids / SCANS_TSV).write_text(lines[0])
    table = study.bids / PARTICIPANTS
    table.write_text(table.read_text().replace("\t70\t", "\t25\t"))
    assert "warning" not in study.run().text
    assert study.tree()[SCANS_TSV].decode().splitlines()[1] == "anat/sub-S1_T1w.nii.gz\t2024-05-06T11:30:00\tn/a"
    assert "warning" not in study.run().text


def test_a_value_that_only_the_user_changed_is_not_reported(study: BidsStudy) -> None:
    table = study.bids / PARTICIPANTS
    table.write_text(table.read_text().replace("\t70\t", "\t71\t"))
    for _ in range(2):
        assert "warning" not in study.run().text
    assert "\t71\t" in table.read_text()


@pytest.mark.parametrize("is_edited", [False, True])
def test_a_part_of_the_sessions_of_a_subject_does_not_change_its_age(tmp_path: Path, *, is_edited: bool) -> None:
    study = BidsStudy(tmp_path)
    add(study, "A_1", "030Y", subject="A", ses="1")
    add(study, "A_2", "032Y", LATER_T1, subject="A", ses="2")
    assert study.run().status == 0
    if is_edited:
        add_column(study, PARTICIPANTS, "group", ["control"])
    run = study.run("--sessions=A_2")
    assert run.status == 0
    assert "warning" not in run.text
    assert study.tree()[PARTICIPANTS].decode().splitlines()[1].startswith("sub-A\t30\tF")
    add(study, "A_1", "020Y", subject="A", ses="1")
    run = study.run()
    assert is_edited == ("age of sub-A stays 30, but it is now 20" in " ".join(run.text.split()))


def test_a_row_with_values_of_the_user_is_not_removed(study: BidsStudy) -> None:
    study.set_labels(S1="1", S2="2")
    run = study.run()
    assert run.status == 0
    text = " ".join(run.text.split())
    assert f"{PARTICIPANTS} was edited, so its row sub-S1 stays, but that is no longer exported." in text
    assert [line.split("\t")[0::3] for line in study.tree()[PARTICIPANTS].decode().splitlines()[1:]] == [
        ["sub-S1", "patient"],
        ["sub-S2", "control"],
        ["sub-1", "n/a"],
        ["sub-2", "n/a"],
    ]


def test_the_row_of_a_moved_file_is_removed_if_the_user_added_nothing_to_it(study: BidsStudy) -> None:
    add_column(study, "sub-S2/sub-S2_scans.tsv", "quality", ["n/a"])
    study.change_rules('as = "anat/T1w"', 'as = "anat/acq-new_T1w"')
    text = " ".join(study.run().text.split())
    tree = study.tree()
    assert [line.split("\t")[0] for line in tree["sub-S2/sub-S2_scans.tsv"].decode().splitlines()[1:]] == [
        "anat/sub-S2_acq-new_T1w.nii.gz"
    ]
    assert [line.split("\t")[0::2] for line in tree[SCANS_TSV].decode().splitlines()[1:]] == [
        ["anat/sub-S1_T1w.nii.gz", "bad"],
        ["anat/sub-S1_acq-new_T1w.nii.gz", "n/a"],
    ]
    assert "1 warning" in text


def test_a_row_with_values_is_not_removed_if_the_record_has_no_values(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    add(study, "S1", "070Y")
    assert study.run().status == 0
    table = study.bids / PARTICIPANTS
    table.write_text(table.read_text().replace("\t70\t", "\t71\t"))
    record = study.bids / "code" / "qxbatch" / "export.json"
    value = json.loads(record.read_text())
    for file in value["files"]:
        file.pop("rows", None)
    record.write_text(json.dumps(value))
    study.set_labels(S1="1")
    assert "its row sub-S1 stays, but that is no longer exported." in " ".join(study.run().text.split())
    assert "sub-S1\t71\tF\n" in table.read_text()


def test_values_of_sessions_that_are_not_exported_stay_in_a_table_that_was_not_edited(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    add(study, "S1", "070Y")
    study.add("S2", T1)
    assert study.run().status == 0
    before = study.tree()[PARTICIPANTS]
    assert before == b"participant_id\tage\tsex\nsub-S1\t70\tF\nsub-S2\tn/a\tn/a\n"
    assert study.run("--sessions=S2").status == 0
    assert study.tree()[PARTICIPANTS] == before
    shutil.rmtree(study.sessions / "S1")
    assert study.run().status == 0
    assert study.tree()[PARTICIPANTS] == before


def test_a_table_that_was_not_edited_keeps_the_columns_of_another_study(tmp_path: Path) -> None:
    study, other, log = BidsStudy(tmp_path / "one"), BidsStudy(tmp_path / "other"), tmp_path / "log.csv"
    log.write_text("packet,subject,group\nS1,S1,patient\n")
    study.add("S1", T1)
    words = [f"--logfile=path:{log}|packet_name:packet|subject_id:subject", "--participant-columns=group"]
    assert study.run(*words).status == 0
    other.bids = study.bids
    add(other, "P1", "030Y")
    assert other.run().status == 0
    rows = b"sub-P1\tn/a\t30\tF\nsub-S1\tpatient\tn/a\tn/a\n"
    assert study.tree()[PARTICIPANTS] == b"participant_id\tgroup\tage\tsex\n" + rows


def test_rows_and_files_of_users_are_reported_if_labels_are_exchanged(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", T1)
    study.add("S2", T1)
    study.set_labels(S1="1", S2="2")
    assert study.run().status == 0
    add_column(study, PARTICIPANTS, "group", ["patient", "n/a"])
    note = study.bids / "sub-1" / "anat" / "sub-1_T1w_note.tsv"
    note.write_text("moved\n")
    assert "warning" not in study.run().text
    before = study.tree()[PARTICIPANTS]
    study.set_labels(S1="2", S2="1")
    text = " ".join(study.run().text.split())
    assert f"S2: {PARTICIPANTS} was edited, so its row sub-1 stays, but that is another session now." in text
    assert (
        "sub-1_T1w.nii.gz is another image than at the last export, and no export wrote sub-1/anat/sub-1_T1w_note.tsv"
        in text
    )
    assert "2 warnings" in text
    assert (study.tree()[PARTICIPANTS], note.read_text()) == (before, "moved\n")
    assert "warning" not in study.run().text


def test_rows_and_files_of_users_are_reported_if_a_run_gets_another_number(tmp_path: Path) -> None:
    runs = {number: Scan(number, "rest", f"10:{number}:00", 100, volumes=3) for number in (13, 15, 17)}
    study = BidsStudy(tmp_path)
    study.add("S1", runs[13], runs[17])
    assert study.run().status == 0
    add_column(study, SCANS_TSV, "quality", ["good", "bad"])
    events = study.bids / "sub-S1" / "func" / "sub-S1_task-rest_run-2_events.tsv"
    events.write_text("onset\tduration\n")
    study.add("S1", *runs.values())
    text = " ".join(study.run().text.split())
    path = "func/sub-S1_task-rest_run-2"
    assert f"its row {path}_bold.nii.gz stays, but that is another image now." in text
    assert (
        f"sub-S1/{path}_bold.nii.gz is another image than at the last export, and no export wrote sub-S1/{path}_events.tsv"
        in text
    )
    assert events.read_text() == "onset\tduration\n"


@pytest.mark.parametrize("is_edited", [False, True])
def test_a_label_of_a_session_whose_files_were_deleted_gets_the_values_of_the_next_one(
    tmp_path: Path, *, is_edited: bool
) -> None:
    study = BidsStudy(tmp_path)
    add(study, "S1", "070Y")
    study.add("S1", T1, Scan(4, "rest", "10:30:00", 100, volumes=3))  # a path that the next session does not have
    study.set_labels(S1="1")
    assert study.run().status == 0
    if is_edited:
        add_column(study, PARTICIPANTS, "group", ["patient"])
    shutil.rmtree(study.sessions / "S1")
    shutil.rmtree(study.bids / "sub-1")
    add(study, "S2", "030Y", LATER_T1)
    study.set_labels(S2="1")
    run = study.run()
    assert run.status == 0
    if is_edited:
        text = " ".join(run.text.split())
        assert "its row sub-1 stays, but that is another session now" in text
        assert "age of sub-1 stays 70, but it is now 30" in text
    else:
        assert study.tree()[PARTICIPANTS] == b"participant_id\tage\tsex\nsub-1\t30\tF\n"


def test_rows_of_a_session_that_left_an_edited_table_are_removed_or_reported(tmp_path: Path) -> None:
    study, rest = BidsStudy(tmp_path), Scan(3, "rest", "10:10:00", 100, volumes=3)
    study.add("S1", T1, rest)
    study.add("S2", Scan(3, "t2", "12:00:00"))
    study.rules.write_text(study.rules.read_text() + '[[rule]]\nmatch = { name = "t2" }\nas = "anat/T2w"\n')
    study.set_labels(S1="1", S2="2")
    assert study.run().status == 0
    add_column(study, "sub-1/sub-1_scans.tsv", "quality", ["n/a", "bad"])
    study.set_labels(S1="3", S2="2")
    assert study.run().status == 0
    study.set_labels(S1="3", S2="1")
    text = " ".join(study.run().text.split())
    row = "func/sub-1_task-rest_bold.nii.gz"
    assert f"S2: sub-1/sub-1_scans.tsv was edited, so its row {row} stays, but that is no longer exported." in text
    rows = study.tree()["sub-1/sub-1_scans.tsv"].decode().splitlines()[1:]
    assert [line.split("\t")[0] for line in rows] == [row, "anat/sub-1_T2w.nii.gz"]


def test_values_that_no_record_explains_are_reported(study: BidsStudy) -> None:
    """The record was deleted, and the labels were exchanged: the tables may have values of other sessions."""
    (study.bids / "code" / "qxbatch" / "export.json").unlink()
    study.set_labels(S1="S2", S2="S1")
    for _ in range(2):
        text = " ".join(study.run().text.split())
        assert "age of sub-S1 stays 70, but it is now 30" in text
        assert "age of sub-S2 stays 30, but it is now 70" in text
    (study.bids / PARTICIPANTS).unlink()
    assert "participants.tsv was edited" not in study.run().text


@pytest.mark.parametrize("start", ["10:00:00", None], ids=["with times", "without times"])
def test_values_of_a_session_that_left_a_subject_of_another_study_are_reported(
    tmp_path: Path, start: str | None
) -> None:
    study, other = studies_with_a_common_subject(tmp_path, Scan(2, "t1", start))
    study.set_labels(x="3")
    text = " ".join(study.run().text.split())
    assert f"S3: {PARTICIPANTS}: the row sub-1 can have values that this session gave at the last export." in text
    assert "1 warning" in text
    assert "sub-1\t70\tF\n" in study.tree()[PARTICIPANTS].decode()
    assert "warning" not in other.run().text
    assert "sub-1\t25\tF\n" in study.tree()[PARTICIPANTS].decode()


def studies_with_a_common_subject(folder: Path, scan: Scan) -> tuple[BidsStudy, BidsStudy]:
    """Return two studies that are exported to one data set; its subject 1 has the values of session S3 of the first one."""
    study, other = BidsStudy(folder / "one"), BidsStudy(folder / "other")
    other.bids = study.bids
    add(study, "S3", "070Y", scan, subject="x", ses="a")
    add(other, "P4", "025Y", LATER_T1, subject="y", ses="b")
    study.set_labels(x="1")
    other.set_labels(y="1")
    for each in (study, other, study):
        assert "warning" not in each.run().text
    return study, other


def test_values_of_a_session_that_has_no_exported_image_any_more_are_reported(tmp_path: Path) -> None:
    study, other = studies_with_a_common_subject(tmp_path, T1)
    study.rules.write_text(study.rules.read_text().replace('as = "anat/T1w"', 'ignore = "no"'))
    text = " ".join(study.run().text.split())
    assert f"S3: {PARTICIPANTS}: the row sub-1 can have values that this session gave at the last export." in text
    assert "sub-1\t70\tF\n" in study.tree()[PARTICIPANTS].decode()
    assert "warning" not in study.run().text
    assert "warning" not in other.run().text
    assert "sub-1\t25\tF\n" in study.tree()[PARTICIPANTS].decode()


@pytest.mark.parametrize("start", ["10:00:00", None], ids=["with times", "without times"])
def test_values_of_a_replaced_session_are_reported_if_its_scans_table_was_edited(
    tmp_path: Path, start: str | None
) -> None:
    study, _other = studies_with_a_common_subject(tmp_path, Scan(2, "t1", start))
    add_column(study, "sub-1/ses-a/sub-1_ses-a_scans.tsv", "quality", ["bad"])
    add(study, "S3", "040Y", Scan(2, "t1", start and "12:00:00", shape=(5, 4, 3)), subject="x", ses="a")
    text = " ".join(study.run().text.split())
    assert f"S3: {PARTICIPANTS}: the row sub-1 can have values that this session gave at the last export." in text


def test_values_of_a_session_that_was_replaced_are_reported_if_its_subject_has_another_one(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    add(study, "A_1", "070Y", subject="A", ses="1")
    add(study, "A_2", "072Y", LATER_T1, subject="A", ses="2")
    assert study.run().status == 0
    shutil.rmtree(study.sessions / "A_2")
    assert "warning" not in study.run().text
    shutil.rmtree(study.sessions / "A_1")
    add(study, "A_1", "025Y", Scan(2, "t1", "12:00:00"), subject="A", ses="1")
    text = " ".join(study.run().text.split())
    assert f"A_1: {PARTICIPANTS}: the row sub-A can have values that this session gave at the last export." in text
    assert "1 warning" in text
    assert "warning" not in study.run().text
