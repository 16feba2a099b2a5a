"""What a session that is made anew said of itself before: where its files came from, its packets, its subject.

Its own sorted files are the sources then, so without this the names that members had in their packets would be lost.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qxbatch.cells import escaped, member_path, unescaped
from qxbatch.core import hash_file
from qxbatch.record.ledger import LedgerLine, RowLike, Told, without_note
from qxbatch.verify.ledger_file import LedgerRow, read_ledger

OUTSIDE = "../"
"""How ledger paths of members begin that were read from the session itself."""
NO_PLACE = ("opened", "nodata", "refused")


@dataclass(frozen=True)
class Earlier:
    """The earlier session; empty where there is none, or another program made it."""

    rows: Mapping[str, tuple[LedgerRow, ...]] = field(default_factory=dict)
    """By `at`, below the session folder."""
    placeless: tuple[LedgerRow, ...] = ()
    order: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Where each member (path, sha256) stood."""
    packets: tuple[Mapping[str, Any], ...] = ()
    concealed: bool = False
    """A logfile named the session, so the patient's id stands nowhere but in the DICOM."""
    subject: str = ""


def read_earlier(session: Path) -> Earlier:
    """Read what a session folder tells of itself; what cannot be read tells nothing."""
    told = _summary(session)
    rows: dict[str, list[LedgerRow]] = {}
    placeless = []
    order: dict[tuple[str, str], int] = {}
    try:
        for row in read_ledger(session / "qxbatch" / "ledger.tsv"):
            order[row.path, row.sha256] = len(order)
            if row.fate in NO_PLACE:
                placeless.append(row)
            elif row.at:
                rows.setdefault(row.at, []).append(row)
    except (OSError, ValueError):
        rows, placeless = {}, []
    about = told.get("session", {})
    return Earlier(
        {at: tuple(found) for at, found in rows.items()},
        tuple(placeless),
        order,
        tuple(told.get("packets", ())),
        concealed=about.get("concealed") is True,
        subject=about.get("subject") or _subject(session),
    )


def with_earlier(lines: Iterable[LedgerLine], earlier: Earlier, session: Path) -> Iterable[LedgerLine]:
    """Return ledger lines, those of files that lay in the session before under the names they came by.

    What was kept in its inbox is told again as long as it lies there. No member stands twice, and what was told before
    stands in the order in which it was told.
    """
    if not earlier.order:
        return lines
    left = dict(earlier.rows)
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
    for row in (*(earlier.placeless if earlier.rows else ()), *kept):
        _tell(told, LedgerLine(_told(row, None), unescaped(row.at)))
    last = len(earlier.order)
    return [line for _, line in sorted(told.items(), key=lambda item: earlier.order.get(item[0], last))]


def _tell(told: dict[tuple[str, str], LedgerLine], line: LedgerLine) -> None:
    """Add a line. A member that was read from its archive and from the session is one member, and was stored."""
    key = (line.row.path, line.row.sha256)
    if key not in told or (told[key].row.fate == "duplicate" and line.row.fate == "sorted"):
        told[key] = line


def _place(line: LedgerLine) -> str:
    """Where a member lay in the earlier session, as its ledger wrote it; empty for one that is new."""
    if line.row.path.startswith(OUTSIDE):
        return line.row.path.removeprefix(OUTSIDE)
    return escaped(line.at) if line.row.fate == "kept" else ""


def _lies(session: Path, row: LedgerRow) -> bool:
    path = session / member_path(row.at)
    return (
        row.at.startswith("inbox/") and path.is_file() and hash_file(str(path))[1] in (row.sha256, row.content_sha256)
    )


def _told(row: LedgerRow, now: RowLike | None) -> Told:
    fate = row.fate if now is None or now.fate == "sorted" else now.fate
    series = 0 if now is None else now.series
    reason = without_note(unescaped(row.reason))
    return Told(row.path, row.size, row.sha256, row.content_sha256, row.kind, fate, row.at, series, reason)


def _summary(session: Path) -> Mapping[str, Any]:
    try:
        told = json.loads((session / "qxbatch" / "summary.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _subject(session: Path) -> str:
    """The subject that session.txt names: another program may have made it."""
    try:
        lines = (session / "session.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    found = (line.partition(":")[2].strip() for line in lines if line.startswith("subject:"))
    return next(found, "")
