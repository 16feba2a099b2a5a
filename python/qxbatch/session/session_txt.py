"""Reads the session.txt of any program: id, subject, and image lines."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qxbatch.textfile import read_text

_IMAGE = re.compile(r"(\d+)\s*:(.*)")
"""Matches the line of an image."""
_INFO = re.compile(r"\s*(\w+)\((.*)\)\s*")
"""Matches a field of such a line: `TR(2)`."""


@dataclass(frozen=True)
class SessionText:
    """The content of a session.txt; empty where a line is missing."""

    id: str = ""
    subject: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    """Maps each image number, as written, to its line without the number: ` name : TR(2)`."""


def read_session_txt(path: Path) -> SessionText:
    """Return the content of a session.txt; bytes that are not UTF-8 are replaced. Raises OSError."""
    texts: dict[str, str] = {}
    images: dict[str, str] = {}
    for line in read_text(path, "replace").splitlines():
        key, _, value = line.partition(":")
        if match := _IMAGE.match(line):
            images[match[1]] = match[2]
        else:
            texts.setdefault(key, value.strip())
    return SessionText(texts.get("id", ""), texts.get("subject", ""), images)


def image_line_parts(line_end: str) -> tuple[str, dict[str, str]]:
    """Return name and info fields of an image line without its number.

    >>> image_line_parts(" T1w                       : TR(2): PEDirection(j-)")
    ('T1w', {'TR': '2', 'PEDirection': 'j-'})
    """
    name, *fields = line_end.split(":")
    matches = (_INFO.fullmatch(field_text) for field_text in fields)
    return name.strip(), {match[1]: match[2] for match in matches if match}
