"""Exit statuses (docs/command-line.md)."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit status of a command; 64 to 75 follow sysexits.h, 130 is that of shells after Ctrl-C."""

    OK = 0
    FAILED = 1
    USAGE = 64
    NOTHING_READY = 66
    UNAVAILABLE = 69
    """A converter, or another program or package that is needed, is missing or gives no answer."""
    CANNOT_WRITE = 73
    HELD = 75
    """Other runs have the locks of everything that was to be done.

    With --scheduler: all packets were submitted before, or no longer exist.
    """
    INTERRUPTED = 130
