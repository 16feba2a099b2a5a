"""Encrypted members that were not opened, and advice about them."""

import re
from collections.abc import Iterator

from qxbatch.core import Reading, Row
from qxbatch.settings.model import Passwords

_REASON = re.compile(r"(?:^|: )encrypted(?P<openable>$|[:;])?")
"""Matches the reasons of the core that say that a member is encrypted.

The group `openable` matches if a password would open the member: after `encrypted`, the reason ends or continues with `:` or `;`.
Other words after `encrypted` say why it cannot be opened.
"""
_WHOLE_PACKET = re.compile(r": (encrypted(?:: .*)?$)")
"""Matches the reason in the text about a packet that is encrypted as a whole, such as a 7z with an encrypted header.

The name of the packet is before the reason.
"""


def encryption_reasons(reading: Reading) -> list[str]:
    """Return the reasons of encrypted members and archives: no password fits, or the encryption is not supported."""
    refused = [row for row in _rows(reading) if row.fate == "refused"]
    members = {f"{row.path}: {row.reason}" for row in refused}
    whole = [
        match
        for match in map(_WHOLE_PACKET.search, (reason for reason in reading.damage() if reason not in members))
        if match
    ]
    return [*(row.reason for row in refused if row.reason.startswith("encrypted")), *(match[1] for match in whole)]


def is_openable(reasons: list[str]) -> bool:
    """Return whether a password would open one of the unopened members, by their reasons."""
    return any(match["openable"] is not None for match in map(_REASON.search, reasons) if match)


def hint(reasons: list[str], passwords: Passwords | None) -> str:
    """Return advice about unopened members, by their reasons; empty if there are none."""
    matches = [match for match in map(_REASON.search, reasons) if match]
    if not matches:
        return ""
    if not is_openable(reasons):
        return "Get a copy that is not encrypted in this way."
    if passwords is None:
        return "Give --password-file=FILE with the password on a separate line."
    count = len(passwords.words)
    tried = "The password" if count == 1 else f"None of the {count} passwords"
    verb = "does not fit" if count == 1 else "fits"
    return f"{tried} in {passwords.path} {verb}: add the right one, on a separate line."


def _rows(reading: Reading) -> Iterator[Row]:
    return (reading.row(index) for index in range(len(reading)))
