"""The comparison table of a study: a row for each session, a cell for each series."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from qxbatch.page.study import study_page
from qxbatch.protocol.difference import DifferenceKind
from qxbatch.protocol.scanned import ScannedSession
from qxbatch.report.study import difference_lines
from qxbatch.session.folder import SessionFolder
from qxbatch.study.columns import COLUMNS
from qxbatch.study.comparison import (
    CellState,
    Comparison,
    NotCompared,
    ScannedOrNotCompared,
    compare,
    read_scanned_session,
)
from qxbatch.study.document import as_json
from qxbatch.study.learn import learn
from qxbatch.study.record import SessionRecord
from qxbatch.study.study import Study
from tests.build.packets import write_folder
from tests.build.scanned import SHORT, SKYRA, T1, changed, series, session, study, usual, with_facts
from tests.test_session_summary import full_summary


def states(comparison: Comparison, name: str) -> dict[str, CellState]:
    """Return the states of a session's cells by the names of the series."""
    row = next(each for each in comparison.sessions if each.id == name)
    assert row.cells is not None
    return {column.name: cell.state for column, cell in row.cells.items()}


def with_defects() -> list[ScannedSession]:
    """Return a study of which five sessions each have another defect."""
    sessions = study(11)
    sessions[0] = changed(sessions[0], "t1_mprage", lambda _: [])
    sessions[1] = with_facts(sessions[1], "rest_1", tr_ms=2500.0)
    sessions[2] = with_facts(sessions[2], "rest_2", **SHORT)
    sessions[3] = changed(sessions[3], "rest_1", lambda scanned: [scanned, replace(scanned, n=90, series_number=9)])
    sessions[4] = with_facts(sessions[4], "rest_1", planned_volumes=None, acquired_volumes=150, complete_volumes=150)
    return sessions


def test_a_cell_has_the_state_of_a_series_in_a_session() -> None:
    comparison = compare(with_defects())
    assert [column.name for column in comparison.columns] == ["t1_mprage", "rest_1", "rest_2", "dwi"]
    present = dict.fromkeys(["t1_mprage", "rest_1", "rest_2", "dwi"], CellState.PRESENT)
    expected = {
        "S01": {"t1_mprage": CellState.MISSING},
        "S02": {"rest_1": CellState.DIFFERENT},
        "S03": {"rest_2": CellState.INCOMPLETE},
        "S04": {"rest_1": CellState.REPEATED},
        "S05": {"rest_1": CellState.INCOMPLETE},
    }
    for each in comparison.sessions:
        assert states(comparison, each.id) == {**present, **expected.get(each.id, {})}


def test_a_cell_has_the_series_and_both_values() -> None:
    comparison = compare(with_defects())
    cells = comparison.sessions[1].cells
    assert cells is not None
    cell = cells[comparison.columns[1]]
    [difference] = cell.differences
    assert (difference.n, difference.expected, difference.actual) == (30, "2000 ± 1", "2500")


def test_rows_have_the_order_of_the_sessions_and_equal_content_in_any_order() -> None:
    sessions = with_defects()
    first = compare(sessions)
    assert [each.id for each in first.sessions] == [each.id for each in sessions]
    random.Random(1).shuffle(sessions)
    other = compare(sessions)
    assert other.columns == first.columns
    assert sorted(other.sessions, key=lambda each: each.id) == list(first.sessions)


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_than_three_sessions_of_a_scanner_are_not_compared(count: int) -> None:
    sessions = study(count)
    sessions[0] = with_facts(sessions[0], "rest_1", tr_ms=2500.0)
    comparison = compare([*sessions, *(replace(each, id=f"K{each.id}") for each in study(4, SKYRA))])
    assert [each.cells is None for each in comparison.sessions] == [True] * count + [False] * 4
    assert [each.differences for each in comparison.sessions] == [()] * (count + 4)


def test_two_values_that_are_equally_frequent_have_no_majority() -> None:
    sessions = [with_facts(each, "rest_1", tr_ms=2000.0 + 500 * (k % 2)) for k, each in enumerate(study(4))]
    assert [each.differences for each in compare(sessions).sessions] == [()] * 4


def test_a_rare_series_is_no_difference_without_a_protocol() -> None:
    sessions = study(5)
    sessions[0] = session("S01", *sessions[0].series, series("t2", 9, T1))
    assert compare(sessions).sessions[0].differences == ()
    assert len(compare(sessions, learn(sessions).protocol).sessions[0].differences) == 1


