"""What a session that is rebuilt said of itself before: where its files came from, its packets, its subject.

Its own sorted files are the sources then, so without this the names that members had in their packets would be lost.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from qxbatch.cells import escaped, member_path, unescaped
from qxbatch.core import hash_file
from qxbatch.record.ledger import LedgerLine, RowLike, Told, without_note

OUTSIDE = "../"
"""How ledger paths of members begin that were read from the session itself."""


class PreviousRow(Protocol):
    """A row of a ledger (qxbatch.verify.ledger_file)."""

    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def content_sha256(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def fate(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True)
class PreviousSession:
    """The session before; empty where there is none, or another program made it."""

    rows: Mapping[str, tuple[PreviousRow, ...]] = field(default_factory=dict)
    """By `at`, below the session folder."""
    placeless: tuple[PreviousRow, ...] = ()
    order: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Where each member (path, sha256) stood."""
    packets: tuple[Mapping[str, Any], ...] = ()
    deidentified: bool = False
    """A logfile named the session, so the patient's id stands nowhere but in the DICOM."""
    subject: str = ""


def with_previous(lines: Iterable[LedgerLine], previous: PreviousSession, session: Path) -> Iterable[LedgerLine]:
    """Return ledger lines, those of files that lay in the session before under the names they came by.

    What was kept in its inbox is told again as long as it lies there. No member stands twice, and what was told before
    stands in the order in which it was told.
    """
    if not previous.order:
        return lines
    left = dict(previous.rows)
    told: dict[tuple[str, str], LedgerLine] = {}
    for line in lines:
        rows = left.pop(_place(line), ())
        if rows and all(row.content_sha256 == line.row.content_sha256 for row in rows):
            for row in rows:
                # a duplicate names the file whose row has the note
                note = "" if row.fate == "duplicate" else line.note
                _tell(told, LedgerLine(_told(row, line.row), line.at, note=note))
        else:
            _tell(told, line)
    kept = (row for rows in left.values() for row in rows if _lies(session, row))
    for row in (*(previous.placeless if previous.rows else ()), *kept):
        _tell(told, LedgerLine(_told(row, None), unescaped(row.at)))
    last = len(previous.order)
    return [line for _, line in sorted(told.items(), key=lambda item: previous.order.get(item[0], last))]


def _tell(told: dict[tuple[str, str], LedgerLine], line: LedgerLine) -> None:
    """Add a line. A member that was read from its archive and from the session is one member, and was stored."""
    key = (line.row.path, line.row.sha256)
    if key not in told or (told[key].row.fate == "duplicate" and line.row.fate == "sorted"):
        told[key] = line


def _place(line: LedgerLine) -> str:
    """Where a member lay in the previous session, as its ledger wrote it; empty for one that is new."""
    if line.row.path.startswith(OUTSIDE):
        return line.row.path.removeprefix(OUTSIDE)
    return escaped(line.at) if line.row.fate == "kept" else ""


def _lies(session: Path, row: PreviousRow) -> bool:
    path = session / member_path(row.at)
    return (
        row.at.startswith("inbox/") and path.is_file() and hash_file(str(path))[1] in (row.sha256, row.content_sha256)
    )


def _told(row: PreviousRow, now: RowLike | None) -> Told:
    fate = row.fate if now is None or now.fate == "sorted" else now.fate
    series = 0 if now is None else now.series
    reason = without_note(unescaped(row.reason))
    return Told(row.path, row.size, row.sha256, row.content_sha256, row.kind, fate, row.at, series, reason)
