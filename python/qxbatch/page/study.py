"""report.html of a study: a row for each session, with its state and a link to its own page."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple
from urllib.parse import quote

from qxbatch.page.session import STYLE

SHOWN = {
    "session_id": "session",
    "subject": "subject",
    "state": "state",
    "scanned": "scanned",
    "series": "series",
    "images": "images",
    "failed": "failed",
    "warnings": "warnings",
    "differences": "differences",
    "packets": "packets",
}
"""Column of the study's table to its title here."""
CLASSES = {"complete": "converted", "review": "partial", "failed": "failed", "incomplete": "failed"}


class Entry(NamedTuple):
    """One session."""

    cells: Mapping[str, object]
    page: str
    """Path of its page beside this one; empty when it has none."""
    differences: str = ""
    """What differs from the majority of the study, in words."""


def study_page(name: str, entries: Sequence[Entry]) -> str:
    """Return the page as HTML; it needs no network and no script."""
    counts: dict[str, int] = {}
    for entry in entries:
        state = str(entry.cells["state"])
        counts[state] = counts.get(state, 0) + 1
    states = ", ".join(f"{count} {escape(state)}" for state, count in sorted(counts.items()))
    head = "".join(f"<th>{escape(title)}</th>" for title in SHOWN.values())
    rows = "\n".join(_row(entry) for entry in entries)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(name)} - qxbatch</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n"
        f'<h1>{escape(name)}</h1>\n<p class="facts">{len(entries)} sessions: {states}</p>\n'
        f"<table>\n<tr>{head}</tr>\n{rows}\n</table>\n</body>\n</html>\n"
    )


def _row(entry: Entry) -> str:
    return "<tr>" + "".join(f"<td>{_cell(entry, column)}</td>" for column in SHOWN) + "</tr>"


def _cell(entry: Entry, column: str) -> str:
    value = entry.cells[column]
    text = "" if value is None else escape(str(value))
    if column == "session_id" and entry.page:
        return f'<a href="{escape(quote(entry.page))}">{text}</a>'
    if column == "state":
        return f'<span class="state {CLASSES.get(str(value), "")}">{text}</span>'
    if column == "differences" and entry.differences:
        return f"{text}: {escape(entry.differences)}"
    return text
