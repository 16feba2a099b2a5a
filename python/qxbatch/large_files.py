"""Files that take long to read: a signal ends the reading of such a file after a session was published."""

from qxbatch.core import Monitor

LARGE_BYTES = 1 << 30
"""Reading a file with more bytes takes seconds, or hours if it is sparse and has terabytes."""
_LARGE_PACKED_BYTES = 1 << 24
"""Unpacking a gz with more bytes can take as long: its content has up to a thousand times its size."""


def monitor_of(size: int, monitor: Monitor | None) -> Monitor | None:
    """Return the monitor that can end the reading of a file of this size: None, for a file that is not large, lets it end."""
    return monitor if size > LARGE_BYTES else None


def monitor_of_packed(size: int, monitor: Monitor | None) -> Monitor | None:
    """Return the monitor that can end the unpacking of a gz of this size, as `monitor_of` for the reading of a file."""
    return monitor if size > _LARGE_PACKED_BYTES else None
