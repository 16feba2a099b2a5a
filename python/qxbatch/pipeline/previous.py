"""Reads the records of the previous import in a session folder."""

from pathlib import Path

from qxbatch.problems import Code, PacketError, Problem
from qxbatch.record.previous import PreviousSession
from qxbatch.session.folder import SessionFolder
from qxbatch.session.ledger import FATES_WITHOUT_LOCATION, LedgerRow
from qxbatch.session.summary import NewerSchemaError, SummaryError


def read_previous_session(path: Path) -> PreviousSession:
    """Return the records in a session folder; if its ledger is damaged, only the order of the rows before the damage is used.

    Raises PacketError if a newer version of qxbatch made the session: its summary may say that the session is de-identified.
    """
    session = SessionFolder(path)
    try:
        summary = session.summary
    except NewerSchemaError as error:
        hint = "Import it with the version that made the session, or a newer one."
        raise PacketError(Problem(Code.EXISTS, path.name, f"{error}", hint)) from None
    except (SummaryError, OSError):
        summary = None
    rows: dict[str, list[LedgerRow]] = {}
    rows_without_location = []
    order: dict[tuple[str, str], int] = {}
    try:
        for row in session.ledger():
            order[row.path, row.sha256] = len(order)
            if row.fate in FATES_WITHOUT_LOCATION:
                rows_without_location.append(row)
            elif row.at:
                rows.setdefault(row.at, []).append(row)
    except (OSError, ValueError):
        rows, rows_without_location = {}, []
    return PreviousSession(
        {at: tuple(entries) for at, entries in rows.items()},
        tuple(rows_without_location),
        order,
        summary.packets if summary else (),
        deidentified=bool(summary and summary.session.deidentified),
        subject=session.subject,
        split=summary.split if summary else None,
    )
