"""Rows of the ledger from the core's rows, with notes for joined series (docs/ledger.md)."""

import re
from collections.abc import Iterable

from qxbatch.core import Row
from qxbatch.model import Series
from qxbatch.session.ledger import Fate, Kind, LedgerRow

_JOINED = "joined with series"
_NOTE = re.compile(rf"(^|; ){_JOINED} \d+: .*", re.DOTALL)


def ledger_row(row: Row, at: str, reason: str, note: str = "") -> LedgerRow:
    """Return the row of a member whose bytes are at `at` in the finished session; `note` is added to the reason."""
    return LedgerRow(
        row.path,
        row.size,
        row.sha256,
        row.content_sha256,
        Kind(row.kind),
        Fate(row.fate),
        at,
        row.series or None,
        "; ".join(filter(None, (reason, note))),
    )


def duplicate_row(row: Row, first: Row, at: str) -> LedgerRow:
    """Return the row of a member with the same bytes as `first`. The session contains the bytes once, at `at`."""
    kind = Kind(row.kind)
    return LedgerRow(row.path, row.size, row.sha256, row.content_sha256, kind, Fate.DUPLICATE, at, first.series or None)


def joined_notes(series: Iterable[Series]) -> dict[int, str]:
    """Return the notes of the parts of joined series whose UIDs or number differ from those of the first part.

    The keys are the groups of the core (`Row.group`): a part can have several, and each gets its note.
    """
    notes = {}
    for first_part, part in ((item.parts[0], part) for item in series for part in item.parts):
        differing = (
            ("StudyInstanceUID", part.study_uid, first_part.study_uid),
            ("SeriesInstanceUID", part.series_uid, first_part.series_uid),
            ("SeriesNumber", part.number, first_part.number),
        )
        values = ", ".join(f"its {name} is {value}" for name, value, first_value in differing if value != first_value)
        if values:
            notes.update(dict.fromkeys(part.groups, f"{_JOINED} {first_part.number}: {values}"))
    return notes


def note_of(reason: str) -> str:
    """Return the note in a row's reason that its file was joined with a series; empty without one."""
    match = _NOTE.search(reason)
    return match[0].removeprefix("; ") if match else ""


def without_note(reason: str) -> str:
    """Return the reason of a row without the note that its file was joined with a series."""
    return _NOTE.sub("", reason)
