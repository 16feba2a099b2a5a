"""Which names a session may not have."""

import unicodedata

from qxbatch.session.layout import ARCHIVE, INBOX, PAGE, STUDY_SIDECAR, STUDY_TABLE

RESERVED_NAMES = (INBOX, ARCHIVE, "specs", "qc", PAGE, STUDY_TABLE, STUDY_SIDECAR)
"""Folders and files of the study beside the session folders, in lower case: names are compared without case, since some file
systems ignore it."""
FORBIDDEN_CHARACTERS = "/\\:#"
"""The first two are path separators; a `:` or `#` cuts the lines of session.txt for its readers."""
MAX_ID_BYTES = 200
"""Maximum bytes of an id: file systems allow 255 in a name, and file names add a number and a UID to the id."""


def breaks_lines(name: str) -> bool:
    """Return whether a name contains a control character or a line separator, at which a reader of lines may break it.

    With a line feed, a pattern could find only a part of the name, since `.` does not match it.
    """
    return any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in name)


def _first_invisible(name: str) -> str:
    """Return the first unprintable character as `U+XXXX`; empty if there is none."""
    return next((f"U+{ord(character):04X}" for character in name if not character.isprintable()), "")


def invalid_name_reason(name: str) -> str:
    """Return why a session may not have a name as its id; empty if it may.

    Of the unprintable characters (Unicode categories C and Z) an id may contain only the space: readers of session.txt cut
    lines at line ends and strip spaces of every kind, and people must see that two names differ.
    """
    for is_wrong, reason in (
        (not name, "it is empty"),
        (name.casefold() in RESERVED_NAMES, "the study uses that name for other things"),
        (any(character in FORBIDDEN_CHARACTERS for character in name), "it contains '/', '\\', ':' or '#'"),
        (name[:1] in ("-", "_", "."), "it begins with '-', '_' or '.'"),
        (breaks_lines(name), "it contains a control character or a line end"),
        (name != name.strip(), "it begins or ends with a space"),
        (any(unicodedata.category(character) == "Cs" for character in name), "it is not valid text (UTF-8)"),
        (not name.isprintable(), f"it contains {_first_invisible(name)}, which is not visible, or looks like a space"),
        (len(name.encode("utf-8", "surrogatepass")) > MAX_ID_BYTES, f"it is longer than {MAX_ID_BYTES} bytes"),
    ):
        if is_wrong:
            return reason
    return ""
