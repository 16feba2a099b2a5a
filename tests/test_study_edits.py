"""Files of the study level that somebody edited or forged: edits are kept, and forged texts are escaped."""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TextIO

import pytest

from qxbatch.cli.main import main
from qxbatch.textfile import create_text
from tests.build.dicom import MrSeries
from tests.build.study import Study as StudyFolder
from tests.build.study import run_main
from tests.build.study_level import REST, T1, with_three_sessions


@pytest.fixture
def imported(study: StudyFolder) -> StudyFolder:
    """A study with three imported sessions."""
    return with_three_sessions(study)


def kept_beside(path: Path) -> list[str]:
    """Return the texts of the edited versions that were kept as NAME.1, NAME.2, ..."""
    return [other.read_text() for other in path.parent.glob(f"{path.name}.*")]


@pytest.mark.parametrize("name", ["study.tsv", "report.html", "S1/qxbatch/report.html"])
def test_an_edited_file_is_kept_when_it_is_written_again(
    imported: StudyFolder, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = imported.sessions / name
    written = path.read_text()
    edits = [
        written + "# my remark\n",
        written.replace("S1", "S1, which moved", 1),
        "mine",
        '<!DOCTYPE html>\n<html lang="en">\nmine',
        "session_id\tmine\n",
    ]
    for edited in edits:
        path.write_text(edited)
        main(["report", str(imported.sessions)])
        assert path.read_text() == written
        assert "is not as qxbatch wrote it" in capsys.readouterr().err
    assert sorted(kept_beside(path)) == sorted(edits)
    assert run_main("verify", str(imported.session("S1"))).status == 0


@pytest.mark.parametrize("name", ["study.tsv", "report.html", "S1/qxbatch/report.html"])
def test_a_file_that_is_edited_while_the_new_one_is_written_is_kept(
    imported: StudyFolder, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = imported.sessions / name
    written = path.read_text()

    def edited(place: Path, mode: int = 0o666) -> AbstractContextManager[TextIO]:
        if place.name.endswith(path.name) and place.parent.samefile(path.parent):
            path.write_text("mine")
        return create_text(place, mode)

    monkeypatch.setattr("qxbatch.publish.foreign.create_text", edited)
    main(["report", str(imported.sessions)])
    assert path.read_text() == written
    assert kept_beside(path) == ["mine"]


@pytest.mark.parametrize("name", ["study.tsv", "report.html", "S1/qxbatch/report.html"])
def test_a_file_that_nobody_edited_is_replaced(
    imported: StudyFolder, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = imported.sessions / name
    imported.put("S4", REST.files())
    imported.put("S5", MrSeries(number=9, description="other").files())
    capsys.readouterr()
    assert imported.main("--sessions=S4").status == 0
    main(["report", str(imported.sessions)])
    shutil.rmtree(imported.session("S3"))
    main(["report", str(imported.sessions)])
    (imported.sessions / "study.json").unlink()
    main(["report", str(imported.sessions)])
    assert "is not as" not in capsys.readouterr().err
    assert kept_beside(path) == []


@pytest.mark.parametrize("at", ["report.html", "S1/qxbatch/report.html"])
def test_a_page_without_its_checksum_is_kept(imported: StudyFolder, at: str) -> None:
    path = imported.sessions / at
    edited = re.sub(r"<div class=.volatile.><!-- checksum.*\n", "", path.read_text()).replace("S1", "my S1")
    path.write_text(edited)
    main(["report", str(imported.sessions)])
    assert kept_beside(path) == [edited]
    assert "<!-- checksum" in path.read_text()


EDITS: dict[str, Callable[[list[str]], list[str]]] = {
    "deleted": lambda lines: [*lines[:2], *lines[3:]],
    "deleted last": lambda lines: lines[:-1],
    "only the header": lambda lines: lines[:1],
    "sorted": lambda lines: [lines[0], *lines[:0:-1]],
    "repeated": lambda lines: [*lines, lines[-1]],
    "header moved": lambda lines: [*lines[1:], lines[0]],
    "one cell": lambda lines: [*lines[:-1], lines[-1].replace("complete", "good")],
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("more", [False, True])
def test_a_table_with_other_rows_is_kept(
    imported: StudyFolder, edit: Callable[[list[str]], list[str]], more: bool
) -> None:
    path = imported.sessions / "study.tsv"
    edited = "".join(f"{line}\n" for line in edit(path.read_text().splitlines()))
    path.write_text(edited)
    if more:
        imported.put("S0", T1.files())
        assert imported.main().status == 0
    else:
        main(["report", str(imported.sessions)])
    assert kept_beside(path) == [edited]


def test_a_changed_number_of_differences_is_kept(imported: StudyFolder) -> None:
    path = imported.sessions / "study.tsv"
    column = path.read_text().splitlines()[0].split("\t").index("differences")

    def with_differences(old: str, new: str) -> str:
        rows = [line.split("\t") for line in path.read_text().splitlines()]
        assert rows[1][column] == old
        rows[1][column] = new
        return "".join("\t".join(row) + "\n" for row in rows)

    path.write_text(first := with_differences("0", "n/a"))
    main(["report", str(imported.sessions)])
    assert kept_beside(path) == [first]
    shutil.rmtree(imported.session("S3"))  # two sessions are not compared
    main(["report", str(imported.sessions)])
    path.write_text(second := with_differences("n/a", "0"))
    main(["report", str(imported.sessions)])
    assert sorted(kept_beside(path)) == sorted([first, second])


EDITS_OF_A_REMOVED_SESSION: dict[str, Callable[[list[str]], list[str]]] = {
    "repeated": lambda lines: [*lines, lines[2]],
    "moved": lambda lines: [*lines[:2], lines[3], lines[2]],
}


@pytest.mark.parametrize("edit", EDITS_OF_A_REMOVED_SESSION.values(), ids=EDITS_OF_A_REMOVED_SESSION)
def test_the_row_of_a_removed_session_that_was_repeated_or_moved_is_kept(
    imported: StudyFolder, edit: Callable[[list[str]], list[str]]
) -> None:
    path = imported.sessions / "study.tsv"
    edited = "".join(f"{line}\n" for line in edit(path.read_text().splitlines()))
    path.write_text(edited)
    shutil.rmtree(imported.session("S2"))
    main(["report", str(imported.sessions)])
    assert kept_beside(path) == [edited]


@pytest.mark.parametrize("has_field", [False, True])
def test_the_table_that_was_written_before_a_session_was_removed_is_replaced(
    imported: StudyFolder, has_field: bool
) -> None:
    path, sidecar = imported.sessions / "study.tsv", imported.sessions / "study.json"
    for name in ("S2", "S3"):
        if not has_field:  # written by an older version
            sidecar.write_text(re.sub(r', "compared": (true|false)', "", sidecar.read_text()))
        shutil.rmtree(imported.session(name))
        main(["report", str(imported.sessions)])
    assert kept_beside(path) == []


def test_the_table_of_a_killed_run_is_replaced(imported: StudyFolder) -> None:
    table, sidecar = imported.sessions / "study.tsv", imported.sessions / "study.json"
    before = sidecar.read_bytes()
    imported.put("S5", T1.files())
    assert imported.main().status == 0
    sidecar.write_bytes(before)  # as if the run had been killed between the two files
    imported.put("S0", T1.files())
    assert imported.main().status == 0
    assert kept_beside(table) == []


def test_an_edit_in_a_line_of_the_page_that_differs_between_imports_is_kept(imported: StudyFolder) -> None:
    page = imported.session("S1") / "qxbatch/report.html"
    text = page.read_text()
    edited = re.sub(r"(<div class=.volatile.>imported in: [^<]*)", r"\1, my remark", text)
    assert edited != text
    page.write_text(edited)
    archived = imported.archive / "S1.zip"
    archived.rename(imported.inbox / "S1.zip")
    run = imported.main("--overwrite=yes", "--sessions=S1")
    assert run.status == 0, run.text
    kept = [path.read_text() for path in (imported.archive.parent / "replaced").rglob("report.html")]
    kept += [path.read_text() for path in imported.archive.rglob("report.html")]
    assert kept == [edited]


@pytest.mark.parametrize("run_again", [("report",), ("--sessions=S6",)])
def test_reason_and_command_of_an_earlier_run_stay_on_the_page(
    imported: StudyFolder, run_again: tuple[str, ...]
) -> None:
    damaged = imported.put("S5", T1.files())
    damaged.write_bytes(damaged.read_bytes()[:-60])
    assert imported.main().status == 1
    page = imported.sessions / "report.html"
    assert "--sessions=S5" in page.read_text()
    if run_again == ("report",):
        main(["report", str(imported.sessions)])
    else:
        imported.put("S6", REST.files())
        imported.main(*run_again)
    assert "--sessions=S5" in page.read_text()


@pytest.mark.parametrize("content", ['{\n "mine": 1\n}\n', '{"schema": 1}', "[1]"])
def test_a_study_json_of_another_program_is_kept(study: StudyFolder, content: str) -> None:
    path = study.sessions / "study.json"
    path.write_text(content)
    study.put("S1", T1.files())
    assert study.main().status == 0
    assert kept_beside(path) == [content]


def test_an_edit_is_kept_while_another_program_holds_the_lock_of_the_folder(
    imported: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = imported.sessions / "study.tsv"
    edited = path.read_text() + "# my remark\n"
    path.write_text(edited)
    monkeypatch.setattr("qxbatch.publish.folder_lock._WAIT_SECONDS", 0.1)
    other = os.open(imported.sessions, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_SH)
    try:
        main(["report", str(imported.sessions)])
    finally:
        os.close(other)
    assert kept_beside(path) == [edited]


def test_texts_of_study_json_are_escaped(imported: StudyFolder) -> None:
    damaged = imported.put("S5", T1.files())
    damaged.write_bytes(damaged.read_bytes()[:-60])
    assert imported.main().status == 1
    sidecar = imported.sessions / "study.json"
    content = json.loads(sidecar.read_text())
    content["not_imported"][0].update(command="<script>a()</script>", reason="<script>b()</script>")
    sidecar.write_text(json.dumps(content))
    main(["report", str(imported.sessions)])
    page = (imported.sessions / "report.html").read_text()
    assert "&lt;script&gt;a()" in page
    assert "&lt;script&gt;b()" in page
    assert "<script>a()" not in page
    assert "<script>b()" not in page
