"""The export names images that the import doubts, and sessions without an image to export."""

import csv

import pytest

from qxbatch.problems import Code, Problem, Severity
from tests.build.bids import Scan
from tests.build.bids_study import BidsStudy
from tests.build.study import run_main

LOCALIZER = Scan(1, "localizer", "09:59:00")


def doubt(n: int, message: str, code: Code = Code.CONVERT_REVIEW, severity: Severity = Severity.WARNING) -> Problem:
    return Problem(code, f"series {n}", message, severity=severity)


def warnings(study: BidsStudy) -> list[str]:
    """Return the warnings of an export, without the line breaks of the terminal."""
    run = study.run()
    assert run.status == 0, run.text
    text = run.out.replace("\n    ", " ")
    return [line for line in text.splitlines() if line.startswith("to check: ")]


@pytest.mark.parametrize("code", [Code.CONVERT_REVIEW, Code.CONVERT_PARTIAL, Code.MORE_THAN_NINE])
def test_an_exported_image_that_the_import_doubts_is_a_warning(tmp_path, code):
    study = BidsStudy(tmp_path)
    problems = [doubt(20, "incomplete: planned 3 volumes, 2 complete.", code)]
    study.add("S1", LOCALIZER, Scan(2, "t1", problems=problems))
    (warning,) = warnings(study)
    assert warning == (
        "to check: S1: the import doubts exported images of series 2 (t1) (incomplete: planned 3 volumes, 2 complete). "
        "Look at the images before using them."
    )


def test_one_warning_names_all_doubted_series_of_a_session(tmp_path):
    study = BidsStudy(tmp_path)
    first, second = [doubt(20, "incomplete."), doubt(20, "wrong orientation.")], [doubt(30, "incomplete.")]
    study.add("S1", Scan(2, "t1", problems=first), Scan(3, "rest", "10:10:00", volumes=3, problems=second))
    (warning,) = warnings(study)
    assert "images of series 2 (t1) and series 3 (rest). Look" in warning


def test_notes_and_series_that_are_not_exported_are_no_warning(tmp_path):
    study = BidsStudy(tmp_path)
    note = doubt(20, "the scanner corrected motion.", Code.CONVERT_NOTE, Severity.INFO)
    study.add("S1", Scan(1, "localizer", problems=[doubt(10, "incomplete.")]), Scan(2, "t1", problems=[note]))
    assert warnings(study) == []


def bids_cells(study: BidsStudy) -> dict[str, str]:
    with (study.sessions / "study.tsv").open(newline="") as table:
        return {row["session_id"]: row["bids"] for row in csv.DictReader(table, dialect="excel-tab")}


def test_sessions_without_an_image_to_export_are_named_and_not_counted_as_exported(tmp_path):
    study = BidsStudy(tmp_path)
    study.add("S1")
    study.add("S2", LOCALIZER)
    study.add("S3", Scan(2, "t1", images=()))
    assert run_main("report", str(study.sessions)).status == 0
    run = study.run()
    assert run.status == 0, run.text
    assert "no image to export: S2, S3\n" in run.out
    assert f"1 session exported to {study.bids}, 2 without an image to export, 2 images;" in run.out.replace(
        "\n    ", " "
    )
    assert bids_cells(study) == {"S1": "up to date", "S2": "no image to export", "S3": "no image to export"}
    assert "no image to export" not in BidsStudy(tmp_path).run("--sessions=S1").out
