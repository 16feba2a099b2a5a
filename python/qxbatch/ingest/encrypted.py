"""Encrypted members that stayed closed: which, and what to do about them."""

import re
from collections.abc import Iterator

from qxbatch.core import Reading, Row
from qxbatch.settings.model import Passwords

_REASON = re.compile(r"(?:^|: )encrypted(?P<wanting>$|[:;])?")
"""The core's word for it; what cannot be opened by any password goes on in another way than those it lacks one for."""


def refused_as_encrypted(reading: Reading) -> list[Row]:
    """Return the members whose bytes cannot be had for want of a password, or of a way to open them."""
    return [row for row in _rows(reading) if row.fate == "refused" and row.reason.startswith("encrypted")]


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


def _rows(reading: Reading) -> Iterator[Row]:
    return (reading.row(index) for index in range(len(reading)))
