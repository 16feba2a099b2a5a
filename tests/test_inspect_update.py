"""`qxbatch inspect --update` adds facts to sessions of older versions and of other programs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.pipeline.unit_locks import unit_lock_name
from qxbatch.publish.locks import Locks
from qxbatch.session.folder import SessionFolder, SessionState
from qxbatch.session.summary import with_facts
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, under, write_folder
from tests.build.study import Study, run_main, snapshot
from tests.test_commands_inspect import TREE, imported, stopped
from tests.test_schemas import SESSION, check

T1 = MrSeries(number=3, description="T1w", slices=4)
SUMMARY = "qxbatch/summary.json"
FACTS = ("acquisition", "verdict")


def checked_summary(session: Path) -> dict[str, Any]:
    """Return the summary of a session, checked against its schema."""
    summary: dict[str, Any] = json.loads((session / SUMMARY).read_bytes())
    check(SESSION, summary)
    return summary


def make_older(session: Path) -> dict[str, Any]:
    """Remove the facts from a summary, as in an older version, add unknown keys, and return the original."""
    original: dict[str, Any] = json.loads((session / SUMMARY).read_bytes())
    old = json.loads(json.dumps(original))
    for series in old["series"]:
        for key in FACTS:
            series.pop(key, None)
        series["note"] = "kept"
    old |= {"schema": 1, "note": {"of": "a person"}}
    (session / SUMMARY).write_text(json.dumps(old))
    return original


@pytest.mark.parametrize(
    "value",
    [
        "12345678901234567890.1234567890123",
        "1e400",
        "1.10",
        "1E5",
        "-0",
        "-0.0",
        '"\\udc80"',
        '"\\ud800 <1.10>"',
    ],
)
def test_numbers_and_texts_of_users_stay_as_they_are(study: Study, value: str) -> None:
    session = imported(study, TREE)
    make_older(session)
    summary = session / SUMMARY
    summary.write_text(summary.read_text().replace('"note": "kept"', f'"note": {value}'))
    assert summary.read_text().count(f'"note": {value}') == 4
    run = run_main("inspect", "--update", str(session))
    assert run.status == 0, run.err
    text = summary.read_text()
    assert text.count(f'"note": {value},\n') == 4, text
    assert run_main("inspect", "--update", str(session)).out == f"{session}: 4 series, its facts are up to date\n"
    assert run_main("verify", str(session)).status == 0


@pytest.mark.parametrize("gzip", ["folder", "file", "no"])
def test_facts_added_to_an_older_import_equal_those_of_a_new_one(gzip: str, study: Study) -> None:
    session = imported(study, TREE, f"--gzip={gzip}")
    original = make_older(session)
    before = snapshot(session)
    run = run_main("inspect", "--update", str(session))
    assert run.status == 0, run.err
    assert run.out == f"{session}: 4 series, wrote {SUMMARY}, dicom/DICOM-Report.txt\n"
    summary = json.loads((session / SUMMARY).read_bytes())
    assert summary.pop("note") == {"of": "a person"}
    assert [series.pop("note") for series in summary["series"]] == ["kept"] * 4
    assert summary == original
    after = snapshot(session)
    assert {name for name in before if before[name] != after[name]} == {SUMMARY}, "the report was up to date"
    assert run_main("verify", str(session)).status == 0
    assert not (study.sessions / ".qxbatch").exists()


def test_an_update_without_new_facts_changes_no_byte(study: Study) -> None:
    session = imported(study, TREE)
    before = snapshot(study.sessions)
    run = run_main("inspect", "--update", str(session))
    assert (run.status, run.out) == (0, f"{session}: 4 series, its facts are up to date\n")
    assert snapshot(study.sessions) == before
    make_older(session)
    assert run_main("inspect", "--update", str(study.sessions)).status == 0
    once = snapshot(study.sessions)
    assert run_main("inspect", "--update", str(study.sessions)).status == 0
    assert snapshot(study.sessions) == once


def test_the_report_of_an_older_import_gets_the_facts(study: Study) -> None:
    session = imported(study, TREE)
    report = session / "dicom" / "DICOM-Report.txt"
    original = report.read_text()
    make_older(session)
    rows = [line.split() for line in original.partition("\n\n")[2].splitlines()]
    older_table = [f"{row[0]:4}  {row[1]:6}  {row[-1]}" for row in rows]
    report.write_text("\n".join([*original.splitlines()[:2], "", *older_table]) + "\n")
    assert run_main("inspect", "--update", str(session)).status == 0
    assert report.read_text() == original
    make_older(session)
    report.write_text("notes of a person\n")
    assert run_main("inspect", "--update", str(session)).status == 0
    assert report.read_text() == "notes of a person\n"


@pytest.mark.parametrize(
    "edit",
    [
        lambda report: f"{report}check series 3 again\n",
        lambda report: report.replace("\n\n", "\nthe patient moved\n\n"),
        lambda report: report.replace("converted\n", "converted  by me\n", 1),
        lambda report: report.replace("T1w ", "T1w, bad ", 1),
        lambda report: report.replace("\n", "\r\n"),
        lambda report: report.rstrip("\n"),
    ],
    ids=["line at the end", "line above the table", "cell added", "cell changed", "line ends", "last line end"],
)
def test_an_edited_report_stays(edit: Callable[[str], str], study: Study) -> None:
    session = imported(study, TREE)
    report = session / "dicom" / "DICOM-Report.txt"
    edited = edit(report.read_text()).encode()
    assert edited != report.read_bytes()
    report.write_bytes(edited)
    make_older(session)
    run = run_main("inspect", "--update", str(session))
    assert (run.status, run.out) == (0, f"{session}: 4 series, wrote {SUMMARY}\n")
    assert report.read_bytes() == edited


def of_another_program(study: Study) -> Path:
    """Return a session written by another program: one packed and one unpacked series, an image with a JSON sidecar."""
    session = study.session("OP1")
    tree = {"dicom/30.tar.gz": packed(under("30", T1.files()), Kind.TAR_GZ), **under("dicom/40", stopped())}
    sidecar = json.dumps({"PhaseEncodingDirection": "j-", "MultibandAccelerationFactor": 2}).encode()
    images = {"nii/41.nii.gz": b"an image", "nii/41.json": sidecar}
    texts = {"session.txt": b"id: OP1\nsubject: S7\n\n41: bold\n", "dicom/DICOM-Report.txt": b"Report for OP1\n"}
    write_folder({**tree, **images, **texts}, session)
    return session


def test_a_session_of_another_program_gets_a_summary_for_other_commands(study: Study) -> None:
    session = of_another_program(study)
    before = snapshot(session)
    run = run_main("inspect", "--update", str(session))
    assert (run.status, run.out) == (0, f"{session}: 2 series, wrote {SUMMARY}\n")
    assert {key: value for key, value in snapshot(session).items() if key in before} == before
    summary = checked_summary(session)
    assert [(series["n"], series["state"], series["verdict"]) for series in summary["series"]] == [
        (30, "not converted", "complete"),
        (40, "converted", "incomplete"),
    ]
    bold = summary["series"][1]
    assert bold["images"] == [41]
    assert bold["acquisition"]["planned_volumes"] == 8
    assert bold["acquisition"]["phase_encoding_direction"] == "j-", "from the JSON sidecar of the image"
    assert (summary["session"]["subject"], summary["ledger"]["rows"]) == ("S7", 0)
    folder = SessionFolder(session)
    assert folder.state is SessionState.COMPLETE
    assert [image.number for image in folder.images] == [41]
    assert run_main("report", str(session)).status == 0
    verified = run_main("verify", str(session))
    assert verified.status == 1
    assert "has no qxbatch/ledger.tsv" in verified.out
    assert run_main("inspect", "--update", str(session)).out == f"{session}: 2 series, its facts are up to date\n"


def test_a_sorted_session_has_facts_without_an_update(study: Study) -> None:
    session = write_folder({"inbox/a.zip": packed(TREE, Kind.ZIP)}, study.session("S1"))
    assert run_main("sort", str(session)).status == 0
    summary = checked_summary(session)
    assert [series["verdict"] for series in summary["series"]] == ["complete", "incomplete", "complete", "complete"]
    assert [series["state"] for series in summary["series"]] == ["not converted"] * 4
    (incomplete,) = [problem for problem in summary["problems"] if "incomplete" in problem["message"]]
    assert "planned 8 volumes, 5 complete" in incomplete["message"]
    before = snapshot(session)
    assert run_main("inspect", "--update", str(session)).status == 0
    assert snapshot(session) == before


def test_the_test_option_lists_what_would_be_written(study: Study) -> None:
    session = of_another_program(study)
    before = snapshot(study.sessions)
    run = run_main("inspect", "--update", "--test", str(session))
    assert (run.status, run.out) == (0, f"{session}: 2 series, would write {SUMMARY}\n")
    assert snapshot(study.sessions) == before


def test_a_session_locked_by_another_run_is_unchanged(study: Study) -> None:
    first, second = of_another_program(study), imported(study, TREE)
    make_older(second)
    before = snapshot(first)
    locks = Locks(study.sessions / ".qxbatch" / "locks")
    lock = locks.take(unit_lock_name("OP1"))
    assert lock is not None
    assert run_main("inspect", "--update", str(first)).status == 75
    run = run_main("inspect", "--update", str(first), str(second))
    assert run.status == 1
    assert f"{first}: is held by another run" in run.err
    assert f"{second}: 4 series, wrote" in run.out
    assert snapshot(first) == before
    locks.release(lock)
    locks.close()


def test_an_interrupted_import_must_be_finished_first(study: Study) -> None:
    session = of_another_program(study)
    write_folder({"journal/OP1.json": b"{}"}, study.sessions / ".qxbatch")
    run = run_main("inspect", "--update", str(session))
    assert run.status == 1
    assert f"`qxbatch {study.sessions}` finishes the import" in run.err
    assert not (session / SUMMARY).exists()


def test_an_unreadable_summary_is_unchanged(study: Study) -> None:
    session = of_another_program(study)
    for text in ("{", '{"schema": 3}'):
        write_folder({SUMMARY: text.encode()}, session)
        run = run_main("inspect", "--update", str(session))
        assert run.status == 1
        assert str(session / SUMMARY) in run.err
        assert (session / SUMMARY).read_text() == text
        (session / SUMMARY).unlink()


@pytest.mark.parametrize("name", ["sessions", "sessions/S1"])
def test_a_session_that_is_a_link_is_left_alone(name: str, study: Study, tmp_path: Path) -> None:
    session = imported(study, TREE)
    make_older(session)
    other = tmp_path / "other" / "sessions"
    other.mkdir(parents=True)
    (other / "S1").symlink_to(session)
    before = snapshot(session)
    run = run_main("inspect", "--update", str(tmp_path / "other" / name))
    assert run.status == 1
    assert f"{other / 'S1'}: is a link" in run.err
    assert snapshot(session) == before


def test_a_link_named_qxbatch_is_not_followed(study: Study, tmp_path: Path) -> None:
    session = of_another_program(study)
    (tmp_path / "elsewhere").mkdir()
    (session / "qxbatch").symlink_to(tmp_path / "elsewhere")
    run = run_main("inspect", "--update", str(session))
    assert run.status == 1
    assert "is a link" in run.err
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    "command", [("inspect", "--update"), ("inspect", "--update", "--test"), ("report",)], ids=" ".join
)
def test_a_summary_that_is_a_broken_link_is_named_and_stays(command: tuple[str, ...], study: Study) -> None:
    session = imported(study, TREE)
    path = session / SUMMARY
    path.unlink()
    path.symlink_to("../../.git/annex/objects/k1/k2/SHA256E-s5000--ab.json")
    before = snapshot(session)
    run = run_main(*command, str(session))
    assert run.status == 1, run.text
    assert f"{path}: is a link to a file that is not here" in run.text
    assert "`git annex get`" in run.text
    assert "--update" not in run.text
    assert snapshot(session) == before


@pytest.mark.parametrize("name", ["dicom/DICOM-Report.txt", "qxbatch/sorted.sha256"])
def test_other_files_that_are_broken_links_stay(name: str, study: Study) -> None:
    session = imported(study, TREE)
    make_older(session)
    (session / name).unlink(missing_ok=True)
    (session / name).symlink_to("missing")
    run = run_main("inspect", "--update", str(session))
    assert run.status == 0, run.text
    assert "wrote qxbatch/summary.json" in run.out
    assert (session / name).readlink() == Path("missing")


def test_a_missing_series_keeps_its_facts_and_is_reported(study: Study) -> None:
    session = imported(study, TREE)
    before = checked_summary(session)
    (session / "dicom" / "30.tar.gz").unlink()
    run = run_main("inspect", "--update", str(session))
    assert run.status == 1
    assert "series 30 is in qxbatch/summary.json, but not in dicom" in run.err
    assert checked_summary(session) == before


def test_a_session_without_sorted_files_is_a_failure(study: Study) -> None:
    session = write_folder({"session.txt": b"id: S\n", "nii/31.nii.gz": b"x"}, study.session("S"))
    run = run_main("inspect", "--update", str(session))
    assert run.status == 1
    assert "nothing is sorted" in run.err
    assert run_main("inspect", "--update", str(study.inbox)).status == 64


def test_json_lists_what_was_written(study: Study) -> None:
    session = of_another_program(study)
    document = json.loads(run_main("inspect", "--update", "--json", str(session)).out)
    assert document["sessions"] == [
        {"session": str(session), "series": 2, "written": [SUMMARY], "problems": [], "held": False}
    ]
    assert document["test"] is False


def test_a_repeated_series_that_is_complete_stays_repeated() -> None:
    text = json.dumps({"schema": 2, "series": [{"n": 10, "verdict": "repeated"}, {"n": 20}]})
    known = {10: (Acquisition(tr_ms=1.0), SeriesVerdict.COMPLETE), 20: (Acquisition(), SeriesVerdict.NOT_EVALUABLE)}
    first, second = json.loads(with_facts(text, known))["series"]
    assert (first["verdict"], first["acquisition"]) == ("repeated", {"tr_ms": 1.0})
    assert second == {"n": 20, "verdict": "not evaluable"}
    worse = {10: (Acquisition(), SeriesVerdict.INCOMPLETE)}
    assert json.loads(with_facts(text, worse))["series"][0]["verdict"] == "incomplete"
    assert with_facts(text, {}) == text


def test_keys_that_are_not_facts_stay_in_the_facts() -> None:
    text = json.dumps(
        {"schema": 2, "series": [{"n": 10, "acquisition": {"tr_ms": 2.0, "te_ms": [3.0], "remark": "mine"}}]}
    )
    (series,) = json.loads(with_facts(text, {10: (Acquisition(tr_ms=1.0), SeriesVerdict.COMPLETE)}))["series"]
    assert series["acquisition"] == {"tr_ms": 1.0, "remark": "mine"}


def test_a_summary_with_a_key_twice_is_not_changed(study: Study) -> None:
    session = imported(study, T1.files())
    summary = session / SUMMARY
    text = summary.read_text().replace('"schema"', '"remark": {"of": 1, "of": 2}, "schema"')
    summary.write_text(text)
    assert "its facts are up to date" in run_main("inspect", "--update", str(session)).out
    summary.write_text(text := text.replace('"verdict"', '"removed"'))
    run = run_main("inspect", "--update", str(session))
    assert run.status == 1
    assert "an object has the key 'of' twice" in " ".join(run.err.split())
    assert summary.read_text() == text


def test_an_update_writes_no_name_into_a_de_identified_session(study: Study) -> None:
    changes: dict[str, object] = {
        "SequenceName": "Zagar seq",
        "ReceiveCoilName": "Zagar coil",
        "SoftwareVersions": "Zagar 1",
    }
    session = imported(study, MrSeries(patient="S1", name="Zagar^Ana", changes=changes).files(), "--deidentify-logs")
    assert checked_summary(session)["series"][0]["acquisition"]["coil"] == "S1 coil"
    run = run_main("inspect", "--update", str(session))
    assert (run.status, run.out) == (0, f"{session}: 1 series, its facts are up to date\n")
    make_older(session)
    assert run_main("inspect", "--update", str(session)).status == 0
    assert "Zagar" not in (session / SUMMARY).read_text()
    assert json.loads((session / SUMMARY).read_bytes())["series"][0]["acquisition"]["tr_ms"] == 2000
