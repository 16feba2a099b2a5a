"""Encrypted members that stayed closed: which, and what to do about them."""

import re
from collections.abc import Iterator

from qxbatch.core import Reading, Row
from qxbatch.problems import Code, Problem, Severity
from qxbatch.settings.model import Passwords

_REASON = re.compile(r"(?:^|: )encrypted(?P<wanting>$|[:;])?")
"""The core's word for it; what cannot be opened by any password goes on in another way than those it lacks one for."""


def refused_as_encrypted(reading: Reading) -> list[Row]:
    """Return the members whose bytes cannot be had for want of a password, or of a way to open them."""
    return [row for row in _rows(reading) if row.fate == "refused" and row.reason.startswith("encrypted")]


def kept_closed(reading: Reading, names: str, passwords: Passwords | None) -> list[Problem]:
    """Warn of archives inside a packet that were kept whole since they are encrypted: images may be in them."""
    closed = [row for row in _rows(reading) if _is_closed(row)]
    if not closed:
        return []
    first, more = closed[0], f" and {len(closed) - 1} more" if len(closed) > 1 else ""
    message = f"{first.path}{more} inside it stayed closed and was kept as it is ({first.reason})."
    return [Problem(Code.ENCRYPTED_KEPT, names, message, hint(closed, passwords), Severity.WARNING)]


def hint(rows: list[Row], passwords: Passwords | None) -> str:
    """Return what to do next about members that stayed closed; empty when there are none."""
    found = [match for match in (_REASON.search(row.reason) for row in rows) if match]
    if not found:
        return ""
    if all(match["wanting"] is None for match in found):
        return "Get a copy that is not encrypted in this way."
    if passwords is None:
        return "Give --password-file=FILE with the password on a line of its own."
    count = len(passwords.words)
    tried = "The password" if count == 1 else f"None of the {count} passwords"
    verb = "does not fit" if count == 1 else "fits"
    return f"{tried} in {passwords.path} {verb}: add the right one, on a line of its own."


def closed_rows(reading: Reading) -> list[Row]:
    """Return all that stayed closed: members, and archives that were kept whole."""
    return [*refused_as_encrypted(reading), *(row for row in _rows(reading) if _is_closed(row))]


def _is_closed(row: Row) -> bool:
    return row.fate == "kept" and row.reason.startswith("kept whole: ") and bool(_REASON.search(row.reason))


def _rows(reading: Reading) -> Iterator[Row]:
    return (reading.row(index) for index in range(len(reading)))
