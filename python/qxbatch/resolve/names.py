"""Names that no session may have."""

import unicodedata

from qxbatch.session.layout import ARCHIVE, INBOX

RESERVED = (INBOX, ARCHIVE, "specs", "qc")
"""Folders of the study that lie beside the session folders, in any case: some file systems do not tell cases apart."""
FORBIDDEN = "/\\:#"
"""The first two are paths; a `:` or `#` cuts the lines of session.txt for each later reader."""
LONGEST = 200
"""Bytes; file systems end at 255, and file names add a number and a UID's end to the id."""


def breaks_lines(name: str) -> bool:
    """Return whether a name contains a control character or a line end: a pattern finds no more than a part of it."""
    return any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in name)


def _unseen(name: str) -> str:
    """Return the first character that cannot be seen, as Unicode numbers it."""
    return next((f"U+{ord(character):04X}" for character in name if not character.isprintable()), "")


def fault(name: str) -> str:
    """Say why a session may not have that id; empty when it may.

    Readers of session.txt cut lines at line ends and strip spaces of every kind, and a person has to see two names differ:
    of what is not printable (Unicode categories C and Z), only the space may stand in an id.
    """
    for is_wrong, reason in (
        (not name, "it is empty"),
        (name.casefold() in RESERVED, "the study keeps other things in a folder of that name"),
        (any(character in FORBIDDEN for character in name), "it holds one of / \\ : #"),
        (name[:1] in ("-", "_", "."), "it begins with - _ or ."),
        (name != name.strip(), "it begins or ends with a space"),
        (breaks_lines(name), "it holds a control character"),
        (any(unicodedata.category(character) == "Cs" for character in name), "it is no valid text (UTF-8)"),
        (not name.isprintable(), f"it contains {_unseen(name)}, which is not visible, or looks like a space"),
        (len(name.encode("utf-8", "surrogatepass")) > LONGEST, f"it is longer than {LONGEST} bytes"),
    ):
        if is_wrong:
            return reason
    return ""
