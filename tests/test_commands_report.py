"""`qxbatch report` and the level `group`: pages and tables of a study."""

import json
import re
from pathlib import Path

import pytest

from qxbatch.cli.main import main
from qxbatch.pipeline.unit_locks import unit_lock_name
from qxbatch.publish.locks import Locks
from qxbatch.study.columns import COLUMNS
from tests.build.dicom import MrSeries
from tests.build.packets import write_folder
from tests.build.study import Study, run_main, snapshot

T1 = MrSeries(number=3, description="T1w")


@pytest.fixture
def imported(study: Study) -> Study:
    """A study with two imported sessions, one of another program, and folders that are no sessions."""
    study.put("S1", T1.files())
    study.put("S2", {**T1.files(), **MrSeries(number=None, patient="").files()})
    assert study.main("--archive=move").status == 0
    write_folder({"session.txt": b"id: S3\n", "nii/31.nii.gz": b"x"}, study.session("S3"))
    write_folder({"x": b""}, study.sessions / "specs")
    write_folder({"x": b""}, study.sessions / "notes")
    return study


def test_report_rebuilds_the_page_of_a_session(imported: Study, capsys: pytest.CaptureFixture[str]) -> None:
    session = imported.session("S1")
    before = snapshot(session)
    (session / "qxbatch/report.html").unlink()
    (session / "qxbatch/pictures/31.png").unlink()
    assert main(["report", str(session)]) == 0
    assert snapshot(session) == before
    assert capsys.readouterr().out == f"wrote {session / 'qxbatch/report.html'}\n"


