"""report.html of a session: what to check first, a table of its series, and a card with pictures of each."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from qxbatch.deidentify import FREE_TEXT_WARNING
from qxbatch.model import State
from qxbatch.page.environment import render
from qxbatch.page.linked_problems import linked_problems, problems_of_single_series
from qxbatch.page.media import Pictures
from qxbatch.page.scan_facts import scan_facts
from qxbatch.page.series_card import COLUMNS, card_of
from qxbatch.problems import Severity
from qxbatch.session.layout import DICOM, DICOM_REPORT, LEDGER, PAGE, SESSION_TXT, SUMMARY
from qxbatch.session.ledger import Fate
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary import Summary
from qxbatch.session.summary_parts import LedgerCounts
from qxbatch.textfile import create_text

_FATE_TEXTS: Mapping[str, str] = {
    Fate.SORTED: "sorted into series",
    Fate.DUPLICATE: "equal to a sorted file",
    Fate.KEPT: "kept in inbox or dicom/log (neither DICOM nor PAR/REC, or not sorted)",
    Fate.OPENED: "archives whose members are listed",
    Fate.NODATA: "without data (folders, links, devices)",
    Fate.REFUSED: "refused",
}
"""Fates of the ledger's rows, in words."""


class FooterLine(NamedTuple):
    """A line of the footer; lines without a text are left out."""

    name: str
    text: str
    is_volatile: bool = False
    """Whether it can differ between two imports of the same packets with the same versions of qxbatch and converters."""


class PageHeader(NamedTuple):
    """The head of the page: state, facts and links of the session."""

    id: str
    subject: str
    session: str
    state: str
    level: str
    """`good`, `check` or `bad`: how the badge looks."""
    facts: tuple[tuple[str, str], ...]
    """Name and text."""
    links: tuple[tuple[str, str], ...]
    """Name, and path relative to the page."""
    note: str
    """A note on de-identified sessions; empty for others."""


def write_page(paths: SessionPaths, summary: Summary) -> None:
    """Write the page of a session from its summary and the files in its folder. Raises OSError."""
    with create_text(paths.page) as file:
        file.write(session_page(paths, summary))


def session_page(paths: SessionPaths, summary: Summary) -> str:
    """Return the page as HTML, with style, script and pictures in it; pictures beyond a size limit are linked. Raises OSError."""
    images = {image.number: image for image in summary.images}
    pictures = Pictures(paths, [number for series in summary.series for number in series.images if number in images])
    own_problems = problems_of_single_series(summary)
    cards = [
        card_of(series, images, paths, pictures, problems)
        for series, problems in zip(summary.series, own_problems, strict=True)
    ]
    to_check, remarks = linked_problems(summary)
    return render(
        "session.html",
        title=f"{summary.session.id} - qxbatch",
        header=_header(summary),
        to_check=to_check,
        remarks=remarks,
        columns=COLUMNS,
        cards=cards,
        totals=_totals(summary.ledger),
        row_count=summary.ledger.rows,
        ledger=LEDGER,
        footer=_footer(summary),
    )


def _header(summary: Summary) -> PageHeader:
    state, level = _state(summary)
    facts = [*scan_facts(summary)]
    facts += [
        ("series", _series_count(summary)),
        ("images", str(len(summary.images))),
        ("packets", ", ".join(packet.name for packet in summary.packets)),
    ]
    return PageHeader(
        summary.session.id,
        summary.session.subject,
        summary.session.session or "",
        state,
        level,
        tuple((name, text) for name, text in facts if text),
        (
            ("study page", f"../../{PAGE}"),
            (SESSION_TXT, f"../{SESSION_TXT}"),
            (LEDGER, LEDGER),
            (SUMMARY, SUMMARY),
            (DICOM_REPORT, f"../{DICOM}/{DICOM_REPORT}"),
        ),
        FREE_TEXT_WARNING if summary.session.deidentified else "",
    )


def _state(summary: Summary) -> tuple[str, str]:
    """Return the state of a session in words, and the look of its badge (`PageHeader.level`)."""
    severities = {problem.severity for problem in summary.problems}
    if summary.is_only_sorted:
        return "sorted, not converted", "check"
    if Severity.ERROR in severities or any(series.state is State.FAILED for series in summary.series):
        return "failed", "bad"
    return ("to check", "check") if Severity.WARNING in severities else ("complete", "good")


def _series_count(summary: Summary) -> str:
    counts = Counter(series.state.value for series in summary.series)
    return f"{len(summary.series)} (" + ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) + ")"


def _totals(ledger: LedgerCounts) -> list[tuple[int, str]]:
    """Return the number of rows of each fate, and the fate in words."""
    return [(count, _FATE_TEXTS.get(fate, fate)) for fate, count in ledger.fates.items()]


def _footer(summary: Summary) -> list[FooterLine]:
    converters = ", ".join(f"{name} {version}" for name, version in summary.converters.items())
    seconds = summary.times.get("seconds")
    lines = (
        FooterLine("qxbatch", summary.qxbatch),
        FooterLine("converters", converters),
        FooterLine("imported in", f"{seconds:.1f} s" if seconds is not None else "", is_volatile=True),
        FooterLine("imported with", summary.command, is_volatile=True),
    )
    return [line for line in lines if line.text]
