"""Counts the candidates of a run (entries of the inbox, or session folders), each once, by what happened to them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from qxbatch.model import Candidate, Report, SessionReport, Verdict
from qxbatch.problems import Code, Severity
from qxbatch.report.outcome import has_failed
from qxbatch.settings.model import Stages


class CandidateFate(StrEnum):
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


IMPORTED_FATES = (CandidateFate.IMPORTED, CandidateFate.TO_CHECK, CandidateFate.WITH_ERRORS)
"""Fates of candidates that were imported; in `sort` and `convert`: sorted or converted."""
LEFT_ALONE_FATES = (
    CandidateFate.ALREADY_THERE,
    CandidateFate.HELD,
    CandidateFate.NO_MATCH,
    CandidateFate.NO_NAME,
    CandidateFate.NOT_PARSED,
    CandidateFate.FILTERED,
    CandidateFate.STRAY,
)
"""Fates of candidates that the run did not change. A refused candidate is in neither list."""
_FATE_OF_VERDICT: Mapping[Verdict, CandidateFate] = {
    Verdict.ALREADY_THERE: CandidateFate.ALREADY_THERE,
    Verdict.NO_MATCH_IN_LOGFILE: CandidateFate.NO_MATCH,
    Verdict.NO_NAME: CandidateFate.NO_NAME,
    Verdict.NOT_PARSED: CandidateFate.NOT_PARSED,
    Verdict.FILTERED: CandidateFate.FILTERED,
    Verdict.STRAY: CandidateFate.STRAY,
    Verdict.REFUSED: CandidateFate.REFUSED,
}
"""Fates that follow from the verdict alone; a ready candidate without reports is HELD."""


def fates(report: Report) -> list[tuple[Candidate, CandidateFate]]:
    """Return each candidate with its fate, in the order of discovery.

    Candidates and reports are matched by session id, which is also the name of a unit.
    """
    by_unit: dict[str, list[SessionReport]] = {}
    for session in report.sessions:
        by_unit.setdefault(session.unit or getattr(session.session, "id", ""), []).append(session)
    return [
        (candidate, _fate(candidate, by_unit.get(getattr(candidate.session, "id", ""), ())))
        for candidate in report.candidates
    ]


def _fate(candidate: Candidate, reports: Sequence[SessionReport]) -> CandidateFate:
    """Return the fate of a candidate. `reports` are those of the candidate's session.

    A candidate that is already there can have reports: the run finished its session, which an earlier run left unfinished.
    """
    if candidate.problem is not None:
        return CandidateFate.REFUSED
    if not reports or (candidate.verdict is not Verdict.READY and candidate.verdict is not Verdict.ALREADY_THERE):
        return _FATE_OF_VERDICT.get(candidate.verdict, CandidateFate.HELD)
    published = [report for report in reports if report.folder is not None]
    if any(map(has_failed, reports)):
        return CandidateFate.WITH_ERRORS if published else CandidateFate.REFUSED
    if not published:
        exists = any(problem.code is Code.EXISTS for report in reports for problem in report.problems)
        return CandidateFate.ALREADY_THERE if exists else CandidateFate.HELD
    has_warning = any(problem.severity is Severity.WARNING for report in reports for problem in report.problems)
    return CandidateFate.TO_CHECK if has_warning else CandidateFate.IMPORTED


def account_lines(results: Sequence[tuple[Candidate, CandidateFate]], stages: Stages = Stages.ALL) -> list[str]:
    """Return lines with the numbers of imported (or sorted, or converted), refused, and other candidates.

    The line of the other candidates is the last one. It ends with a colon: the caller adds their names.
    """
    counts = Counter(fate for _, fate in results)
    imported = sum(counts[fate] for fate in IMPORTED_FATES)
    phrases = [f"{imported} {stages.participle}"]
    phrases += [f"{counts[CandidateFate.TO_CHECK]} to check"] * (counts[CandidateFate.TO_CHECK] > 0)
    phrases += [f"{counts[CandidateFate.WITH_ERRORS]} with errors"] * (counts[CandidateFate.WITH_ERRORS] > 0)
    lines = [phrases[0] + (f" ({', '.join(phrases[1:])})" if len(phrases) > 1 else "")]
    lines += [f"{counts[CandidateFate.REFUSED]} refused"] * (counts[CandidateFate.REFUSED] > 0)
    left_alone = sum(counts[fate] for fate in LEFT_ALONE_FATES)
    return lines + [f"{left_alone} left alone:"] * (left_alone > 0)
