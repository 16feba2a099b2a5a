"""Tables of a data set: participants, scans, sessions, shifted dates."""

import errno
import fcntl
import json
import os
import shutil
import stat
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from qxbatch.bids.files.age_and_sex import age_text
from qxbatch.bids.images.acquisition_time import add_seconds
from qxbatch.bids.tables.rows import moment_text
from qxbatch.bids.tables.shifts import DateShifts
from qxbatch.bids.tables.table_text import Table, merge_edited, read_table
from qxbatch.publish.folder_lock import is_locked
from qxbatch.textfile import MOST_BYTES
from tests.build.bids import Scan
from tests.build.bids_study import SCANS, BidsStudy
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, under
from tests.build.study import run_main


@pytest.fixture
def study(tmp_path):
    return BidsStudy(tmp_path)


def rows(study: BidsStudy, path: str) -> list[list[str]]:
    """Return the rows of a table without the header."""
    return [line.split("\t") for line in study.tree()[path].decode().splitlines()[1:]]


def test_scans_are_listed_by_time(study):
    study.add("S1", Scan(9, "t1", "10:00:00.5"), Scan(2, "rest", "10:10:00", 100, volumes=3))
    assert study.run().status == 0
    assert rows(study, "sub-S1/sub-S1_scans.tsv") == [
        ["anat/sub-S1_T1w.nii.gz", "2024-05-06T10:00:00.500000"],
        ["func/sub-S1_task-rest_bold.nii.gz", "2024-05-06T10:10:00"],
    ]


def test_a_scan_without_a_time_has_no_time_in_the_table(study):
    study.add("S1", Scan(1, "t1", None))
    assert study.run().status == 0
    assert rows(study, "sub-S1/sub-S1_scans.tsv") == [["anat/sub-S1_T1w.nii.gz", "n/a"]]


def test_sessions_of_a_subject_are_listed_if_it_has_session_labels(study):
    study.add("A_pre", subject="A", ses="pre")
    study.add("A_post", Scan(2, "t1", "15:00:00"), subject="A", ses="post")
    study.add("B")
    assert study.run().status == 0
    assert rows(study, "sub-A/sub-A_sessions.tsv") == [
        ["ses-pre", "2024-05-06T10:00:00"],
        ["ses-post", "2024-05-06T15:00:00"],
    ]
    assert "sub-B/sub-B_sessions.tsv" not in study.tree()
    assert "sub-A/ses-pre/sub-A_ses-pre_scans.tsv" in study.tree()


def tar_of(series: MrSeries) -> bytes:
    return packed(under("20", series.files()), Kind.TAR_GZ)


def test_age_and_sex_come_from_the_headers(study):
    study.add("S1")
    (study.sessions / "S1" / "dicom" / "20.tar.gz").write_bytes(
        tar_of(MrSeries(changes={"PatientSex": "F", "PatientAge": "034Y", "PatientBirthDate": "19900101"}))
    )
    study.add("S2")
    assert study.run().status == 0
    assert study.tree()["participants.tsv"].decode() == "participant_id\tage\tsex\nsub-S1\t34\tF\nsub-S2\tn/a\tn/a\n"
    assert json.loads(study.tree()["participants.json"])["age"]["Units"] == "year"


@pytest.mark.parametrize(
    ("age", "born", "scanned", "years"),
    [
        ("034Y", "", "", "34"),
        ("018M", "", "", "1.5"),
        ("", "19900102", "20240101", "33"),
        ("", "20010101", "20260101", "25"),
        ("", "20010101", "20251231", "24"),
        ("", "20000229", "20260228", "25"),
        ("", "20230301", "20250301", "2"),
        ("", "20230701", "20240101", "0.5"),
        ("", "20240101", "20230701", ""),
        ("", "", "20240101", ""),
        ("000Y", "", "", ""),
        ("0X4Y", "", "", ""),
        ("092Y", "", "", "89"),
        ("", "19000101", "20240101", "89"),
        ("", "1990", "20240101", ""),
    ],
)
def test_an_age_is_given_in_years(age, born, scanned, years):
    assert age_text(age, born, scanned) == years


