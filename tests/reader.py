"""An independent reader of session.txt, written from the rules of its readers (docs/session-txt.md)."""

import re
from dataclasses import dataclass, field
from pathlib import Path

KEYS = ("id", "subject", "dicom", "raw_data", "data", "hcp")


@dataclass
class Read:
    """The facts for a later command."""

    headers: dict[str, str] = field(default_factory=dict)
    images: dict[int, tuple[str, dict[str, str]]] = field(default_factory=dict)
    """Number to (name, tags)."""


def read_session_txt(text: str) -> Read:
    """Read session.txt as its readers do: cut at `#`, split at every `:`, lines with a number are images. Raises ValueError."""
    read = Read()
    for line in text.splitlines():
        content = line.split("#")[0].strip()
        if not content:
            continue
        if content.startswith(("-", "_")):
            raise ValueError(f"a line begins with a sign that parts records: {line!r}")
        parts = [part.strip() for part in content.split(":")]
        if len(parts) < 2:
            raise ValueError(f"a line without a colon stops the reader: {line!r}")
        if parts[0].isdigit():
            if int(parts[0]) in read.images:
                raise ValueError(f"image {parts[0]} stands twice")
            read.images[int(parts[0])] = (parts[1], tags(parts[2:]))
        else:
            if len(parts) != 2 or not parts[1]:
                raise ValueError(f"a header needs exactly one value: {line!r}")
            read.headers[parts[0]] = parts[1]
    _check(read)
    return read


def _check(read: Read) -> None:
    missing = [key for key in KEYS if key not in read.headers]
    if missing:
        raise ValueError(f"headers are missing: {missing}")
    for key in ("dicom", "raw_data", "data", "hcp"):
        if Path(read.headers[key]).parent.name != read.headers["id"]:
            raise ValueError(f"{key} is not in the session folder")


def tags(fields: list[str]) -> dict[str, str]:
    """Return `word(value)` fields; `se`, `fm` and `bold_num` must be integers."""
    found = {}
    for text in fields:
        match = re.fullmatch(r"(\w+)\((.*)\)", text)
        if match is None:
            continue
        if match[1] in {"se", "fm", "bold_num"}:
            int(match[2])
        found[match[1]] = match[2]
    return found
