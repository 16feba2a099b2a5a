"""Escapes and unescapes ledger cells: characters and bytes that a table cannot contain are written as `\\xNN`."""

import os
import re
from pathlib import Path

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})", re.IGNORECASE)


def member_path(cell: str) -> Path:
    """Return the path in a ledger cell, with `\\xNN` replaced by bytes."""
    return Path(unescape(cell))


def unescape(cell: str) -> str:
    """Return the text in a ledger cell, with `\\xNN` replaced by bytes."""
    return os.fsdecode(_ESCAPED.sub(lambda m: bytes([int(m.group(1), 16)]), cell.encode("utf-8")))


def escape(text: str) -> str:
    """Return text with `\\xNN` for tab, newline, carriage return, backslash and bytes that are not UTF-8."""
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(_escape(character) for character in text)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 (Python's place for single bytes that are not UTF-8)
        return f"\\x{code - 0xDC00:02x}"
    if character in "\t\n\r\\":
        return f"\\x{code:02x}"
    return character
