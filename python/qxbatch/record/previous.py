"""What a session that is rebuilt said of itself before: where its files came from, its packets, its subject.

Its own sorted files are the sources then, so without this the names that members had in their packets would be lost.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qxbatch.cells import unescaped
from qxbatch.core import hash_file
from qxbatch.record.ledger import note_of, without_note
from qxbatch.session.layout import KEPT_AT, OUTSIDE
from qxbatch.session.ledger import Fate, LedgerRow
from qxbatch.session.summary_parts import PacketSummary


@dataclass(frozen=True)
class PreviousSession:
    """The session before; empty where there is none, or another program made it."""

    rows: Mapping[str, tuple[LedgerRow, ...]] = field(default_factory=dict)
    """By `at`, below the session folder."""
    placeless: tuple[LedgerRow, ...] = ()
    order: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Where each member (path, sha256) stood."""
    packets: tuple[PacketSummary, ...] = ()
    deidentified: bool = False
    """A logfile named the session, so the patient's id stands nowhere but in the DICOM."""
    subject: str = ""


def with_previous(rows: Iterable[LedgerRow], previous: PreviousSession, session: Path) -> Iterable[LedgerRow]:
    """Return ledger rows, those of files that lay in the session before under the names they came by.

    What was kept in its inbox is told again as long as it lies there. No member stands twice, and what was told before
    stands in the order in which it was told.
    """
    if not previous.order:
        return rows
    left = dict(previous.rows)
    merged: dict[tuple[str, str], LedgerRow] = {}
    for row in rows:
        before = left.pop(_place(row), ())
        if before and all(each.content_sha256 == row.content_sha256 for each in before):
            for each in before:
                _add(merged, _again(each, row))
        else:
            _add(merged, row)
    kept = (row for rows in left.values() for row in rows if _lies(session, row))
    for row in (*(previous.placeless if previous.rows else ()), *kept):
        _add(merged, row._replace(series=None, reason=without_note(row.reason)))
    last = len(previous.order)
    return [row for _, row in sorted(merged.items(), key=lambda item: previous.order.get(item[0], last))]


def _add(merged: dict[tuple[str, str], LedgerRow], row: LedgerRow) -> None:
    """Add a row. A member that was read from its archive and from the session is one member, and was stored."""
    key = (row.path, row.sha256)
    if key not in merged or (merged[key].fate is Fate.DUPLICATE and row.fate is Fate.SORTED):
        merged[key] = row


def _place(row: LedgerRow) -> str:
    """Where a member lay in the previous session; empty for one that is new."""
    if row.path.startswith(OUTSIDE):
        return unescaped(row.path.removeprefix(OUTSIDE))
    return row.at if row.fate is Fate.KEPT else ""


def _lies(session: Path, row: LedgerRow) -> bool:
    path = session / row.at
    return row.at.startswith(KEPT_AT) and path.is_file() and hash_file(str(path))[1] in (row.sha256, row.content_sha256)


def _again(before: LedgerRow, now: LedgerRow) -> LedgerRow:
    """Return the row of a member of the previous session under its previous path, at the place that it has now."""
    fate = before.fate if now.fate is Fate.SORTED else now.fate
    # a duplicate names the file whose row has the note
    note = "" if before.fate is Fate.DUPLICATE else note_of(now.reason)
    reason = "; ".join(filter(None, (without_note(before.reason), note)))
    return before._replace(fate=fate, at=now.at, series=now.series, reason=reason)
