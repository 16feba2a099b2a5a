"""The line that tells how one session ended, when no session folder was written."""

import pytest

from qxbatch.exits import ExitStatus
from qxbatch.model import Report, SessionReport
from qxbatch.problems import Code, Problem, Severity
from qxbatch.report.outcome import exit_status, outcome_line


def unwritten(*codes: Code, severity: Severity = Severity.WARNING) -> SessionReport:
    problems = tuple(Problem(code, "S1", "is a test.", severity=severity) for code in codes)
    return SessionReport("S1", None, None, problems)


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (unwritten(Code.DAMAGED, severity=Severity.ERROR), "S1: FAILED; the reason is at the end"),
        (unwritten(Code.HELD), "S1: HELD"),
        (unwritten(Code.EXISTS), "S1: already there"),
        (unwritten(), "S1: no session was written"),
    ],
)
def test_a_line_without_a_session_says_why(report: SessionReport, line: str) -> None:
    assert outcome_line(report) == line


def test_replaced_files_that_the_recovery_kept_are_not_called_held() -> None:
    assert outcome_line(unwritten(Code.REPLACED_KEPT)) == "S1: 1 to look at"


def test_the_status_is_held_only_if_every_session_is_held() -> None:
    held, kept = unwritten(Code.HELD), unwritten(Code.REPLACED_KEPT)
    assert exit_status(Report((), (held, held))) is ExitStatus.HELD
    assert exit_status(Report((), (held, kept))) is ExitStatus.OK
    assert exit_status(Report()) is ExitStatus.OK
