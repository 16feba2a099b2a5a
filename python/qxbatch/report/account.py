"""Counts what happened to each candidate of a run, each once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from qxbatch.model import Candidate, Report, SessionReport, Verdict
from qxbatch.problems import Code, Severity
from qxbatch.report.outcome import failed


class Fate(StrEnum):
    """What happened to a candidate; the values are the words of the report, in its order."""

    IMPORTED = "imported"
    TO_CHECK = "imported, to check"
    WITH_ERRORS = "imported, with errors"
    REFUSED = "refused"
    ALREADY_THERE = "already there"
    HELD = "being imported by another run"
    NO_MATCH = "without a match in the logfile"
    NO_NAME = "without a packet name"
    NOT_PARSED = "with a name that was not parsed"
    FILTERED = "filtered out"
    STRAY = "ignored, not a packet"


IMPORTED = (Fate.IMPORTED, Fate.TO_CHECK, Fate.WITH_ERRORS)
NOT_IMPORTED = (
    Fate.ALREADY_THERE,
    Fate.HELD,
    Fate.NO_MATCH,
    Fate.NO_NAME,
    Fate.NOT_PARSED,
    Fate.FILTERED,
    Fate.STRAY,
)
_OF_VERDICT: Mapping[Verdict, Fate] = {
    Verdict.ALREADY_THERE: Fate.ALREADY_THERE,
    Verdict.NO_MATCH_IN_LOG: Fate.NO_MATCH,
    Verdict.NO_NAME: Fate.NO_NAME,
    Verdict.NOT_PARSED: Fate.NOT_PARSED,
    Verdict.FILTERED: Fate.FILTERED,
    Verdict.STRAY: Fate.STRAY,
    Verdict.REFUSED: Fate.REFUSED,
}


def fates(report: Report) -> list[tuple[Candidate, Fate]]:
    """Return each candidate with its fate, in the order of discovery."""
    by_unit: dict[str, list[SessionReport]] = {}
    for session in report.sessions:
        by_unit.setdefault(session.unit or getattr(session.session, "id", ""), []).append(session)
    return [
        (candidate, _fate(candidate, by_unit.get(getattr(candidate.session, "id", ""), ())))
        for candidate in report.candidates
    ]


def _fate(candidate: Candidate, reports: Sequence[SessionReport]) -> Fate:
    """Return the fate of a candidate. `reports`: those of its unit; a recovered unit has some although it is not ready."""
    if candidate.problem is not None:
        return Fate.REFUSED
    if not reports or (candidate.verdict is not Verdict.READY and candidate.verdict is not Verdict.ALREADY_THERE):
        return _OF_VERDICT.get(candidate.verdict, Fate.HELD)
    published = [report for report in reports if report.folder is not None]
    if any(map(failed, reports)):
        return Fate.WITH_ERRORS if published else Fate.REFUSED
    if not published:
        exists = any(problem.code is Code.EXISTS for report in reports for problem in report.problems)
        return Fate.ALREADY_THERE if exists else Fate.HELD
    warned = any(problem.severity is Severity.WARNING for report in reports for problem in report.problems)
    return Fate.TO_CHECK if warned else Fate.IMPORTED


def account(results: Sequence[tuple[Candidate, Fate]]) -> list[str]:
    """Return the lines of the account: the numbers of imported, refused, and other candidates."""
    counts = Counter(fate for _, fate in results)
    imported = sum(counts[fate] for fate in IMPORTED)
    phrases = [f"{imported} imported"]
    phrases += [f"{counts[Fate.TO_CHECK]} to check"] * (counts[Fate.TO_CHECK] > 0)
    phrases += [f"{counts[Fate.WITH_ERRORS]} with errors"] * (counts[Fate.WITH_ERRORS] > 0)
    lines = [phrases[0] + (f" ({', '.join(phrases[1:])})" if len(phrases) > 1 else "")]
    lines += [f"{counts[Fate.REFUSED]} refused"] * (counts[Fate.REFUSED] > 0)
    not_imported = sum(counts[fate] for fate in NOT_IMPORTED)
    return lines + [f"{not_imported} not imported:"] * (not_imported > 0)
