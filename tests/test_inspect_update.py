"""`qxbatch inspect --update`: facts of sessions that were imported earlier, or by another program."""

import json
from pathlib import Path
from typing import Any

import pytest

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.pipeline.held import unit_lock
from qxbatch.publish.locks import Locks
from qxbatch.session.folder import SessionFolder, SessionState
from qxbatch.session.summary import with_facts
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, under, write_folder
from tests.build.study import Study, run_main, snapshot
from tests.test_parts_inspect import TREE, imported, stopped
from tests.test_schemas import SESSION, check

T1 = MrSeries(number=3, description="T1w", slices=4)
SUMMARY = "qxbatch/summary.json"
FACTS = ("acquisition", "verdict")


def content(session: Path) -> dict[str, Any]:
    """Return the summary of a session, which is as published."""
    found: dict[str, Any] = json.loads((session / SUMMARY).read_bytes())
    check(SESSION, found)
    return found


def made_earlier(session: Path) -> dict[str, Any]:
    """Take the facts out of a summary, as an earlier version wrote it, add unknown keys, and return what it was before."""
    whole: dict[str, Any] = json.loads((session / SUMMARY).read_bytes())
    old = json.loads(json.dumps(whole))
    for series in old["series"]:
        for key in FACTS:
            series.pop(key, None)
        series["note"] = "kept"
    old |= {"schema": 1, "note": {"of": "a person"}}
    (session / SUMMARY).write_text(json.dumps(old))
    return whole


@pytest.mark.parametrize("gzip", ["folder", "file", "no"])
def test_the_facts_of_an_earlier_import_are_those_of_a_new_one(gzip: str, study: Study) -> None:
    session = imported(study, TREE, f"--gzip={gzip}")
    whole = made_earlier(session)
    others = snapshot(session)
    run = run_main("inspect", "--update", str(session))
    assert run.status == 0, run.err
    assert run.out == f"{session}: 4 series, wrote {SUMMARY}, dicom/DICOM-Report.txt\n"
    found = json.loads((session / SUMMARY).read_bytes())
    assert found.pop("note") == {"of": "a person"}
    assert [series.pop("note") for series in found["series"]] == ["kept"] * 4
    assert found == whole
    after = snapshot(session)
    assert {name for name in others if others[name] != after[name]} == {SUMMARY}, "the report was up to date"
    assert run_main("verify", str(session)).status == 0
    assert not (study.sessions / ".qxbatch").exists()


def test_a_second_update_changes_no_byte_and_so_does_one_after_an_import(study: Study) -> None:
    session = imported(study, TREE)
    before = snapshot(study.sessions)
    run = run_main("inspect", "--update", str(session))
    assert (run.status, run.out) == (0, f"{session}: 4 series, its facts are up to date\n")
    assert snapshot(study.sessions) == before
    made_earlier(session)
    assert run_main("inspect", "--update", str(study.sessions)).status == 0
    once = snapshot(study.sessions)
    assert run_main("inspect", "--update", str(study.sessions)).status == 0
    assert snapshot(study.sessions) == once


def test_the_report_of_an_earlier_import_gets_the_facts(study: Study) -> None:
    session = imported(study, TREE)
    report = session / "dicom" / "DICOM-Report.txt"
    whole = report.read_text()
    made_earlier(session)
    report.write_text("\n".join([*whole.splitlines()[:2], "", "n  series  state", "30  3  converted"]) + "\n")
    assert run_main("inspect", "--update", str(session)).status == 0
    assert report.read_text() == whole
    made_earlier(session)
    report.write_text("notes of a person\n")
    assert run_main("inspect", "--update", str(session)).status == 0
    assert report.read_text() == "notes of a person\n"


def of_another_program(study: Study, *, converted: bool = True) -> Path:
    """Return a session as another program leaves it: series in any of its ways, images with their JSON."""
    session = study.session("OP1")
    tree = {"dicom/30.tar.gz": packed(under("30", T1.files()), Kind.TAR_GZ), **under("dicom/40", stopped())}
    sidecar = json.dumps({"PhaseEncodingDirection": "j-", "MultibandAccelerationFactor": 2}).encode()
    images = {"nii/41.nii.gz": b"an image", "nii/41.json": sidecar}
    words = {"session.txt": b"id: OP1\nsubject: S7\n\n41: bold\n", "dicom/DICOM-Report.txt": b"Report for OP1\n"}
    write_folder({**tree, **words, **(images if converted else {})}, session)
    return session


def test_a_session_of_another_program_gets_a_summary_that_other_commands_read(study: Study) -> None:
    session = of_another_program(study)
    before = snapshot(session)
    run = run_main("inspect", "--update", str(session))
    assert (run.status, run.out) == (0, f"{session}: 2 series, wrote {SUMMARY}\n")
    assert {key: value for key, value in snapshot(session).items() if key in before} == before
    found = content(session)
    assert [(series["n"], series["state"], series["verdict"]) for series in found["series"]] == [
        (30, "not converted", "complete"),
        (40, "converted", "incomplete"),
    ]
    bold = found["series"][1]
    assert bold["images"] == [41]
    assert bold["acquisition"]["planned_volumes"] == 8
    assert bold["acquisition"]["phase_encoding_direction"] == "j-", "by the JSON beside the image"
    assert (found["session"]["subject"], found["ledger"]["rows"]) == ("S7", 0)
    folder = SessionFolder(session)
    assert folder.state is SessionState.COMPLETE
    assert [image.number for image in folder.images] == [41]
    assert run_main("report", str(session)).status == 0
    verified = run_main("verify", str(session))
    assert verified.status == 1
    assert "has no qxbatch/ledger.tsv" in verified.out
    assert run_main("inspect", "--update", str(session)).out == f"{session}: 2 series, its facts are up to date\n"