@pytest.mark.parametrize("is_link", [True, False], ids=["link", "edited"])
def test_an_existing_picture_stays_if_another_one_of_its_image_is_missing(
    study: Study, tmp_path: Path, is_link: bool
) -> None:
    """The picture of temporal SNR is missing: it is drawn again, but nothing is written over the other picture."""
    study.put("S1", MrSeries(number=3, volumes=40, rows=32, columns=32, slices=6).files())
    assert study.main("--archive=move").status == 0
    session = study.session("S1")
    summary_path, picture = session / "qxbatch/summary.json", session / "qxbatch/pictures/31.png"
    summary = json.loads(summary_path.read_text(encoding="utf-8"))
    summary["images"][0]["statistics"]["tsnr"] = 10.0
    summary_path.write_text(json.dumps(summary), encoding="utf-8")
    other = tmp_path / "other.txt" if is_link else picture
    picture.unlink()
    other.write_bytes(b"a file of the user")
    if is_link:
        picture.symlink_to(other)
    assert main(["report", str(session)]) == 0
    assert picture.is_symlink() is is_link
    assert other.read_bytes() == b"a file of the user"
    assert not [path for path in picture.parent.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(("volumes", "is_shown"), [(60, True), (150_000, False)])
def test_the_page_shows_no_directions_of_gradient_files_larger_than_any_scan(
    imported: Study, volumes: int, is_shown: bool
) -> None:
    session = imported.session("S1")
    (session / "nii/31.bval").write_text(" ".join(f"{1000 + 20 * (k % 3)}" for k in range(volumes)))
    (session / "nii/31.bvec").write_text("\n".join([" ".join(["0.0"] * volumes)] * 2 + [" ".join(["1.0"] * volumes)]))
    assert main(["report", str(session)]) == 0
    assert (f"{volumes} directions" in (session / "qxbatch/report.html").read_text()) == is_shown


def test_a_number_larger_than_any_measurement_in_a_summary_is_reported(
    imported: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    path = imported.session("S1") / "qxbatch/summary.json"
    summary = json.loads(path.read_text())
    summary["series"][0]["acquisition"]["matrix"][0] = 10**400
    path.write_text(json.dumps(summary))
    for command in ("report", "inspect"):
        assert main([command, str(imported.session("S1"))]) == 1
        output = capsys.readouterr()
        assert "series[0].acquisition.matrix is not a whole number" in output.out + output.err, command


def test_the_page_of_a_study_has_every_session(imported: Study) -> None:
    assert main(["report", str(imported.sessions)]) == 1, "S3 has no summary"
    page = (imported.sessions / "report.html").read_text()
    links = re.findall(r'href="([^"#]+)"', page)
    assert links == ["study.tsv", "study.json", "S1/qxbatch/report.html", "S2/qxbatch/report.html"]
    assert all((imported.sessions / link).is_file() for link in links)
    assert "S3" in page
    assert "no session.txt or summary" in page
    assert "notes" not in page


def test_a_dry_run_of_report_writes_nothing(imported: Study) -> None:
    before = snapshot(imported.sessions)
    main(["report", str(imported.sessions), "--test"])
    assert snapshot(imported.sessions) == before


def test_report_accepts_the_study_folder(imported: Study) -> None:
    main(["report", str(imported.sessions.parent)])
    assert (imported.sessions / "report.html").is_file()


def group(study: Study, *words: str) -> int:
    return main([str(study.inbox), str(study.sessions), "group", *words])


def test_the_table_has_a_row_for_each_session(imported: Study) -> None:
    assert group(imported) == 0
    text = (imported.sessions / "study.tsv").read_text()
    head, *rows = [line.split("\t") for line in text.splitlines()]
    assert head == list(COLUMNS)
    table = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert list(table) == ["S1", "S2", "S3"]
    first = table["S1"]
    assert (first["series"], first["images"], first["files"], first["state"]) == ("1", "1", "3", "complete")
    assert (first["packets"], first["scanned"], first["session"]) == ("S1.zip", "20240115", "n/a")
    assert table["S3"]["state"] == "incomplete"
    document = json.loads((imported.sessions / "study.json").read_text())
    assert document["columns"] == COLUMNS
    assert [each["session_id"] for each in document["sessions"]] == ["S1", "S2", "S3"]


def test_the_table_can_be_written_again_and_filtered(imported: Study) -> None:
    assert group(imported) == 0
    first = snapshot(imported.sessions)
    assert group(imported) == 0
    assert snapshot(imported.sessions) == first
    assert group(imported, "--participant-label", "S2") == 0
    assert len((imported.sessions / "study.tsv").read_text().splitlines()) == 2


def test_a_dry_run_of_group_prints_the_table(imported: Study, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(imported.sessions)
    assert group(imported, "--test") == 0
    assert "S1.zip" in capsys.readouterr().out
    assert snapshot(imported.sessions) == before


def test_a_study_without_sessions_gives_status_66(study: Study) -> None:
    assert group(study) == 66
    assert group(study, "--check=no") == 0


def test_labels_that_name_no_session_are_the_reason_for_status_66(
    imported: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    assert group(imported, "--participant-label", "S9") == 66
    assert f"The labels name no session in {imported.sessions}" in capsys.readouterr().out


def test_special_characters_in_a_name_are_escaped(imported: Study) -> None:
    path = imported.session("S1") / "qxbatch/summary.json"
    summary = json.loads(path.read_bytes())
    summary["packets"][0]["name"] = "a\tb\nc<script>.zip"
    path.write_text(json.dumps(summary))
    assert group(imported) == 0
    assert len((imported.sessions / "study.tsv").read_text().splitlines()) == 4
    main(["report", str(imported.sessions)])
    page = (imported.sessions / "report.html").read_text()
    assert "c&lt;script&gt;" in page
    assert "c<script>" not in page
    assert Path(imported.sessions / "S1/qxbatch/report.html").is_file()


@pytest.mark.parametrize(
    ("dates", "scanned"),
    [(["***", "20240116"], "20240116"), (["***", ""], "n/a"), (["1997.04.24", "20240116"], "19970424")],
)
def test_an_invalid_date_is_not_in_the_table(imported: Study, dates: list[str], scanned: str) -> None:
    path = imported.session("S1") / "qxbatch/summary.json"
    summary = json.loads(path.read_bytes())
    summary["series"] = [{**summary["series"][0], "header": {"StudyDate": date}} for date in dates]
    path.write_text(json.dumps(summary))
    assert group(imported) == 0
    head, first, *_ = [line.split("\t") for line in (imported.sessions / "study.tsv").read_text().splitlines()]
    assert dict(zip(head, first, strict=True))["scanned"] == scanned


def test_the_page_of_a_session_that_another_run_imports_is_not_written(
    imported: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    session = imported.session("S1")
    (session / "qxbatch/report.html").unlink()
    before = snapshot(session)
    locks = Locks(imported.sessions / ".qxbatch" / "locks")
    lock = locks.take(unit_lock_name("S1"))
    assert lock is not None
    assert main(["report", str(session)]) == 1
    assert "S1: is held by another run" in capsys.readouterr().out
    assert snapshot(session) == before
    locks.release(lock)
    locks.close()
    assert main(["report", str(session)]) == 0
    assert not (imported.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("name", ["report.html", "study.tsv", "study.json", "S1/qxbatch/report.html"])
@pytest.mark.parametrize("is_broken", [False, True])
def test_a_link_in_place_of_a_page_or_table_is_kept_and_named(
    study: Study, tmp_path: Path, name: str, is_broken: bool
) -> None:
    study.put("S1", MrSeries().files())
    assert study.main().status == 0
    path, target = study.sessions / name, tmp_path / "target"
    if not is_broken:
        path.rename(target)
    content = None if is_broken else target.read_bytes()
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    run = run_main("report", str(study.sessions))
    assert run.status == 0, run.text
    assert f"{path} is a link, so it was renamed to {path.name}.1." in run.err
    assert path.with_name(f"{path.name}.1").readlink() == target
    assert (target.read_bytes() if target.exists() else None) == content
    assert path.is_file()
    assert not path.is_symlink()
    assert "renamed" not in run_main("report", str(study.sessions)).err