def logfile(study: BidsStudy, text: str) -> list[str]:
    path = study.rules.parent / "log.csv"
    path.write_text(text)
    return [f"--logfile=path:{path}|packet_name:packet|subject_id:subject"]


def test_columns_of_the_logfile_are_added_to_the_participants_table(study):
    study.add("S1", subject="A")
    options = logfile(study, "packet,subject,age,group name,note\np1,A,41,control,x\np2,A,,control,y\n")
    assert study.run(*options, "--participant-columns=age,group name").status == 0
    assert study.tree()["participants.tsv"].decode() == "participant_id\tage\tgroup_name\nsub-A\t41\tcontrol\n"
    assert "group_name" in json.loads(study.tree()["participants.json"])


def test_the_columns_of_earlier_exports_that_stay_are_described_and_those_of_users_are_not(study):
    study.add("S1", subject="A")
    study.add("S2", subject="B")
    options = logfile(study, "packet,subject,group\np1,A,control\np2,B,patient\n")
    assert study.run(*options, "--participant-columns=group", "--sessions=S1").status == 0
    assert study.run("--sessions=S2").status == 0
    assert study.tree()["participants.tsv"].decode() == "participant_id\tgroup\nsub-A\tcontrol\nsub-B\tn/a\n"
    assert list(json.loads(study.tree()["participants.json"])) == ["participant_id", "group"]
    table = study.bids / "participants.tsv"
    table.write_text("participant_id\tgroup\tmine\nsub-A\tcontrol\t1\nsub-B\tn/a\t2\n")
    assert study.run("--sessions=S2").status == 0
    assert list(json.loads(study.tree()["participants.json"])) == ["participant_id", "group"]


def test_a_column_that_is_missing_in_the_logfile_is_refused_before_anything_is_written(study):
    study.add("S1", subject="A")
    run = study.run(*logfile(study, "packet,subject,group\np1,A,x\n"), "--participant-columns=groop")
    assert run.status == 64
    assert "Did you mean group?" in run.err
    assert not study.bids.exists()


def test_the_column_of_the_subjects_is_not_copied_from_the_logfile(study):
    study.add("S1", subject="A")
    options = logfile(study, "packet,subject,participant id\np1,A,x\n")
    run = study.run(*options, "--participant-columns=participant id")
    assert run.status == 64
    assert "participants.tsv has a column participant_id already" in run.err
    assert not study.bids.exists()


def test_contradictory_values_in_the_logfile_are_reported(study):
    study.add("S1", subject="A")
    run = study.run(*logfile(study, "packet,subject,group\np1,A,x\np2,A,y\n"), "--participant-columns=group")
    assert "several values of group for A" in run.err


def test_shifted_dates_are_before_1925_and_keep_the_intervals_of_a_subject(study):
    study.add("A_pre", Scan(2, "t1", "10:00:00"), subject="A", ses="pre")
    study.add("A_post", Scan(2, "t1", "15:00:00"), subject="A", ses="post")
    assert study.run("--shift-dates").status == 0
    pre, post = (datetime.fromisoformat(row[1]) for row in rows(study, "sub-A/sub-A_sessions.tsv"))
    assert pre.year < 1925
    assert (post - pre).total_seconds() == 5 * 3600
    assert (pre.hour, pre.minute) == (10, 0)
    assert b"2024" not in b"".join(content for path, content in study.tree().items() if not path.endswith(".nii.gz"))


def test_the_shifted_date_of_a_session_nine_years_later_is_before_1925(tmp_path):
    shifts = DateShifts(tmp_path / "shifts.tsv")
    assert shifts.choose_missing([("A", date(2024, 5, 6))])
    moved = shifts.shift("A", datetime(2033, 5, 6))
    assert moved is not None
    assert moved.year < 1925