def test_a_session_that_is_sorted_only_has_its_facts_at_once(study: Study) -> None:
    session = write_folder({"inbox/a.zip": packed(TREE, Kind.ZIP)}, study.session("S1"))
    assert run_main("sort", str(session)).status == 0
    found = content(session)
    assert [series["verdict"] for series in found["series"]] == ["complete", "incomplete", "complete", "complete"]
    assert [series["state"] for series in found["series"]] == ["not converted"] * 4
    (about,) = [problem for problem in found["problems"] if "incomplete" in problem["message"]]
    assert "planned 8 volumes, 5 complete" in about["message"]
    before = snapshot(session)
    assert run_main("inspect", "--update", str(session)).status == 0
    assert snapshot(session) == before


def test_test_says_what_would_be_written(study: Study) -> None:
    session = of_another_program(study)
    before = snapshot(study.sessions)
    run = run_main("inspect", "--update", "--test", str(session))
    assert (run.status, run.out) == (0, f"{session}: 2 series, would write {SUMMARY}\n")
    assert snapshot(study.sessions) == before


def test_a_session_that_another_run_holds_is_left_to_it(study: Study) -> None:
    first, second = of_another_program(study), imported(study, TREE)
    made_earlier(second)
    before = snapshot(first)
    locks = Locks(study.sessions / ".qxbatch" / "locks")
    lock = locks.take(unit_lock("OP1"))
    assert lock is not None
    assert run_main("inspect", "--update", str(first)).status == 75
    run = run_main("inspect", "--update", str(first), str(second))
    assert run.status == 1
    assert f"{first}: is held by another run" in run.err
    assert f"{second}: 4 series, wrote" in run.out
    assert snapshot(first) == before
    locks.release(lock)
    locks.close()


def test_an_import_that_was_interrupted_is_finished_first(study: Study) -> None:
    session = of_another_program(study)
    write_folder({"journal/OP1.json": b"{}"}, study.sessions / ".qxbatch")
    run = run_main("inspect", "--update", str(session))
    assert run.status == 1
    assert f"`qxbatch {study.sessions}` finishes it" in run.err
    assert not (session / SUMMARY).exists()


def test_a_summary_that_cannot_be_read_stays_as_it_is(study: Study) -> None:
    session = of_another_program(study)
    for text in ("{", '{"schema": 3}'):
        write_folder({SUMMARY: text.encode()}, session)
        run = run_main("inspect", "--update", str(session))
        assert run.status == 1
        assert str(session / SUMMARY) in run.err
        assert (session / SUMMARY).read_text() == text
        (session / SUMMARY).unlink()


def test_a_link_in_place_of_the_folder_is_not_followed(study: Study, tmp_path: Path) -> None:
    session = of_another_program(study)
    (tmp_path / "elsewhere").mkdir()
    (session / "qxbatch").symlink_to(tmp_path / "elsewhere")
    run = run_main("inspect", "--update", str(session))
    assert run.status == 1
    assert "is a link" in run.err
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_series_that_is_gone_keeps_its_facts_and_is_named(study: Study) -> None:
    session = imported(study, TREE)
    before = content(session)
    (session / "dicom" / "30.tar.gz").unlink()
    run = run_main("inspect", "--update", str(session))
    assert run.status == 1
    assert "series 30 is in qxbatch/summary.json, but not in dicom" in run.err
    assert content(session) == before


def test_a_session_without_sorted_files_is_a_failure(study: Study) -> None:
    session = write_folder({"session.txt": b"id: S\n", "nii/31.nii.gz": b"x"}, study.session("S"))
    run = run_main("inspect", "--update", str(session))
    assert run.status == 1
    assert "nothing is sorted" in run.err
    assert run_main("inspect", "--update", str(study.inbox)).status == 64


def test_json_tells_what_was_written(study: Study) -> None:
    session = of_another_program(study)
    told = json.loads(run_main("inspect", "--update", "--json", str(session)).out)
    assert told["sessions"] == [
        {"session": str(session), "series": 2, "written": [SUMMARY], "problems": [], "held": False}
    ]
    assert told["test"] is False


def test_a_repeated_series_that_is_complete_stays_repeated() -> None:
    text = json.dumps({"schema": 2, "series": [{"n": 10, "verdict": "repeated"}, {"n": 20}]})
    known = {10: (Acquisition(tr_ms=1.0), SeriesVerdict.COMPLETE), 20: (Acquisition(), SeriesVerdict.NOT_EVALUABLE)}
    first, second = json.loads(with_facts(text, known))["series"]
    assert (first["verdict"], first["acquisition"]) == ("repeated", {"tr_ms": 1.0})
    assert second == {"n": 20, "verdict": "not evaluable"}
    worse = {10: (Acquisition(), SeriesVerdict.INCOMPLETE)}
    assert json.loads(with_facts(text, worse))["series"][0]["verdict"] == "incomplete"
    assert with_facts(text, {}) == text
