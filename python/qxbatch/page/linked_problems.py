"""The problems on the page of a session: those of the whole page, and those on the card of one series."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from qxbatch.model import SeriesLabel
from qxbatch.problems import Problem, Severity, grouped
from qxbatch.record.names import description, series_number
from qxbatch.series_labels import label_subject
from qxbatch.session.summary import Summary


class LinkedProblem(NamedTuple):
    """A problem, with a link to the card of a series."""

    problem: Problem
    """Its subject names series as `label_subject` does."""
    anchor: str
    """Anchor of the card of the first series that the problem concerns; empty if it concerns no series."""


def problems_of_single_series(summary: Summary) -> list[list[Problem]]:
    """Return, for each series of the summary, its problems that no other series has."""
    counts = Counter((problem.code, problem.message) for series in summary.series for problem in series.problems)
    labels = _labels(summary)
    return [
        [_labelled(problem, labels) for problem in series.problems if counts[problem.code, problem.message] == 1]
        for series in summary.series
    ]


def linked_problems(summary: Summary) -> tuple[list[LinkedProblem], list[LinkedProblem]]:
    """Return the errors and warnings of a session, errors first, and its other problems (`Severity.INFO`)."""
    anchors = {
        (problem.code, problem.message): f"s{series.n}"
        for series in reversed(summary.series)
        for problem in series.problems
    }
    labels = _labels(summary)
    all_linked = [
        LinkedProblem(_labelled(problem, labels), anchors.get((problem.code, problem.message), ""))
        for problem in grouped(summary.problems)
    ]
    order = [Severity.ERROR, Severity.WARNING]
    to_check = sorted(
        (linked for linked in all_linked if linked.problem.severity in order),
        key=lambda linked: order.index(linked.problem.severity),
    )
    return to_check, [linked for linked in all_linked if linked.problem.severity is Severity.INFO]


def _labels(summary: Summary) -> list[SeriesLabel]:
    return [
        SeriesLabel(series.n, series_number(series.header), description(series.header), series.images)
        for series in summary.series
    ]


def _labelled(problem: Problem, labels: Sequence[SeriesLabel]) -> Problem:
    return replace(problem, subject=label_subject(problem.subject, labels))
