"""The marks of the display: Unicode characters if the locale is UTF-8, else ASCII."""

import os
from collections.abc import Mapping
from typing import NamedTuple, TextIO


class Marks(NamedTuple):
    """The marks of one character set."""

    done: str
    """Before the line of a session, as `warning` and `failed`."""
    warning: str
    failed: str
    full: str
    """A column of the bar, as `empty`."""
    empty: str
    cut: str
    """The end of a text that was cut."""


UNICODE = Marks("\N{CHECK MARK}", "!", "\N{BALLOT X}", "\N{FULL BLOCK}", "\N{LIGHT SHADE}", "\N{HORIZONTAL ELLIPSIS}")
ASCII = Marks("+", "!", "x", "#", "-", "...")


def marks_for(stream: TextIO, environment: Mapping[str, str] = os.environ) -> Marks:
    """Return the marks for a stream: Unicode if its encoding and the locale of the user are UTF-8.

    The encoding is not enough: in the locale C, Python writes UTF-8 (and sets LC_CTYPE to C.UTF-8), even if the terminal does not
    support it.
    """
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    if not encoding.startswith("utf"):
        return ASCII
    ctype = environment.get("LC_CTYPE", "")
    chosen = environment.get("LC_ALL") or ("" if ctype == "C.UTF-8" else ctype) or environment.get("LANG", "")
    return UNICODE if "utf8" in chosen.lower().replace("-", "") else ASCII
