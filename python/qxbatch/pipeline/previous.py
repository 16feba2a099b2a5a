"""Reads the records of the previous import in a session folder: summary and ledger."""

import errno
from pathlib import Path

from qxbatch.os_error import error_text, reading_hint
from qxbatch.problems import Code, PacketError, Problem
from qxbatch.record.previous import PreviousSession
from qxbatch.session.folder import SessionFolder
from qxbatch.session.ledger import FATES_WITHOUT_LOCATION, LedgerRow
from qxbatch.session.summary import NewerSchemaError, SummaryError

_NOT_OF_AN_IMPORT = (errno.EISDIR, errno.EINVAL, errno.ENXIO, errno.ELOOP, errno.EFBIG)
"""Errors when something that no import wrote is at the path of the summary, such as a folder or a FIFO.

After another error, the summary can be sound.
"""


def read_previous_session(path: Path) -> PreviousSession:
    """Return the records in a session folder. Of a damaged ledger, only the order of the rows before the damage is used.

    Raises PacketError if a newer version of qxbatch made the session, or if its summary cannot be read now: it may say that the
    session is de-identified.
    """
    session = SessionFolder(path)
    try:
        summary = session.summary
    except NewerSchemaError as error:
        hint = "Import it with the version that made the session, or a newer one."
        raise PacketError(Problem(Code.EXISTS, path.name, f"{error}", hint)) from None
    except SummaryError:
        summary = None
    except OSError as error:
        if error.errno not in _NOT_OF_AN_IMPORT:
            message = f"its session exists, and {error_text(error, session.paths.summary)}; nothing was changed."
            hint = reading_hint(error, session.paths.summary) or "Correct this and run again, or move the session away."
            raise PacketError(Problem(Code.EXISTS, path.name, message, hint)) from None
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
