"""Keeps a patient's identity out of texts when a session id stands in its place."""

import re
from collections.abc import Iterable, Sequence

from qxbatch.convert.values import text, texts
from qxbatch.model import Series

_SHORTEST = 3
"""A shorter name would be found inside ordinary words."""
_IDENTITY = ("PatientID", "PatientName")


def identities(series: Iterable[Series]) -> tuple[str, ...]:
    """Return the patient ids and names in the headers of a session, the longest first, also as file names write them."""
    found: set[str] = set()
    for item in series:
        for field in _IDENTITY:
            for value in (text(item.header, field), *texts(item.header, field)):
                found |= {value, value.replace("^", " "), re.sub(r"[^A-Za-z0-9._+-]+", "_", value).strip("._-")}
    return tuple(sorted((value for value in found if len(value) >= _SHORTEST), key=lambda value: (-len(value), value)))


def concealed(value: str, names: Sequence[str], session_id: str) -> str:
    """Return a text in which each of `names`, standing as a word of its own, is the session id."""
    if not names:
        return value
    words = "|".join(re.escape(name) for name in names)
    return re.sub(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])", lambda _: session_id, value)
