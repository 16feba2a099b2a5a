"""study.json: which sessions a later run takes from it, and which it reads again."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from qxbatch.cli.main import main
from qxbatch.session.folder import SessionFolder
from qxbatch.study.document import as_json, read_previous
from qxbatch.study.exports import DataSet
from qxbatch.study.outdated import lists_not_imported
from qxbatch.study.sessions import sessions_in
from qxbatch.study.study import NotImported, Study, is_current, study_of
from tests.build.packets import Kind
from tests.build.study import Study as StudyFolder
from tests.build.study_level import T1, with_three_sessions


@pytest.fixture
def imported(study: StudyFolder) -> StudyFolder:
    """A study with three imported sessions."""
    return with_three_sessions(study)


def read(folder: Path) -> Study:
    return study_of(map(SessionFolder, sessions_in(folder)), read_previous(folder / "study.json").sessions)


def test_an_import_writes_the_study_level(imported: StudyFolder) -> None:
    names = {path.name for path in imported.sessions.iterdir() if path.is_file()}
    assert names == {"report.html", "study.json", "study.tsv"}
    assert [line.split("\t")[0] for line in (imported.sessions / "study.tsv").read_text().splitlines()[1:]] == [
        *("S1", "S2", "S3")
    ]
    imported.put("S4", T1.files())
    assert imported.main().status == 0
    assert len((imported.sessions / "study.tsv").read_text().splitlines()) == 5


def test_a_study_document_is_read_back_as_written(imported: StudyFolder) -> None:
    fresh = study_of(map(SessionFolder, sessions_in(imported.sessions)))
    read_back = read(imported.sessions)
    assert read_back == fresh
    assert as_json(read_back) == as_json(fresh)


def test_an_unchanged_session_is_not_read_again(imported: StudyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    summary = SessionFolder.summary.fget  # type: ignore[attr-defined] # of a property

    def spy(folder: SessionFolder) -> object:
        opened.append(folder.id)
        return summary(folder)

    monkeypatch.setattr(SessionFolder, "summary", property(spy))
    read(imported.sessions)
    assert opened == []
    path = imported.session("S2") / "qxbatch/summary.json"
    path.write_text(path.read_text().replace('"T1w"', '"T1x"'))
    names = [series.name for series in read(imported.sessions).sessions[1].series_facts.series]  # type: ignore[union-attr]
    assert names == ["T1x", "rest"]
    assert set(opened) == {"S2"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema": 2, "sessions": []}',
        '{"schema": 1, "sessions": 3}',
        '{"schema": 1, "sessions": [3]}',
        "[" * 9999,
    ],
)
def test_an_invalid_study_json_is_rebuilt(imported: StudyFolder, text: str) -> None:
    path = imported.sessions / "study.json"
    before = path.read_text()
    path.write_text(text)
    assert main(["report", str(imported.sessions)]) == 0
    assert path.read_text() == before


def test_a_session_with_an_invalid_row_is_read_again(imported: StudyFolder) -> None:
    path = imported.sessions / "study.json"
    content = json.loads(path.read_text())
    for session, change in zip(
        content["sessions"], ({"scanned_series": [{}]}, {"summary": 3}, {"problems": 1}), strict=True
    ):
        session.update(change)
    before = path.read_text()
    path.write_text(json.dumps(content))
    assert main(["report", str(imported.sessions)]) == 0
    assert path.read_text() == before


def not_imported(study: StudyFolder) -> Sequence[NotImported]:
    return read_previous(study.sessions / "study.json").not_imported


def test_a_packet_that_was_not_imported_is_listed_until_it_is_imported_or_removed(imported: StudyFolder) -> None:
    broken = imported.put("S5", T1.files(), Kind.ZIP)
    good = broken.read_bytes()
    broken.write_bytes(good[: len(good) // 2])
    stray = imported.inbox / "notes.txt"
    stray.write_text("x")
    assert imported.main().status == 1
    assert [item.item for item in not_imported(imported)] == ["S5.zip", "notes.txt"]
    assert "S5.zip" in (imported.sessions / "report.html").read_text()
    stray.unlink()
    assert main(["report", str(imported.sessions)]) == 0
    assert [item.item for item in not_imported(imported)] == ["S5.zip"]
    broken.write_bytes(good)
    assert imported.main().status == 0
    assert not_imported(imported) == ()


def test_a_run_without_ready_packets_lists_what_it_did_not_import(imported: StudyFolder) -> None:
    assert not_imported(imported) == ()
    stray = imported.inbox / "notes.txt"
    stray.write_text("x")
    imported.main()
    assert [item.item for item in not_imported(imported)] == ["notes.txt"]
    assert "notes.txt" in (imported.sessions / "report.html").read_text()
    stray.unlink()
    imported.main()
    assert not_imported(imported) == ()


def test_a_failed_recovery_is_listed_until_it_succeeds_whatever_the_working_directory_is(
    imported: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(imported.sessions)  # the folder of session S1 is here, and is not the packet
    journal = imported.sessions / ".qxbatch" / "journal" / "S1.json"
    journal.parent.mkdir(parents=True)
    journal.write_text("{}")
    imported.put("S4", T1.files())
    assert imported.main().status == 1
    assert [(item.item, item.path) for item in not_imported(imported)] == [("S1", "")]
    journal.unlink()
    imported.put("S5", T1.files())
    assert imported.main().status == 0
    assert not_imported(imported) == ()


def test_an_import_succeeds_if_the_study_level_cannot_be_written(study: StudyFolder) -> None:
    (study.sessions / "study.tsv").mkdir(parents=True)
    study.put("S1", T1.files())
    run = study.main()
    assert run.status == 0
    assert "The study page was not refreshed: cannot write" in run.text
    assert SessionFolder(study.session("S1")).summary is not None


def test_a_refused_packet_alone_creates_no_study_level(study: StudyFolder) -> None:
    packet = study.put("S1", T1.files())
    packet.write_bytes(packet.read_bytes()[:-60])
    assert study.main().status == 1
    assert [path.name for path in study.sessions.iterdir()] == ["inbox"]
    study.put("S2", T1.files())
    assert study.main().status == 1
    assert [item.item for item in not_imported(study)] == ["S1.zip"]


def test_a_file_of_a_user_with_the_same_name_is_kept(study: StudyFolder) -> None:
    study.sessions.mkdir(parents=True, exist_ok=True)
    (study.sessions / "study.tsv").write_text("mine")
    (study.sessions / "study.tsv.1").write_text("mine as well")
    study.put("S1", T1.files())
    run = study.main()
    assert run.status == 0
    assert (study.sessions / "study.tsv.2").read_text() == "mine"
    assert (study.sessions / "study.tsv.1").read_text() == "mine as well"
    assert "study.tsv is not as qxbatch wrote it, so it was renamed to study.tsv.2." in run.text
    assert (study.sessions / "study.tsv").read_text().startswith("session_id\t")


@pytest.mark.parametrize("kind", ["fifo", "endless"])
@pytest.mark.parametrize("name", ["thumbnail.png", "31.png"])
def test_a_picture_that_is_no_regular_file_is_ignored(imported: StudyFolder, kind: str, name: str) -> None:
    picture = imported.session("S1") / "qxbatch/pictures" / name
    picture.unlink()
    if kind == "fifo":
        os.mkfifo(picture)
    else:
        picture.symlink_to("/dev/zero")
    assert main(["report", str(imported.sessions)]) == 0
    imported.put("S4", T1.files())
    assert imported.main().status == 0


def test_report_writes_nothing_through_a_link(imported: StudyFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    pictures = imported.session("S1") / "qxbatch/pictures"
    for path in pictures.iterdir():
        path.unlink()
    (pictures / "31.png").symlink_to(outside / "31.png")
    (pictures / "thumbnail.png").symlink_to(outside / "thumbnail.png")
    assert main(["report", str(imported.sessions)]) == 0
    session_files = imported.session("S2") / "qxbatch"
    session_files.rename(outside / "own")
    session_files.symlink_to(outside / "own")
    before = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
    assert main(["report", str(imported.sessions)]) == 1
    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in outside.iterdir()) == ["own"]


@pytest.mark.parametrize(
    "invalid",
    [
        {"temporal_snr": [{"n": 1, "name": "x", "tsnr": 10**400}]},
        {"subject": "\ud800"},
        {"packets": "\ud800", "scanned": 10**400},
    ],
)
def test_invalid_numbers_and_surrogates_do_not_stop_an_import(
    imported: StudyFolder, invalid: dict[str, object]
) -> None:
    path = imported.sessions / "study.json"
    content = json.loads(path.read_text())
    content["sessions"][0].update(invalid)
    path.write_text(json.dumps(content))
    imported.put("S4", T1.files())
    run = imported.main()
    assert run.status == 0, run.text
    assert "S4" in (imported.sessions / "report.html").read_text()
    assert [each.name for each in imported.sessions.iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize(
    "damage",
    [
        {"header": {"SeriesNumber": 10**400}},
        {"header": {"SeriesNumber": [None]}},
        {"acquisition": {"b_values": [[0, 0]]}},
        {"acquisition": {"b_values": [[0, -1], [5, 1]]}},
    ],
    ids=["large integer", "list without a value", "no volumes", "negative number of volumes"],
)
def test_the_damaged_summary_of_one_session_does_not_stop_the_study_page(
    imported: StudyFolder, damage: dict[str, object]
) -> None:
    path = imported.session("S1") / "qxbatch/summary.json"
    summary = json.loads(path.read_text())
    summary["series"][0].update(damage)
    path.write_text(json.dumps(summary))
    imported.put("S4", T1.files())
    run = imported.main()
    assert run.status == 0, run.text
    assert "was not refreshed" not in run.text
    rows = [line.split("\t") for line in (imported.sessions / "study.tsv").read_text().splitlines()[1:]]
    assert [(row[0], row[3]) for row in rows] == [
        *(("S1", "incomplete"), ("S2", "complete"), ("S3", "complete"), ("S4", "complete"))
    ]


def test_a_packet_that_is_filtered_out_is_still_listed(imported: StudyFolder) -> None:
    for name in ("S5", "S6"):
        packet = imported.put(name, T1.files())
        packet.write_bytes(packet.read_bytes()[:-60])
    assert imported.main().status == 1
    assert imported.main("--sessions=S5").status == 1
    assert [item.item for item in not_imported(imported)] == ["S5.zip", "S6.zip"]


def test_deidentified_logs_count_packets_without_a_session_and_do_not_name_them(study: StudyFolder) -> None:
    study.put("S1", T1.files())
    damaged = study.put("Zagar", T1.files())
    damaged.write_bytes(damaged.read_bytes()[:-60])
    (study.inbox / "Horvat.txt").write_text("x")
    assert study.main("--deidentify-logs").status == 1
    for name in ("study.json", "study.tsv", "report.html"):
        text = (study.sessions / name).read_text()
        assert "Zagar" not in text
        assert "Horvat" not in text
    assert [item.item for item in not_imported(study)] == ["packet 1", "packet 2"]
    assert study.main().status == 1
    assert [item.item for item in not_imported(study)] == ["Horvat.txt", "Zagar.zip"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinity_are_written_as_null(imported: StudyFolder, value: str) -> None:
    summary = SessionFolder(imported.session("S2")).paths.summary
    text = summary.read_text()
    assert '"SeriesNumber": 3' in text
    summary.write_text(text.replace('"SeriesNumber": 3', f'"SeriesNumber": {value}'))
    assert main(["report", str(imported.sessions)]) == 0

    def refused(constant: str) -> None:
        raise AssertionError(constant)

    json.loads((imported.sessions / "study.json").read_text(), parse_constant=refused)


def test_a_folder_with_the_name_of_the_page_is_reported(imported: StudyFolder) -> None:
    page = imported.sessions / "report.html"
    page.unlink()
    page.mkdir()
    imported.put("S4", T1.files())
    run = imported.main()
    assert run.status == 0
    assert f"cannot write {page}" in run.text


@pytest.mark.parametrize("name", ["report.html", "study.tsv", "study.json"])
def test_a_packet_with_the_name_of_a_file_of_the_study_level_is_refused(study: StudyFolder, name: str) -> None:
    study.put(name, T1.files())
    study.put("S1", T1.files())
    run = study.main()
    assert run.status == 1
    assert "the study uses that name for other things" in " ".join(run.text.split())
    assert (study.sessions / name).is_file()


def test_the_next_run_writes_a_page_that_could_not_be_written(imported: StudyFolder) -> None:
    page = imported.sessions / "report.html"
    page.unlink()
    page.mkdir()
    imported.put("S4", T1.files())
    assert "The study page was not refreshed" in imported.main().text
    page.rmdir()
    assert imported.main("--check=no").status == 0
    assert 'id="s-S4"' in page.read_text()
    assert [record.id for record in read(imported.sessions).sessions] == ["S1", "S2", "S3", "S4"]


@pytest.mark.parametrize("deleted", ["study.json", "study.tsv", "report.html"])
def test_a_run_without_packets_updates_a_study_level_older_than_a_session(imported: StudyFolder, deleted: str) -> None:
    (imported.sessions / deleted).unlink()
    if deleted != "study.json":
        os.utime(imported.sessions / "study.json", (0, 0))
    assert imported.main("--check=no").status == 0
    assert (imported.sessions / deleted).is_file()


def test_a_run_without_packets_does_not_change_a_current_study_level(imported: StudyFolder) -> None:
    names = ("study.json", "study.tsv", "report.html")
    before = {name: (imported.sessions / name).stat().st_mtime_ns for name in names}
    assert imported.main("--check=no").status == 0
    assert {name: (imported.sessions / name).stat().st_mtime_ns for name in names} == before


def test_a_dry_run_writes_no_study_level(imported: StudyFolder) -> None:
    (imported.sessions / "study.json").unlink()
    assert imported.main("--check=no", "--test").status == 0
    assert not (imported.sessions / "study.json").exists()


def test_a_run_without_packets_removes_deleted_packets_from_the_list(imported: StudyFolder) -> None:
    damaged = imported.put("S5", T1.files())
    damaged.write_bytes(damaged.read_bytes()[:-60])
    assert imported.main().status == 1
    assert [item.item for item in not_imported(imported)] == ["S5.zip"]
    damaged.unlink()
    assert imported.main("--check=no").status == 0
    assert not_imported(imported) == ()
    assert lists_not_imported(imported.sessions) is False


def test_the_list_of_an_exported_study_without_waiting_packets_is_empty(tmp_path: Path) -> None:
    data_set = DataSet(tmp_path / "bids", tmp_path / "rules.toml", {})
    (tmp_path / "study.json").write_text(as_json(study_of([], data_sets=[data_set])))
    assert lists_not_imported(tmp_path) is False


def test_a_study_with_an_unreadable_summary_is_current(imported: StudyFolder) -> None:
    summary = SessionFolder(imported.session("S2")).paths.summary
    text = summary.read_text()
    summary.write_text(text.replace('"schema": 2', '"schema": 99'))
    study = read(imported.sessions)
    assert is_current(study, imported.sessions)
    summary.write_text(text)
    assert not is_current(study, imported.sessions)


def test_a_packet_that_still_waits_does_not_change_the_study_level(imported: StudyFolder) -> None:
    (imported.inbox / "notes.txt").write_text("x")
    imported.put("S5", T1.files())
    assert imported.main().status == 0
    assert lists_not_imported(imported.sessions)
    before = (imported.sessions / "study.json").stat().st_mtime_ns
    assert imported.main("--check=no").status == 0
    assert (imported.sessions / "study.json").stat().st_mtime_ns == before


def test_a_session_is_complete_when_its_session_txt_is_restored(imported: StudyFolder) -> None:
    path = SessionFolder(imported.session("S2")).paths.session_txt
    content = path.read_bytes()
    path.unlink()
    assert main(["report", str(imported.sessions)]) == 0
    assert [record.cells["state"] for record in read(imported.sessions).sessions][1] == "incomplete"
    path.write_bytes(content)
    assert imported.main("--check=no").status == 0
    states = {record.cells["state"] for record in read_previous(imported.sessions / "study.json").sessions.values()}
    assert states == {"complete"}


def test_a_session_id_like_a_formula_has_an_apostrophe_in_the_table(study: StudyFolder) -> None:
    for name in ("=1+1", "@SUM(A1)"):
        study.put(name, T1.files())
    assert study.main().status == 0
    table = (study.sessions / "study.tsv").read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[0] for line in table] == ["session_id", "'=1+1", "'@SUM(A1)"]
