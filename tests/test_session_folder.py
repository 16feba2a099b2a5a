"""A session folder of any program can be opened, and its files are read on demand."""

from dataclasses import replace
from pathlib import Path

import pytest

from qxbatch.problems import Code, Problem, Severity
from qxbatch.session.folder import SessionFolder, SessionState
from qxbatch.session.layout import is_from_packet
from qxbatch.session.ledger import Fate
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary import SCHEMA, NewerSchemaError, Summary
from tests.build.dicom import MrSeries
from tests.build.packets import write_folder
from tests.build.study import Study

T1 = MrSeries(number=3, description="T1w")
SESSION_TXT = b"""# created by another program
id: OP1
subject: OP1

31  : T1w                       : TR(2): PEDirection(j-)
41  : ME [1/2]
"""


@pytest.fixture
def session(study: Study) -> SessionFolder:
    """Return an imported session."""
    study.put("S1", T1.files())
    assert study.main().status == 0
    return SessionFolder(study.session("S1"))


def rewrite(session: SessionFolder, **changes: object) -> SessionFolder:
    """Change the summary on disk and return the session opened again."""
    assert session.summary is not None
    changed: Summary = replace(session.summary, **changes)  # type: ignore[arg-type]
    session.paths.summary.write_text(changed.to_json())
    return SessionFolder(session.path)


def test_an_imported_session_has_summary_series_images_and_ledger(session: SessionFolder) -> None:
    assert session.summary is not None
    assert session.summary.schema == SCHEMA
    assert [series.n for series in session.series] == [30]
    assert [image.files[0] for image in session.images] == ["nii/31.nii.gz"]
    assert {row.fate for row in session.ledger()} <= set(Fate)
    assert sum(1 for _ in session.ledger()) == session.summary.ledger.rows
    assert (session.id, session.subject, session.state) == ("S1", "S1", SessionState.COMPLETE)


def test_files_are_read_on_demand_and_once(session: SessionFolder) -> None:
    first = session.summary
    session.paths.summary.unlink()
    assert session.summary is first
    assert SessionFolder(session.path).summary is None


def test_a_session_of_another_program_can_be_opened(tmp_path: Path) -> None:
    files = {"session.txt": SESSION_TXT, "nii/31.nii.gz": b"x", "nii/31.bval": b"0", "nii/41.nii.gz": b"x"}
    write_folder({**files, "nii/42.nii.gz": b"x", "nii/note.nii.gz": b"x", "dicom/30.tar.gz": b"x"}, tmp_path / "OP1")
    session = SessionFolder(tmp_path / "OP1")
    assert (session.summary, session.series, session.subject) == (None, (), "OP1")
    first, second, third = session.images
    assert (first.number, first.series, first.name) == (31, 30, "T1w")
    assert (first.info, first.files) == ({"TR": "2", "PEDirection": "j-"}, ("nii/31.nii.gz", "nii/31.bval"))
    assert (second.k, second.of, second.name) == (1, 2, "ME [1/2]")
    assert (third.k, third.of, third.name) == (2, 2, "")
    assert session.state is SessionState.INCOMPLETE
    with pytest.raises(FileNotFoundError):
        list(session.ledger())


def test_images_of_another_program_are_named_as_their_files_and_counted(tmp_path: Path) -> None:
    files = {"session.txt": b"id: X\n\n01: T1w\n12: T2w\n", "nii/01.nii.gz": b"x", "nii/01.json": b"{}"}
    write_folder({**files, "nii/12.nii.gz": b"x"}, tmp_path / "X")
    first, second = SessionFolder(tmp_path / "X").images
    assert (first.number, first.series, first.k, first.of, first.name) == (1, 0, 1, 1, "T1w")
    assert first.files == ("nii/01.nii.gz", "nii/01.json")
    assert (second.number, second.series, second.k, second.of, second.name) == (12, 10, 1, 1, "T2w")


def test_a_folder_without_a_session_is_absent(tmp_path: Path) -> None:
    (tmp_path / "S1").mkdir()
    for name in ("S1", "S2"):
        session = SessionFolder(tmp_path / name)
        assert (session.state, session.summary, session.images) == (SessionState.ABSENT, None, ())


@pytest.mark.parametrize(
    ("severity", "state"),
    [
        (Severity.ERROR, SessionState.FAILED),
        (Severity.WARNING, SessionState.REVIEW),
        (Severity.INFO, SessionState.COMPLETE),
    ],
)
def test_the_worst_problem_decides_the_state(session: SessionFolder, severity: Severity, state: SessionState) -> None:
    assert rewrite(session, problems=(Problem(Code.CONVERT_NOTE, "x", "y.", "", severity),)).state is state


def test_without_session_txt_a_session_with_images_is_incomplete_and_one_without_is_sorted(
    session: SessionFolder,
) -> None:
    session.paths.session_txt.unlink()
    states = [session.state]
    for path in session.paths.nii.iterdir():
        path.unlink()
    assert [*states, session.state] == [SessionState.INCOMPLETE, SessionState.SORTED]


def test_a_damaged_summary_raises_on_access_and_makes_the_session_incomplete(session: SessionFolder) -> None:
    session.paths.summary.write_text("{")
    damaged = SessionFolder(session.path)
    assert (damaged.readable_summary, damaged.state) == (None, SessionState.INCOMPLETE)
    with pytest.raises(ValueError, match=str(session.paths.summary)):
        _ = damaged.summary


def test_a_session_of_a_newer_version_is_not_overwritten(session: SessionFolder, study: Study) -> None:
    text = session.paths.summary.read_text().replace(f'"schema": {SCHEMA}', f'"schema": {SCHEMA + 1}')
    session.paths.summary.write_text(text)
    with pytest.raises(NewerSchemaError):
        _ = SessionFolder(session.path).summary
    run = study.main("--masterinbox=none", "--sessions=*", "--overwrite=yes")
    assert run.status == 1
    assert f"has schema {SCHEMA + 1}" in run.text
    assert session.paths.summary.read_text() == text


def test_the_location_of_a_file_shows_whether_it_is_from_a_packet() -> None:
    paths = SessionPaths(Path())
    generated = (paths.session_txt, paths.dicom_report, paths.converter_log(30), paths.image(31), paths.summary)
    from_packet = (paths.inbox / "a", paths.packed_series(30), paths.series(30) / "a.dcm", paths.scanner_logs / "a.log")
    assert [path for path in generated if is_from_packet(path)] == []
    assert [path for path in from_packet if not is_from_packet(path)] == []
