"""Exit statuses (docs/command-line.md)."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit status of a run; 64 and above follow sysexits.h."""

    OK = 0
    FAILED = 1
    USAGE = 64
    NOTHING_READY = 66
    NO_CONVERTER = 69
    CANNOT_WRITE = 73
    HELD = 75
    INTERRUPTED = 130
