"""Reads the text header of Philips PAR/REC, versions 3 to 4.2.

A PAR is self-describing: general lines `. key : value`, a list of column definitions in comments, then one line per
image. Exports differ in line ends, case, blanks, units in brackets, and in what they leave out, so all of that is
tolerated, and only what later stages need is asked of it.
"""

import re
from pathlib import Path

from qxbatch.model import Value
from qxbatch.parrec.columns import Column, defaults, definition
from qxbatch.parrec.fields import fields
from qxbatch.parrec.table import ParTable

_LARGEST = 256 << 20
"""Bytes that are read at most; a table of 500,000 images is smaller."""
_VERSION = re.compile(r"image export tool\s+V?(\d+(?:\.\d+)?)", re.IGNORECASE)
_ALIASES = {"series data type": "series type", "scan date/time": "examination date/time"}


class ParHeader(ParTable):
    """The header of one PAR."""

    def dicom(self) -> dict[str, Value]:
        """Return what the header tells under DICOM keywords (qxbatch.parrec.fields)."""
        return fields(self)


def read_par(path: Path) -> ParHeader:
    """Read a PAR header. What is none gives an empty one (its conversion then fails with that reason).

    Raises OSError when the file cannot be read.
    """
    with path.open("rb") as file:
        return parse_par(file.read(_LARGEST))


def parse_par(data: bytes) -> ParHeader:
    """Parse the text of a PAR header; a line that means nothing is passed over."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    version: float | None = None
    general: dict[str, str] = {}
    columns: list[Column] = []
    lines: list[str] = []
    for raw in text.split("\n"):
        line = raw.replace("\x00", " ").strip()
        if line.startswith("#"):
            found = _VERSION.search(line)
            version = float(found[1]) if found and version is None else version
            column = None if lines else definition(line)
            columns += [column] if column else []
        elif line.startswith("."):
            key, _, value = line[1:].partition(":")
            general.setdefault(_key(key), value.strip())
        elif line:
            lines.append(line)
    return ParHeader(version, general, tuple(columns) or defaults(version), tuple(lines))


def _key(text: str) -> str:
    """Return a key without units, brackets and doubled blanks: `Repetition time [msec]` is `repetition time`."""
    bare = re.split(r"[\[(<?]", text, maxsplit=1)[0].replace("_", " ")
    key = " ".join(bare.split()).casefold()
    return _ALIASES.get(key, key)
