"""The holder of a lock, in words for a message."""

from pathlib import Path

from qxbatch.publish.plain_files import read_plain

_HOLDER = 2
"""Index of the line of a record that names process and host (`Locks`)."""
_LONGEST = 200
"""Maximum number of characters of that line in a message."""


def last_holder_clause(path: Path) -> str:
    """Return a clause that names the last holder of a lock, by its file; empty if that cannot be read or names nobody."""
    try:
        lines = (read_plain(path) or b"").decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    holder = lines[_HOLDER][:_LONGEST] if len(lines) > _HOLDER else ""
    return f"; its last holder is {holder}, which may be suspended" if holder and holder.isprintable() else ""
