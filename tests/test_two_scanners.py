"""A session with series of two scanners is described in the same way everywhere."""

import csv
from pathlib import Path

from qxbatch.protocol.scanned import ScannedSeries, ScannedSession
from qxbatch.record.start import earliest_start
from tests.build.dicom import MrSeries
from tests.build.study import Study


def session(*scanners: str) -> ScannedSession:
    """Return a session with a series for each name of a scanner."""
    series = [ScannedSeries(n, n, "rest", scanner, None, None) for n, scanner in enumerate(scanners, 1)]
    return ScannedSession("S1", tuple(series))


def test_the_scanner_of_most_series_is_the_first_and_of_equal_numbers_that_of_the_first_series() -> None:
    assert session("B", "A", "A").scanners == ("A", "B")
    assert session("B", "A").scanner == "B"
    assert session("Siemens Prisma_fit", "Siemens Prisma Fit").scanners == ("Siemens Prisma_fit",)
    assert session("").scanner == "unknown scanner"


def test_the_start_has_a_day_and_a_time_if_any_series_has_them() -> None:
    day = {"SeriesDate": "20240115"}
    headers = [{"SeriesTime": "090000"}, day, {**day, "SeriesTime": "120000"}, {**day, "SeriesTime": "110000"}]
    assert earliest_start((header, None) for header in headers) == "2024-01-15 11:00:00"
    assert earliest_start([(day, None)]) == "2024-01-15"
    assert earliest_start([({}, None)]) == ""


def scanner(manufacturer: str, model: str) -> dict[str, object]:
    return {"Manufacturer": manufacturer, "ManufacturerModelName": model, "StationName": None}


def test_all_records_of_a_session_name_the_same_scanners_and_the_same_start(tmp_path: Path) -> None:
    study = Study(tmp_path)
    ge = scanner("GE MEDICAL SYSTEMS", "SIGNA")
    series = [
        MrSeries(number=3, description="a", time="122500", changes=scanner("SIEMENS", "Skyra")),
        MrSeries(number=4, description="b", time="114800", changes=ge),
        MrSeries(number=5, description="c", time="115200", changes=ge),
    ]
    study.put("S1", {f"{each.number}/{name}": data for each in series for name, data in each.files().items()})
    study.main()
    folder = study.session("S1")
    with (study.sessions / "study.tsv").open(encoding="utf-8") as table:
        row = next(csv.DictReader(table, delimiter="\t"))
    report = (folder / "dicom/DICOM-Report.txt").read_text(encoding="utf-8").splitlines()
    page = (folder / "qxbatch/report.html").read_text(encoding="utf-8")
    session_txt = (folder / "session.txt").read_text(encoding="utf-8")
    assert row["scanner"] == "GE SIGNA; Siemens Skyra"
    assert report[1].startswith("scanned on 2024-01-15 11:48:0")
    assert report[2] == "scanners: GE SIGNA; Siemens Skyra"
    assert "<dt>scanners</dt><dd>GE SIGNA; Siemens Skyra</dd>" in page
    assert f"<dt>scanned</dt><dd>{report[1].removeprefix('scanned on ')}</dd>" in page
    assert "\ndevice: SIEMENS|Skyra\n" in session_txt, "as in QuNex: that of the first series"
