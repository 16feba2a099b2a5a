"""Summary, DICOM report and ledger; no header field of the summary names the patient."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.model import Conversion, Fingerprint, Packet, Series, SeriesKind, SessionId, State, Value
from qxbatch.page.media import Pictures
from qxbatch.page.series_card import card_of
from qxbatch.problems import Code, Problem, Severity
from qxbatch.record.dicom_report import dicom_report, refreshed_report
from qxbatch.record.images import number_images
from qxbatch.record.names import series_name, series_number
from qxbatch.record.scanned import scanned_series
from qxbatch.record.summary import PacketInfo, summarize
from qxbatch.session.ledger import COLUMNS, Fate, Kind, LedgerRow, write_ledger
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary import Summary
from qxbatch.session.summary_parts import SeriesSummary


def conversion(n: int, **header: Value) -> Conversion:
    """Return a failed conversion of a series with this header."""
    series = Series(n, SeriesKind.DICOM, {"SeriesNumber": n // 10, **header}, 5, 100, Path("/x"))
    problem = Problem(Code.CONVERT_FAILED, f"series {n}", "no.")
    return Conversion(series, State.FAILED, "dcm2niix 1", log="", problems=(problem,))


def test_the_ledger_has_a_line_for_each_row_and_counts_fates() -> None:
    file = io.StringIO()
    row = LedgerRow("a/b.dcm", 10, "ab", "cd", Kind.DICOM, Fate.SORTED, "dicom/30/b.dcm", 30)
    kept = row._replace(fate=Fate.KEPT, at="inbox/t\tx\n\udcff\\", series=None, reason="no\tDICOM")
    counts = write_ledger(file, [row, kept, row])
    lines = file.getvalue().split("\n")
    assert lines[0].split("\t") == list(COLUMNS)
    assert lines[1] == "a/b.dcm\t10\tab\tcd\tdicom\tsorted\tdicom/30/b.dcm\t30\t"
    assert lines[2].split("\t")[6:] == ["inbox/t\\x09x\\x0a\\xff\\x5c", "", "no\\x09DICOM"]
    assert lines[4:] == [""]
    assert counts == {"kept": 1, "sorted": 2}


def test_the_report_lists_series_by_number() -> None:
    report = dicom_report(
        "S1",
        "P001",
        [
            conversion(100, SeriesDescription="fMRI", RepetitionTime=[500.0, 750.0]),
            conversion(
                20, SeriesDescription="a:b\n", RepetitionTime=2000.0, SeriesDate="20240115", SeriesTime="101500.25"
            ),
        ],
    )
    lines = report.splitlines()
    assert lines[0] == "Report for P001 (S1)"
    assert lines[1] == "scanned on 2024-01-15 10:15:00"
    assert [line.split()[:2] for line in lines[4:]] == [["20", "2"], ["100", "10"]]
    assert ("a_b" in lines[4], "fMRI" in lines[5]) == (True, True)
    assert "500, 750" in lines[5]
    assert "failed" in lines[5]


def test_the_report_begins_with_the_series_to_look_at() -> None:
    stopped = Acquisition(
        started="2024-01-15T10:15:00.250",
        planned_volumes=300,
        acquired_volumes=213,
        complete_volumes=212,
        partial_slices=14,
        slices_per_volume=36,
        missing_slices=22,
        tr_ms=800.0,
        te_ms=(30.0,),
        matrix=(64, 64, 36),
        voxel_mm=(3.0, 3.0, 3.6),
        phase_encoding_direction="j-",
        in_plane_acceleration=2.0,
        multiband_factor=3,
    )
    incomplete = replace(
        conversion(40, SeriesDescription="rest"), verdict=SeriesVerdict.INCOMPLETE, acquisition=stopped
    )
    complete = replace(
        conversion(20, SeriesDescription="T1"), verdict=SeriesVerdict.COMPLETE, acquisition=Acquisition()
    )
    lines = dicom_report("S1", "P001", [incomplete, complete]).splitlines()
    assert lines[1:5] == [
        "scanned on 2024-01-15 10:15:00",
        "verdict: incomplete (1 of 2 series)",
        "look at these series first:",
        "  4 (rest): planned 300 volumes, 212 complete, 14 slices of one more",
    ]
    row = lines[-1]
    for cell in (
        "2024-01-15 10:15:00 ",
        "800",
        "64 x 64 x 36",
        "3 x 3 x 3.6",
        "300/212",
        "j-",
        "2, MB 3",
        "incomplete",
    ):
        assert cell in row


@pytest.mark.parametrize(
    "header", [{}, {"SeriesDate": "bad", "SeriesTime": ":"}, {"RepetitionTime": "x"}, {"EchoTime": []}]
)
def test_the_report_is_written_with_missing_or_invalid_elements(header: dict[str, Value]) -> None:
    assert "30" in dicom_report("S1", "", [conversion(30, **header)])


def two_series(problems: tuple[Problem, ...] = (), **more: object) -> Summary:
    """Return the summary of two series."""
    conversions = [conversion(30, PatientID="secret", SeriesDescription="b"), conversion(20, PatientName="Doe^Jane")]
    packet = Packet(Path("/in/a.zip"), "a", Fingerprint(1, 2, 3))
    return summarize(
        SessionId("S1"),
        [PacketInfo(packet, "a.zip")],
        conversions,
        number_images(conversions, [20, 30]),
        version="1.0",
        converters={"dcm2niix": "1"},
        fates={"sorted": 2, "kept": 1},
        problems=problems,
        **more,  # type: ignore[arg-type]
    )


def test_the_summary_is_json_in_a_fixed_order() -> None:
    text = two_series().to_json()
    read = json.loads(text)
    assert list(read) == sorted(read)
    assert [series["n"] for series in read["series"]] == [20, 30]
    assert read["ledger"] == {"rows": 3, "fates": {"sorted": 2, "kept": 1}}
    assert read["packets"] == [{"name": "a.zip", "files": 1, "size": 2, "sha256": ""}]
    assert read["series"][1]["state"] == "failed"
    assert read["problems"][0]["code"] == "convert-failed"


def test_only_times_and_host_differ_between_runs() -> None:
    one = json.loads(two_series(times={"total": 1.0}, host={"name": "a"}).to_json())
    two = json.loads(two_series(times={"total": 2.0}, host={"name": "b"}).to_json())
    assert {key for key in one if one[key] != two[key]} == {"times", "host"}


def test_no_header_field_of_the_summary_names_the_patient() -> None:
    text = two_series().to_json()
    assert "secret" not in text
    assert "Doe" not in text


def test_a_problem_reported_twice_is_listed_once() -> None:
    extra = Problem(Code.DUPLICATES, "x", "twice.", severity=Severity.WARNING)
    problems = two_series((extra, extra)).problems
    assert [problem.code for problem in problems].count(Code.DUPLICATES) == 1


def test_a_report_with_two_spaces_in_a_name_is_unedited() -> None:
    conversions = [
        conversion(30, SeriesDescription="T1  sag"),
        conversion(40, SeriesDescription="longer than  T1  sag"),
    ]
    packet = PacketInfo(Packet(Path("/in/a.zip"), "a", Fingerprint(1, 2, 3)), "a.zip")
    images = number_images(conversions, [30, 40])
    summary = summarize(SessionId("S1"), [packet], conversions, images, version="1", converters={}, fates={})
    report = dicom_report("S1", "P001", conversions)
    assert refreshed_report(report, summary, summary) == report
    for old, new in (
        ("T1  sag", "T1  Sag"),
        ("failed\n", "failed  x\n"),
        ("T1  sag ", "T1   sag"),
        ("\n\nn  ", "\n\n   "),
    ):
        edited = report.replace(old, new, 1)
        assert edited != report
        assert refreshed_report(edited, summary, summary) is None


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ({"SeriesDescription": "_", "ProtocolName": "a:b\n"}, "a_b"),
        ({"SeriesDescription": "anonymous", "SequenceName": "ep2d"}, "ep2d"),
        ({}, "anonymous"),
    ],
)
def test_the_card_of_a_series_has_the_name_of_session_txt(header: dict[str, Value], name: str, tmp_path: Path) -> None:
    series = SeriesSummary(30, SeriesKind.DICOM, 1, 1, header, State.CONVERTED, "")
    paths = SessionPaths(tmp_path)
    assert series_name(header) == name
    assert card_of(series, {}, paths, Pictures(paths, []), ()).name == name


@pytest.mark.parametrize("number", [10**400, -(10**400), "9" * 5000, "x", 1.5])
def test_a_series_number_that_is_none_is_shown_and_not_compared(number: Value) -> None:
    assert scanned_series(30, {"SeriesNumber": number}, None, None).series_number is None
    assert series_number({"SeriesNumber": number}) is None
