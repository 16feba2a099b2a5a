"""What session.txt of any program says: id, subject, and its image lines."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qxbatch.textfile import read_text

_IMAGE = re.compile(r"(\d+)\s*:(.*)")
_INFO = re.compile(r"\s*(\w+)\((.*)\)\s*")


@dataclass(frozen=True)
class SessionText:
    """The content of a session.txt; empty where a line is missing."""

    id: str = ""
    subject: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    """Image number, as written, to the rest of its line: ` name : TR(2)`."""


def read_session_txt(path: Path) -> SessionText:
    """Return what a session.txt says; bytes that are no UTF-8 are replaced. Raises OSError."""
    texts: dict[str, str] = {}
    images: dict[str, str] = {}
    for line in read_text(path, "replace").splitlines():
        key, _, value = line.partition(":")
        if match := _IMAGE.match(line):
            images[match[1]] = match[2]
        else:
            texts.setdefault(key, value.strip())
    return SessionText(texts.get("id", ""), texts.get("subject", ""), images)


def image_line_parts(rest: str) -> tuple[str, dict[str, str]]:
    """Return name and info fields of the rest of an image line.

    >>> image_line_parts(" T1w                       : TR(2): PEDirection(j-)")
    ('T1w', {'TR': '2', 'PEDirection': 'j-'})
    """
    name, *others = rest.split(":")
    found = (_INFO.fullmatch(other) for other in others)
    return name.strip(), {match[1]: match[2] for match in found if match}
