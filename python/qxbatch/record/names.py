"""Names of images in session.txt: from the header, made safe for every reader."""

import re
import unicodedata

from qxbatch.convert.header_values import text, texts
from qxbatch.model import HeaderLike

ANONYMOUS = "anonymous"
_FIELDS = ("SeriesDescription", "ProtocolName", "SequenceName")


def session_txt_field(value: str) -> str:
    """Return a text changed so that it is valid in a field of session.txt.

    Readers cut lines at the first `#` and split at every `:`, and Python's splitlines knows more line ends than \\n.
    """
    if value.isascii() and value.isprintable():
        return value.replace(":", "_").replace("#", "_").strip()
    spaced = "".join(" " if _breaks(character) else character for character in value)
    return re.sub(r"[:#]", "_", spaced).encode("utf-8", "replace").decode("utf-8").strip()


def _breaks(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Zl", "Zp"}


def series_name(header: HeaderLike) -> str:
    """Return the name of a series: the first usable one of SeriesDescription, ProtocolName, SequenceName, else `anonymous`.

    A text of spaces, `_` and `-`, and the word `anonymous`, are not usable.
    """
    for field in _FIELDS:
        name = session_txt_field(text(header, field))
        if name.strip("_- ") and name.casefold() != ANONYMOUS:
            return name
    return ANONYMOUS


def description(header: HeaderLike) -> str:
    """Return the name of a series as `series_name` does, but an empty text in place of `anonymous`."""
    name = series_name(header)
    return "" if name == ANONYMOUS else name


def series_number(header: HeaderLike) -> int | None:
    """Return the SeriesNumber; None if it is missing or not a whole number from 0."""
    number = text(header, "SeriesNumber")
    return int(number) if re.fullmatch(r"\d{1,18}", number) else None


def session_txt_name(header: HeaderLike, k: int, of: int, suffix: str, add_image_type: int = 0) -> str:
    """Return the name of image k of a series with `of` images; it contains the last `add_image_type` values of ImageType.

    >>> session_txt_name({"SeriesDescription": "ME"}, 1, 3, "_e1")
    'ME [1/3] e1'
    """
    labels = [label for value in texts(header, "ImageType") if (label := session_txt_field(value))]
    words = [series_name(header)]
    words += labels[-add_image_type:] if add_image_type > 0 else []
    words += [f"[{k}/{of}]"] if of > 1 else []
    words += [session_txt_field(suffix.removeprefix("_"))] if suffix else []
    return " ".join(word for word in words if word)
