"""The holder of a lock, in words for a message."""

from pathlib import Path

from qxbatch.publish.plain_files import read_plain

_HOLDER = 2
"""Index of the line of a record that names the process, the host and, if there is one, the cluster job (`Locks._record`)."""
_LONGEST = 200
"""Maximum number of characters of that line in a message."""


def last_holder_clause(path: Path) -> str:
    """Return a clause that says who last held a lock, as its lock file records it, and that the holder may be suspended.

    It is empty if the file cannot be read, or if it names nobody in printable characters.
    """
    try:
        lines = (read_plain(path) or b"").decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    holder = lines[_HOLDER][:_LONGEST] if len(lines) > _HOLDER else ""
    return f"; its last holder is {holder}, which may be suspended" if holder and holder.isprintable() else ""