def test_a_date_that_cannot_be_shifted_is_not_available(tmp_path):
    shifts = DateShifts(tmp_path / "shifts.tsv")
    assert shifts.choose_missing([("A", date(1, 1, 1))])
    assert moment_text("A", datetime(1, 1, 1), shifts) == "n/a"


@pytest.mark.parametrize("seconds", [1e13, 1e300])
def test_the_end_of_an_acquisition_that_is_out_of_range_is_its_begin(seconds):
    assert add_seconds(datetime(2024, 5, 6), seconds) == datetime(2024, 5, 6)
    assert add_seconds(datetime(9999, 12, 31), 90000) == datetime(9999, 12, 31)


def test_the_shift_table_is_private_outside_the_data_set_and_reused(study):
    study.add("S1")
    assert study.run("--shift-dates").status == 0
    table = study.sessions / "bids-date-shifts.tsv"
    assert stat.S_IMODE(table.stat().st_mode) == 0o600
    before, shifts = study.tree(), table.read_text()
    assert study.run("--shift-dates").status == 0
    study.add("S2")
    assert study.run("--shift-dates").status == 0
    assert table.read_text().startswith(shifts)
    assert study.tree()["sub-S1/sub-S1_scans.tsv"] == before["sub-S1/sub-S1_scans.tsv"]


def test_a_study_that_is_named_by_its_folder_has_the_shift_table_of_its_sessions_folder(study, tmp_path):
    study.add("S1")
    assert study.run("--shift-dates").status == 0
    study_folder, other = str(study.sessions.parent), tmp_path / "other"
    run = run_main("bids", study_folder, str(other), f"--rules={study.rules}", "--shift-dates")
    assert run.status == 0
    assert [*study.sessions.parent.rglob("bids-date-shifts.tsv")] == [study.sessions / "bids-date-shifts.tsv"]
    scans = "sub-S1/sub-S1_scans.tsv"
    assert (other / scans).read_bytes() == study.tree()[scans]


def test_true_dates_are_not_added_to_a_data_set_with_shifted_dates(study):
    study.add("S1")
    assert study.run("--shift-dates").status == 0
    before = study.tree()
    run = study.run()
    assert run.status == 64
    assert "--shift-dates" in run.err
    assert study.tree() == before


@pytest.mark.parametrize("options", [["--sourcedata"], ["--shift-table={bids}/x.tsv"]])
def test_options_that_would_reveal_shifted_dates_are_refused(study, options):
    study.add("S1")
    run = study.run("--shift-dates", *(option.format(bids=study.bids) for option in options))
    assert run.status == 64
    assert not study.bids.exists()


@pytest.mark.parametrize(
    "rows", ["sub-S1\tmany", "sub-S1\t0", "sub-S1\t-3", "sub-S1\t99999999999", "sub-S1\t3\nsub-S1\t4"]
)
def test_a_damaged_shift_table_is_refused(study, rows):
    study.add("S1")
    assert study.run("--shift-dates").status == 0
    (study.sessions / "bids-date-shifts.tsv").write_text(f"participant_id\tdays\n{rows}\n")
    run = study.run("--shift-dates")
    assert run.status == 64
    assert "cannot be read" in run.err


def test_a_linked_shift_table_is_read_and_written_through_the_link(study, tmp_path):
    study.add("S1")
    target = tmp_path / "safe" / "shifts.tsv"
    target.parent.mkdir()
    target.write_text("participant_id\tdays\nS1\t40000\n")
    link = study.sessions / "bids-date-shifts.tsv"
    link.symlink_to(target)
    assert study.run("--shift-dates").status == 0
    assert {row[1][:4] for row in rows(study, "sub-S1/sub-S1_scans.tsv")} == {"1914"}
    study.add("S2")
    assert study.run("--shift-dates").status == 0
    assert link.is_symlink()
    assert [line.split("\t")[0] for line in target.read_text().splitlines()] == ["participant_id", "S1", "S2"]
    assert target.read_text().splitlines()[1] == "S1\t40000"


