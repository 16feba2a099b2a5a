"""Reads the text header of Philips PAR/REC, versions 3 to 4.2.

A PAR is self-describing: general lines `. key : value`, a list of column definitions in comments, then one line per image.
Exports differ in line ends (LF, CRLF), case, blanks, units in brackets, and omitted parts, so all of that is tolerated, and no
part is required.
"""

import os
import re
from codecs import getincrementaldecoder
from dataclasses import replace
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from qxbatch.model import Value
from qxbatch.parrec.columns import Column, columns_of_version, defined_column
from qxbatch.parrec.fields import fields
from qxbatch.parrec.table import ParContent

_MAX_BYTES = 64 << 20
_MAX_LINES = 100_000
"""Limits on the bytes and lines of a PAR. Each image is a line, and scanners write up to about 10,000 lines."""
_MAX_LINE_LENGTH = 1 << 16
"""A line with this many characters or more, including its end, is too long."""
_BEGINNING = 1 << 20
"""Number of bytes that are read of a PAR above `_MAX_BYTES`, for its general lines."""
_BLOCK = 1 << 20
"""Bytes that are decoded at a time."""
_VERSION = re.compile(r"image export tool\s+V?(\d+(?:\.\d+)?)", re.IGNORECASE)
_ALIASES = {"series data type": "series type", "scan date/time": "examination date/time"}
"""Maps keys that only some versions use to the usual keys."""


class ParHeader(ParContent):
    """The content of one PAR, also as DICOM keywords."""

    def dicom(self) -> dict[str, Value]:
        """Return the values that have a DICOM keyword, by keyword (qxbatch.parrec.fields)."""
        return fields(self)


def read_par(path: Path) -> ParHeader:
    """Read a PAR header. A file that is not a PAR is not refused here: its header lacks values.

    If the PAR is too large, or has too many lines or too long a line, its header has no image table (`ParHeader.unread_reason`).
    Raises OSError when the file cannot be read.
    """
    with path.open("rb") as file:
        return _read(file, os.fstat(file.fileno()).st_size)


def parse_par(data: bytes) -> ParHeader:
    """Parse the text of a PAR header. A non-empty line that begins with neither `#` nor `.` is a line of the image table."""
    return _read(BytesIO(data), len(data))


def _read(file: BinaryIO, size: int) -> ParHeader:
    if size > _MAX_BYTES:
        beginning = _without_last_line(file.read(_BEGINNING))
        header = _read(BytesIO(beginning), len(beginning))
        return replace(header, lines=(), unread_reason=f"the PAR has {size >> 20} MB")
    encoding = _encoding(file)
    file.seek(0)
    with TextIOWrapper(file, encoding=encoding, errors="replace", newline="\n") as text:
        return _parse(text)


def _without_last_line(beginning: bytes) -> bytes:
    """Return the beginning of a PAR up to its last line end: the line after it is incomplete, as may be its last character."""
    return beginning[: beginning.rfind(b"\n") + 1]


def _encoding(file: BinaryIO) -> str:
    """Return the encoding of the bytes up to the end: UTF-8, with or without a byte order mark, or else Latin-1."""
    decoder = getincrementaldecoder("utf-8")()
    try:
        while block := file.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _parse(text: TextIO) -> ParHeader:
    version: float | None = None
    general: dict[str, str] = {}
    columns: list[Column] = []
    lines: list[str] = []
    count, unread_reason = 0, ""
    while raw := text.readline(_MAX_LINE_LENGTH):
        count += 1
        if count > _MAX_LINES:
            lines, unread_reason = [], f"the PAR has more than {_MAX_LINES} lines"
            break
        if len(raw) == _MAX_LINE_LENGTH:
            lines, unread_reason = [], f"line {count} of the PAR has {_MAX_LINE_LENGTH} or more characters"
            break
        line = raw.replace("\x00", " ").strip()
        if line.startswith("#"):
            match = _VERSION.search(line)
            version = float(match[1]) if match and version is None else version
            column = None if lines else defined_column(line)
            columns += [column] if column else []
        elif line.startswith("."):
            key, _, value = line[1:].partition(":")
            general.setdefault(_key(key), value.strip())
        elif line:
            lines.append(line)
    return ParHeader(version, general, tuple(columns) or columns_of_version(version), tuple(lines), unread_reason)


def _key(text: str) -> str:
    """Return a key in lower case, cut at the first bracket or `?`, with single blanks; an alias becomes the usual key.

    `Repetition time [msec]` becomes `repetition time`.
    """
    bare = re.split(r"[\[(<?]", text, maxsplit=1)[0].replace("_", " ")
    key = " ".join(bare.split()).casefold()
    return _ALIASES.get(key, key)
