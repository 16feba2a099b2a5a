"""One scan whose parts have different UIDs becomes one series; different scans are kept separate, in real runs."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from qxbatch.cli.main import main
from qxbatch.session.folder import SessionFolder
from qxbatch.study.record import session_record
from tests.build.dicom import MrSeries, uid
from tests.build.packets import under, write_folder
from tests.build.split_scans import by_number, by_slice, by_study, by_volume, exported
from tests.build.study import Study, snapshot
from tests.endtoend.joins import RUN, imported, noted, numbers, successful, summary_of
from tests.endtoend.judge import Judge, sha256

FOLDER_MODE = ("--masterinbox=none", "--sessions=S*")
FORMS = {"volume": by_volume(RUN), "slice": by_slice(RUN), "number": by_number(RUN), "study": by_study(RUN)}
VOLATILE = {"session.txt", "qxbatch/summary.json", "qxbatch/report.html"}


@pytest.mark.parametrize(
    ("form", "n", "parts", "notes"),
    [("volume", 50, 4, 9), ("slice", 50, 12, 11), ("number", 50010, 4, 9), ("study", 50, 4, 9)],
)
def test_the_parts_of_one_scan_become_one_series(study: Study, form: str, n: int, parts: int, notes: int) -> None:
    assert imported(study, FORMS[form]) == {n: 12}
    judge = Judge(study.session("S1")).check(FORMS[form])
    [series] = summary_of(study)["series"]
    assert len(set(series["series_uids"])) == parts
    assert series["series_uids"][0] == series["header"]["SeriesInstanceUID"]
    assert ("study_uids" in series) == (form == "study")
    rows = noted(judge.rows)
    assert len(rows) == notes
    assert all(row["fate"] == "sorted" for row in judge.rows)
    assert {uid for uid in series["series_uids"][1:] if any(uid in row["reason"] for row in rows)} == set(
        series["series_uids"][1:]
    )


def test_volumes_become_one_image_and_the_joining_is_no_warning(study: Study) -> None:
    study.put("S1", by_volume(RUN))
    run = successful(study.main("--json-file", str(study.sessions / "run.json")))
    judge = Judge(study.session("S1"))
    assert judge.image(51).shape == (RUN.columns, RUN.rows, RUN.slices, RUN.volumes)
    assert "look at" not in run.text
    cells = session_record(SessionFolder(study.session("S1")), None).cells
    assert (cells["state"], cells["warnings"], cells["series"]) == ("complete", 0, 1)
    [problem] = summary_of(study)["problems"]
    assert (problem["code"], problem["severity"], problem["subject"]) == ("joined-series", "info", "series 50")
    assert "4 parts of one scan with different SeriesInstanceUIDs" in problem["message"]
    assert problem["message"] in (study.session("S1") / "qxbatch/report.html").read_text(encoding="utf-8")


def test_the_ledger_names_what_differs(study: Study) -> None:
    imported(study, by_number(RUN))
    row = noted(Judge(study.session("S1")).rows)[-1]
    own = summary_of(study)["series"][0]["series_uids"][-1]
    assert row["reason"] == f"joined with series 5001: its SeriesInstanceUID is {own}, its SeriesNumber is 5004"


def test_the_part_that_began_first_gives_number_and_header(study: Study) -> None:
    early = MrSeries(number=5002, description="task", key="a", time="100000", changes={"AcquisitionNumber": 1})
    late = MrSeries(number=5001, description="task", key="b", time="100002", changes={"AcquisitionNumber": 2})
    assert imported(study, {**under("a", late.files()), **under("b", early.files())}) == {50020: 6}
    [series] = summary_of(study)["series"]
    assert series["series_uids"] == [early.series_uid, late.series_uid]


def test_several_studies_are_a_warning(study: Study) -> None:
    imported(study, by_study(RUN))
    codes = {problem["code"]: problem["severity"] for problem in summary_of(study)["problems"]}
    assert codes == {"joined-series": "info", "several-studies": "warning"}
    assert study_message(study) == "4 studies became one session."


def study_message(study: Study) -> str:
    [message] = [each["message"] for each in summary_of(study)["problems"] if each["code"] == "several-studies"]
    assert isinstance(message, str)
    return message


def test_studies_with_the_same_numbers_are_named(study: Study) -> None:
    other = MrSeries(number=5, description="other", key="other", time="120000")
    assert imported(study, {**by_study(RUN, "a"), **under("b", other.files())}) == {50: 12, 100050: 3}
    assert study_message(study) == (
        "5 studies became one session; series with the same SeriesNumber got different numbers."
    )


@pytest.mark.parametrize("form", FORMS)
def test_the_value_never_keeps_the_parts_separate(study: Study, form: str) -> None:
    files = imported(study, FORMS[form], "--join-series=never")
    assert len(files) == (12 if form == "slice" else 4)
    assert noted(Judge(study.session("S1")).rows) == []
    assert all("series_uids" not in series for series in summary_of(study)["series"])
    assert "joined-series" not in {problem["code"] for problem in summary_of(study)["problems"]}


def in_parts(prefix: str, minute: int, offset: int) -> dict[str, bytes]:
    """Return a scan in parts that starts at a minute; `offset` is added to its acquisition numbers."""

    def changes(dataset: Dataset) -> dict[str, object]:
        number = dataset.AcquisitionNumber
        return {
            "SeriesInstanceUID": uid(prefix, number),
            "SOPInstanceUID": uid(prefix, dataset.SOPInstanceUID),
            "AcquisitionNumber": offset + number,
            "AcquisitionTime": f"10{minute}0{2 * number}.5",
        }

    return exported(RUN, changes, prefix)


@pytest.mark.parametrize("offset", [4, 0])
def test_two_runs_in_parts_become_two_series(study: Study, offset: int) -> None:
    tree = {**in_parts("a/", 15, 0), **in_parts("b/", 25, offset)}
    assert imported(study, tree) == {50: 12, 100050: 12}
    judge = Judge(study.session("S1")).check(tree)
    assert [judge.image(n).shape[3] for n in (51, 100051)] == [4, 4]
    assert [len(set(series["series_uids"])) for series in summary_of(study)["series"]] == [4, 4]


def test_mosaics_of_one_scan_are_joined(study: Study) -> None:
    mosaic = {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]}
    series = MrSeries(number=5, slices=1, volumes=3, changes=mosaic)
    assert imported(study, by_volume(series), "--json-file", str(study.sessions / "run.json")) == {50: 3}


def test_a_joined_series_and_another_one_of_its_number_get_one_number_each(study: Study) -> None:
    other = MrSeries(number=5, description="other", key="other", time="120000")
    assert imported(study, {**by_volume(RUN, "a"), **under("b", other.files())}) == {50: 12, 100050: 3}


def test_the_patient_is_not_named_by_the_notes(study: Study) -> None:
    imported(study, by_volume(RUN), "--deidentify-logs")
    rows = noted(Judge(study.session("S1")).rows)
    assert len(rows) == 9
    assert not any("P001" in row["at"] + row["reason"] for row in rows)


def constant_files(session: Path) -> dict[str, str]:
    """Return the content of a session, without the files that differ between two runs."""
    files = snapshot(session)
    return {name: value for name, value in files.items() if name not in VOLATILE and not name.endswith(".log")}


@pytest.mark.parametrize("form", FORMS)
def test_folder_mode_joins_and_its_second_run_gives_the_same(study: Study, form: str) -> None:
    write_folder(FORMS[form], study.session("S1") / "inbox")
    successful(study.main(*FOLDER_MODE))
    judge = Judge(study.session("S1")).check(FORMS[form])
    before, series = constant_files(study.session("S1")), summary_of(study)["series"]
    assert len(series) == 1
    assert noted(judge.rows)
    for _ in range(2):
        successful(study.main(*FOLDER_MODE, "--overwrite=yes"))
        Judge(study.session("S1")).check(FORMS[form])
        assert constant_files(study.session("S1")) == before
        assert summary_of(study)["series"] == series
    assert main(["verify", str(study.session("S1"))]) == 0


def test_folder_mode_can_join_later_and_split_again(study: Study) -> None:
    """The note in the ledger follows the present run, not the previous one."""
    write_folder(FORMS["volume"], study.session("S1") / "inbox")
    for options, series, notes in (
        ((), 1, 9),
        (("--join-series=never",), 4, 0),
        ((), 1, 9),
    ):
        successful(study.main(*FOLDER_MODE, "--overwrite=yes", *options))
        judge = Judge(study.session("S1")).check(FORMS["volume"])
        assert len(numbers(study)) == series
        assert len(noted(judge.rows)) == notes
        assert main(["verify", str(study.session("S1"))]) == 0


def test_a_duplicate_names_the_file_that_has_the_note(study: Study) -> None:
    tree = by_volume(RUN)
    tree["copy"] = tree["IM0012"]
    imported(study, tree)
    judge = Judge(study.session("S1")).check(tree)
    [copy] = [row for row in judge.rows if row["fate"] == "duplicate"]
    [first] = [row for row in judge.rows if row["at"] == copy["at"] and row["fate"] == "sorted"]
    assert copy["sha256"] == sha256(tree["copy"])
    assert copy["reason"] == f"the same bytes as {first['path']}"
    assert first["reason"].startswith("joined with series 5: ")


def test_sort_and_convert_follow_the_option(study: Study) -> None:
    write_folder(FORMS["volume"], study.session("S1") / "inbox")
    session = str(study.session("S1"))
    assert main(["sort", session]) == 0
    assert numbers(study) == {50: 12}
    assert main(["convert", session]) == 0
    assert numbers(study) == {50: 12}
    assert Judge(study.session("S1")).check().image(51).shape[3] == RUN.volumes
    assert main(["convert", session, "--overwrite", "--join-series=never"]) == 0
    assert len(numbers(study)) == 4
    assert main(["sort", session, "--overwrite", "--join-series=never"]) == 0
    assert len(numbers(study)) == 4