def test_a_series_of_another_scanner_is_not_expected() -> None:
    others = [session(f"K{k}", series("fMRI", 3, scanner=SKYRA)) for k in range(3)]
    comparison = compare([*study(3), *others])
    assert states(comparison, "K1") == {
        **dict.fromkeys(["t1_mprage", "rest_1", "rest_2", "dwi"], CellState.NOT_EXPECTED),
        "fMRI": CellState.PRESENT,
    }


def test_the_cell_of_a_session_of_two_scanners_has_the_differences_of_both() -> None:
    prisma = [series("bold", 4), series("bold_2", 5), series("bold_3", 6)]
    skyra = [series("t1", 7, T1, scanner=SKYRA), series("t1", 8, T1, scanner=SKYRA)]
    sessions = [session(f"P{k}", series("t1", 3, T1), *prisma) for k in range(4)]
    sessions += [session(f"S{k}", *skyra) for k in range(4)]
    comparison = compare([*sessions, session("both", *prisma, *skyra)])
    row = comparison.sessions[-1]
    [difference] = row.differences
    assert (difference.kind, difference.series) == (DifferenceKind.MISSING, "t1")
    assert states(comparison, "both")["t1"] is CellState.MISSING
    assert row.cells is not None
    assert [each for cell in row.cells.values() for each in cell.differences] == [difference]


def test_a_session_without_facts_has_a_problem_and_no_cells() -> None:
    sessions: Sequence[ScannedOrNotCompared] = [*study(3), NotCompared("S9", "has no facts")]
    row = compare(sessions).sessions[-1]
    assert (row.id, row.problem, row.cells, row.differences) == ("S9", "has no facts", None, ())
    assert compare([]).sessions == ()


def test_only_the_summary_of_a_session_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "OP1"
    write_folder({"qxbatch/summary.json": full_summary().to_json().encode()}, folder)
    scanned = read_scanned_session(SessionFolder(folder))
    assert isinstance(scanned, ScannedSession)
    assert scanned.id == "OP1"
    content = json.loads(full_summary().to_json())
    for each in content["series"]:
        each.pop("acquisition", None)
    older = json.dumps({**content, "schema": 1}).encode()
    write_folder({"qxbatch/summary.json": older}, tmp_path / "OP2")
    without = read_scanned_session(SessionFolder(tmp_path / "OP2"))
    assert without == NotCompared("OP2", f"has no facts; `qxbatch inspect --update {tmp_path / 'OP2'}` computes them")
    write_folder({"qxbatch/summary.json": json.dumps(content).encode()}, tmp_path / "OP3")
    unreadable = read_scanned_session(SessionFolder(tmp_path / "OP3"))
    assert unreadable == NotCompared("OP3", "has no facts: the headers of its series cannot be read, or have none")


def study_level(sessions: Sequence[ScannedSession]) -> Study:
    """Return the study of complete sessions."""
    records = (
        SessionRecord({**dict.fromkeys(COLUMNS), "session_id": each.id, "state": "complete"}, each) for each in sessions
    )
    return Study(tuple(records), compare(sessions))


def test_text_from_headers_is_escaped_in_terminal_and_page() -> None:
    sessions = [
        changed(usual(f"S{k}"), "rest_1", lambda scanned: [replace(scanned, name="<b>\x1b[2J\n")]) for k in range(4)
    ]
    sessions[0] = with_facts(sessions[0], "<b>\x1b[2J\n", coil="<i>")
    study = study_level(sessions)
    assert "\x1b" not in "".join(difference_lines(study.rows))
    assert len(difference_lines(study.rows)) == 2
    page = study_page(Path("/study"), study)
    assert "<b>\x1b" not in page
    assert "<i>" not in page
    assert "&lt;i&gt;" in page
    assert json.loads(as_json(study))["sessions"][0]["differences"][0]["found"] == "<i>"


def test_at_most_twenty_sessions_are_listed_in_the_terminal() -> None:
    sessions = [with_facts(usual(f"S{k:02}"), "rest_1", tr_ms=2000.0 + 500 * (k < 25)) for k in range(60)]
    lines = difference_lines(study_level(sessions).rows)
    assert len(lines) == 22
    assert lines[-1] == "  5 more: see study.json"
