"""The records of a session that is rebuilt: the sources of its files, its packets, its subject.

The import then reads the sorted files of the session, so without these records the original names of members would be lost.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qxbatch.core import Monitor, hash_file
from qxbatch.ledger_cells import unescape
from qxbatch.record.ledger import note_of, without_note
from qxbatch.session.layout import FROM_SESSION_PREFIX, KEPT_AT_PREFIX
from qxbatch.session.ledger import Fate, LedgerRow
from qxbatch.session.summary_parts import PacketSummary, Split


@dataclass(frozen=True)
class PreviousSession:
    """The previous session; empty if there is none, or if another program created it."""

    rows: Mapping[str, tuple[LedgerRow, ...]] = field(default_factory=dict)
    """Rows by `at`: where the bytes of a member are, relative to the session folder. Empty if the ledger is damaged."""
    rows_without_location: tuple[LedgerRow, ...] = ()
    """Rows of members whose bytes have no location in the session (`FATES_WITHOUT_LOCATION`)."""
    positions: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Position of each member (path, sha256) in the ledger."""
    packets: tuple[PacketSummary, ...] = ()
    deidentified: bool = False
    """Whether the session id replaces the patient's id and name, which are only in the DICOM."""
    subject: str = ""
    split: Split | None = None
    """How the packet of the previous session was split into several; None if it was not."""

    @property
    def has_ledger_rows(self) -> bool:
        """Whether there is a previous session of qxbatch, with at least one row in its ledger."""
        return bool(self.positions)


def with_previous_rows(
    rows: Iterable[LedgerRow], previous: PreviousSession, session: Path, monitor: Monitor
) -> Iterable[LedgerRow]:
    """Return ledger rows; files of the previous session get their original names.

    Files kept in the inbox of `session` are listed as long as they exist with the same bytes. Each member is listed once, and
    previous members are in their previous order. Raises OSError, CancelledError.
    """
    if not previous.has_ledger_rows:
        return rows
    unmatched = dict(previous.rows)
    merged: dict[tuple[str, str], LedgerRow] = {}
    for row in rows:
        previous_rows = unmatched.pop(_previous_location(row), ())
        if previous_rows and all(_has_same_bytes(old_row, row) for old_row in previous_rows):
            for old_row in previous_rows:
                _add(merged, _merged_row(old_row, row))
        else:
            _add(merged, row)
    kept_rows = (row for old_rows in unmatched.values() for row in old_rows if _is_still_kept(session, row, monitor))
    for row in (*(previous.rows_without_location if previous.rows else ()), *kept_rows):
        _add(merged, row._replace(series=None, reason=without_note(row.reason)))
    end = len(previous.positions)
    return [row for _, row in sorted(merged.items(), key=lambda item: previous.positions.get(item[0], end))]


def _add(merged: dict[tuple[str, str], LedgerRow], row: LedgerRow) -> None:
    """Add a row. A member that was read from its archive and from the session has one row: as a sorted file, not a duplicate."""
    key = (row.path, row.sha256)
    if key not in merged or (merged[key].fate is Fate.DUPLICATE and row.fate is Fate.SORTED):
        merged[key] = row


def _previous_location(row: LedgerRow) -> str:
    """Return where a member was in the previous session; empty if it is new.

    A member of an archive is new, even if a file of the previous session has its bytes.
    """
    if row.path.startswith(FROM_SESSION_PREFIX):
        return unescape(row.path.removeprefix(FROM_SESSION_PREFIX))
    # a loose file may have a `!` in its name; a member of an archive is kept in a folder named like the archive, so its `at`
    # has a `/` where its path has the `!`
    is_loose = "!" not in row.path or row.at == f"{KEPT_AT_PREFIX}{row.path}"
    return row.at if row.fate is Fate.KEPT and is_loose else ""


def _has_same_bytes(row: LedgerRow, other: LedgerRow) -> bool:
    """Return whether two members have the same content, or are the same file: its content may be listed in one row only."""
    return row.content_sha256 == other.content_sha256 or row.sha256 == other.sha256


def _is_still_kept(session: Path, row: LedgerRow, monitor: Monitor) -> bool:
    """Return whether the inbox of a session still has the file of a row, with the same bytes. Raises OSError, CancelledError."""
    path = session / row.at
    return (
        row.at.startswith(KEPT_AT_PREFIX)
        and path.is_file()
        and row.may_have_size(path.stat().st_size)
        and hash_file(str(path), monitor=monitor)[1] in (row.sha256, row.content_sha256)
    )


def _merged_row(previous: LedgerRow, current: LedgerRow) -> LedgerRow:
    """Return the row of a member of the previous session with its previous path and its current place."""
    fate = previous.fate if current.fate is Fate.SORTED else current.fate
    # the row of a duplicate has the `at` of the first copy, whose row has the note
    note = "" if previous.fate is Fate.DUPLICATE else note_of(current.reason)
    reason = "; ".join(filter(None, (without_note(previous.reason), note)))
    return previous._replace(fate=fate, at=current.at, series=current.series, reason=reason)
