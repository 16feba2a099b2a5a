"""Problems that differ only in their subject become one problem in the terminal, on the page and in JSON."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from qxbatch.model import Report, SessionId, SessionReport, State
from qxbatch.page.session import session_page
from qxbatch.problems import Code, Problem, Severity, grouped
from qxbatch.report.end import final_report
from qxbatch.report.outcome import outcome_line
from qxbatch.session.folder import SessionFolder, SessionState
from qxbatch.session.paths import SessionPaths
from tests.build.dicom import MrSeries, encoded
from tests.build.objects import report
from tests.build.packets import under
from tests.build.study import Study
from tests.test_session_summary import full_summary


def report_of(problems: list[Problem]) -> Report:
    return Report((), (SessionReport("S1.zip", SessionId("S1"), Path("/s/S1"), tuple(problems), 3, 3),))


def page_of(problems: Mapping[int, list[Problem]]) -> str:
    """Return the page of a session whose series have these problems."""
    summary = full_summary()
    [template] = summary.series
    headers = {n: {**template.header, "SeriesNumber": n // 10, "SeriesDescription": "T1w"} for n in problems}
    series = tuple(
        replace(template, n=n, header=headers[n], images=(), problems=tuple(listed)) for n, listed in problems.items()
    )
    every = tuple(problem for listed in problems.values() for problem in listed)
    return session_page(SessionPaths(Path("/no/S1")), replace(summary, series=series, images=(), problems=every))


def warning(subject: str, message: str = "slices are missing.", hint: str = "Look at it.") -> Problem:
    return Problem(Code.CONVERT_REVIEW, subject, message, hint, Severity.WARNING)


def test_a_sorted_session_with_an_error_is_called_sorted_as_on_the_page_of_the_study() -> None:
    summary = full_summary()
    [series] = summary.series
    error = Problem(Code.DAMAGED_KEPT, "S1.zip", "is damaged.")
    sorted_only = replace(summary, series=(replace(series, state=State.NOT_REQUESTED),), problems=(error,))
    page = session_page(SessionPaths(Path("/no/S1")), sorted_only)
    assert "sorted, not converted" in page


def test_series_of_one_message_are_listed_and_other_problems_kept() -> None:
    other = warning("series 40", "another thing.")
    groups = grouped([warning("series 20"), other, warning("series 30"), warning("series 50"), warning("series 20")])
    assert [problem.subject for problem in groups] == ["series 20, 30 and 50", "series 40"]
    assert groups[1] is other


def test_hints_with_the_log_of_each_series_become_one() -> None:
    problems = [
        warning(f"series {n}", hint=f"Its log is dicom/dcm2niix_{n}.log; the files are kept.") for n in (20, 30)
    ]
    [group] = grouped(problems)
    assert group.hint == "Its log is dicom/dcm2niix_<n>.log; the files are kept."


def test_messages_with_different_numbers_are_not_grouped() -> None:
    assert len(grouped([warning("series 20", "20 slices"), warning("series 30", "30 slices")])) == 2


def test_problems_of_different_severity_are_not_grouped() -> None:
    one = warning("series 20")
    assert len(grouped([one, replace(one, subject="series 30", severity=Severity.ERROR)])) == 2


def test_many_files_are_counted() -> None:
    [group] = grouped(Problem(Code.UNPAIRED, f"{k}.PAR", "no REC.") for k in range(30))
    assert group.subject.startswith("0.PAR, 1.PAR, ")
    assert group.subject.endswith("9.PAR and 20 more")


def test_the_report_counts_a_shared_warning_once() -> None:
    shared = report_of([warning(f"series {n}") for n in (20, 30, 50)])
    assert final_report(shared).count("slices are missing.") == 1
    assert "S1, series 20, 30 and 50: slices are missing." in final_report(shared)
    assert "1 to look at" in outcome_line(shared.sessions[0])


def test_the_page_lists_a_warning_of_one_series_also_at_the_series() -> None:
    shared = [warning(f"series {n}") for n in (20, 30)]
    page = page_of({20: [shared[0], warning("series 20", "only here.")], 30: [shared[1]]})
    assert page.count("slices are missing.") == 1
    assert '<a href="#s20">series 2 and 3</a>:\nslices are missing.' in page
    assert "series 2, T1w:" in page[page.index('id="s20"') :]  # with its description, as the table shows it
    first, at_series = (match.start() for match in re.finditer("only here.", page))
    assert first < page.index('id="s20"') < at_series


def test_a_report_series_does_not_require_a_review(study: Study) -> None:
    phoenix = encoded(report(MrSeries(number=99, description="PhoenixZIPReport", time="110000")))
    study.put("S1", {**under("x", MrSeries(number=3, description="T1w").files()), "report": phoenix})
    run = study.main(f"--json-file={study.sessions / 'run.json'}")
    assert run.status == 0, run.text
    assert "To look at" not in run.text
    summary = json.loads((study.session("S1") / "qxbatch/summary.json").read_bytes())
    assert [(p["severity"], p["code"]) for p in summary["problems"]] == [("info", "nothing-to-convert")]
    assert SessionFolder(study.session("S1")).state is SessionState.COMPLETE


def test_a_session_of_reports_alone_warns_that_it_has_no_images(study: Study) -> None:
    study.put("S1", {f"r{k}": encoded(report(MrSeries(number=k, time=f"11000{k}"))) for k in (1, 2)})
    run = study.main()
    assert "S1: contains no images, only reports or other data." in run.text
    problems = json.loads((study.session("S1") / "qxbatch/summary.json").read_bytes())["problems"]
    assert [p["code"] for p in problems if p["severity"] == "warning"] == ["no-images"]
