"""Files that take long to read: a signal ends the reading of such a file after a session was published."""

from qxbatch.core import Monitor

LARGE_BYTES = 1 << 30
"""Reading a file with more bytes takes seconds, or hours if it is sparse and has terabytes."""


def monitor_of(size: int, monitor: Monitor | None) -> Monitor | None:
    """Return the monitor that can end the reading of a file of this size: None, for a file that is not large, lets it end."""
    return monitor if size > LARGE_BYTES else None