def test_a_link_to_a_shift_table_that_does_not_exist_creates_its_target(study, tmp_path):
    study.add("S1")
    link = study.sessions / "bids-date-shifts.tsv"
    link.symlink_to(tmp_path / "shifts.tsv")
    assert study.run("--shift-dates").status == 0
    assert link.is_symlink()
    assert stat.S_IMODE((tmp_path / "shifts.tsv").stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["fifo", "folder", "loop", "large"])
def test_only_a_missing_shift_table_counts_as_empty(study, tmp_path, kind):
    study.add("S1")
    table = tmp_path / "shifts.tsv"
    if kind == "fifo":
        os.mkfifo(table)
    elif kind == "folder":
        table.mkdir()
    elif kind == "loop":
        table.symlink_to(table)
    else:
        table.touch()
        os.truncate(table, MOST_BYTES + 1)
    run = study.run("--shift-dates", f"--shift-table={table}")
    assert run.status == 64
    assert f"{table} cannot be read" in run.err
    assert study.tree() == {}


def test_dates_are_not_shifted_by_another_table(study, tmp_path):
    study.add("S1")
    assert study.run("--shift-dates").status == 0
    before = study.tree()
    study.add("S2")
    run = study.run("--shift-dates", f"--shift-table={tmp_path / 'other.tsv'}")
    assert run.status == 64
    table = study.sessions / "bids-date-shifts.tsv"
    assert f"are shifted by the table {table}. Add --shift-table={table}" in " ".join(run.err.split())
    assert study.tree() == before
    assert not (tmp_path / "other.tsv").exists()
    assert study.run("--shift-dates").status == 0


def test_a_subject_of_the_data_set_gets_no_new_shift(study):
    """The sessions folder was restored from a backup before the subject was added, and its next session was imported."""
    study.add("S1", Scan(2, "t1"))
    assert study.run("--shift-dates").status == 0
    table = study.sessions / "bids-date-shifts.tsv"
    backup = table.read_text()
    study.add("S2", Scan(2, "t1"), subject="S2", ses="a")
    assert study.run("--shift-dates").status == 0
    shutil.rmtree(study.sessions / "S2")
    table.write_text(backup)
    study.add("S3", Scan(2, "t1"), subject="S2", ses="b")
    run = study.run("--shift-dates")
    assert run.status == 64
    assert "lacks its subject S2." in " ".join(run.err.split())
    assert table.read_text() == backup
    shutil.rmtree(study.bids / "sub-S2")
    assert study.run("--shift-dates").status == 0


def test_a_file_beside_the_shift_table_stays(study, tmp_path):
    study.add("S1")
    (tmp_path / ".mine.tsv.new").write_text("user bytes")
    assert study.run("--shift-dates", f"--shift-table={tmp_path / 'mine.tsv'}").status == 0
    assert (tmp_path / ".mine.tsv.new").read_text() == "user bytes"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == [".mine.tsv.new"]


def test_a_link_into_the_data_set_is_no_shift_table(study, tmp_path):
    study.add("S1")
    link = tmp_path / "shifts.tsv"
    link.symlink_to(study.bids / "shifts.tsv")
    run = study.run("--shift-dates", f"--shift-table={link}")
    assert run.status == 64
    assert "is in the data set" in run.err


def test_sourcedata_contains_the_dicom_files_of_exported_series(study):
    study.add("S1", *SCANS)
    dicom = study.sessions / "S1" / "dicom"
    (dicom / "10.tar.gz").write_bytes(b"localizer")
    (dicom / "20.tar.gz").write_bytes(b"t1")
    (dicom / "30").mkdir()
    (dicom / "30" / "x.dcm.gz").write_bytes(b"rest")
    assert study.run("--sourcedata").status == 0
    tree = study.tree()
    assert tree["sourcedata/sub-S1/20.tar.gz"] == b"t1"
    assert tree["sourcedata/sub-S1/30/x.dcm.gz"] == b"rest"
    assert "sourcedata/sub-S1/10.tar.gz" not in tree
    assert json.loads(tree["dataset_description.json"])["SourceDatasets"] == [{"URL": "bids::sourcedata/"}]
    assert study.run().status == 0
    assert not any(path.startswith("sourcedata") for path in study.tree()), "sourcedata is not requested in this run"


