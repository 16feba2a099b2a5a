"""When a session was scanned, and on which scanners, for the head of its page."""

from collections.abc import Iterable

from qxbatch.acquisition import Acquisition
from qxbatch.record.start import earliest_start
from qxbatch.session.fact_text import number_text
from qxbatch.session.summary import Summary
from qxbatch.study.scanned import scanned_summary


def scan_facts(summary: Summary) -> list[tuple[str, str]]:
    """Return names and texts of the facts: the start of the session, and for each scanner the facts of its first series.

    If no scanner is known, the facts are those of the first series.
    """
    session = scanned_summary(summary.session.id, summary)
    scanner_of = {series.n: series.scanner for series in session.series}
    series = [
        next(each for each in summary.series if scanner_of[each.n] == scanner) for scanner in session.scanners
    ] or summary.series[:1]
    acquisitions = [each.acquisition or Acquisition() for each in series]
    strengths = [number_text(acquisition.field_strength_t, 3) for acquisition in acquisitions]
    return [
        ("scanned", earliest_start((each.header, each.acquisition) for each in summary.series)),
        ("scanner" if len(session.scanners) < 2 else "scanners", "; ".join(session.scanners)),  # noqa: PLR2004 - two
        ("field strength", _distinct(f"{strength} T" if strength else "" for strength in strengths)),
        ("software", _distinct(acquisition.software or "" for acquisition in acquisitions)),
        ("institution", _distinct(str(each.header.get("InstitutionName") or "") for each in series)),
    ]


def _distinct(texts: Iterable[str]) -> str:
    """Return the different texts in their order."""
    return "; ".join(dict.fromkeys(text for text in texts if text))
