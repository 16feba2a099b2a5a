"""Reads what a session folder says of the import before."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qxbatch.record.previous import PreviousSession
from qxbatch.verify.ledger_file import LedgerRow, read_ledger

NO_PLACE = ("opened", "nodata", "refused")


def read_previous(session: Path) -> PreviousSession:
    """Return what a session folder says of itself; what cannot be read says nothing."""
    summary = _summary(session)
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
    about = summary.get("session", {})
    return PreviousSession(
        {at: tuple(found) for at, found in rows.items()},
        tuple(placeless),
        order,
        tuple(summary.get("packets", ())),
        deidentified=about.get("concealed") is True,
        subject=about.get("subject") or _subject(session),
    )


def _summary(session: Path) -> Mapping[str, Any]:
    try:
        summary = json.loads((session / "qxbatch" / "summary.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return summary if isinstance(summary, dict) else {}


def _subject(session: Path) -> str:
    """The subject that session.txt names: another program may have made it."""
    try:
        lines = (session / "session.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    found = (line.partition(":")[2].strip() for line in lines if line.startswith("subject:"))
    return next(found, "")