def test_unreadable_dicom_of_one_session_does_not_stop_the_export(study, monkeypatch):
    for name in ("S1", "S2"):
        study.add(name)
        (study.sessions / name / "dicom" / "20").mkdir()
    list_folder = Path.iterdir

    def refuse(folder: Path) -> Iterator[Path]:
        if folder == study.sessions / "S1" / "dicom" / "20":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        return list_folder(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert study.run().status == 0, "age and sex are not known"
    run = study.run("--sourcedata")
    assert run.status == 1
    assert "S1: not exported:" in run.out
    assert "dicom/20 cannot be read" in run.out
    assert "1 session exported" in run.out


def test_the_description_contains_this_program_and_the_fields_of_the_rule_file(study):
    study.add("S1")
    study.rules.write_text(study.rules.read_text() + '\n[dataset]\nName = "My study"\nAuthors = ["A. Uthor"]\n')
    assert study.run().status == 0
    description = json.loads(study.tree()["dataset_description.json"])
    assert (description["Name"], description["Authors"]) == ("My study", ["A. Uthor"])
    assert description["GeneratedBy"][0]["Name"] == "qxbatch"
    assert description["SourceDatasets"] == [{"URL": "../sessions"}]


def test_an_edited_table_keeps_its_columns_and_rows():
    text = "\ufeffparticipant_id\thand\nsub-2\tleft\nsub-9\tright\n"
    generated = Table(("participant_id", "age"), ({"participant_id": "sub-1", "age": "3"}, {"participant_id": "sub-2"}))
    merged = merge_edited(text, ("participant_id", "hand"), generated, lambda name: name != "sub-9")
    assert merged == "\ufeffparticipant_id\thand\nsub-2\tleft\nsub-1\tn/a\n"


@pytest.mark.parametrize("text", ["", "a\ta\nx\ty\n", "a\nx\ty\n"])
def test_a_text_without_a_valid_table_is_not_read(text):
    assert read_table(text) is None


@pytest.mark.parametrize("label", ["20240506", "060524", "S1x20240506", "05062024"])
def test_a_session_label_with_its_date_is_refused_with_shifted_dates(study, label):
    study.add("A", Scan(2, "t1", "10:00:00"), subject="A", ses=label)
    study.add("B", Scan(2, "t1", "10:00:00"), subject="B", ses="20200101")
    run = study.run("--shift-dates")
    assert run.status == 1
    assert "contains the date of its acquisition" in " ".join(run.out.split())
    assert {path.partition("/")[0] for path in study.tree() if path.startswith("sub-")} == {"sub-B"}
    shutil.rmtree(study.bids)
    assert study.run(f"--shift-table={study.sessions / 'x.tsv'}", "--shift-dates").status == 1


def test_shifted_dates_are_not_added_to_a_data_set_with_true_dates(study):
    study.add("S1")
    assert study.run().status == 0
    before = study.tree()
    run = study.run("--shift-dates")
    assert run.status == 64
    assert "are not shifted" in run.err
    assert study.tree() == before


def test_the_shift_table_is_locked_from_reading_to_writing(study, monkeypatch):
    study.add("S1")
    seen = []

    def watched(method):
        def call(self):
            seen.append(is_locked(study.sessions))
            return method(self)

        return call

    monkeypatch.setattr(DateShifts, "read", watched(DateShifts.read))
    monkeypatch.setattr(DateShifts, "write", watched(DateShifts.write))
    assert study.run("--shift-dates").status == 0
    assert seen == [True, True]


def test_an_export_stops_waiting_for_a_lock_of_another_program(study, monkeypatch):
    study.add("S1")
    monkeypatch.setattr("qxbatch.publish.folder_lock._WAIT_SECONDS", 0.1)
    other = os.open(study.sessions, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    run = study.run("--shift-dates")
    os.close(other)
    assert run.status == 75
    assert "Another program holds the lock" in run.err
