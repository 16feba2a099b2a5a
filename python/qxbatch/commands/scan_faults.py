"""Scanned files that are damaged or cannot be read."""

import re

from qxbatch.core import ScannedFiles
from qxbatch.os_error import error_text

_SYSTEM_ERROR = re.compile(r"(.*) \(os error (\d+)\)")
"""The form in which the core gives an error of the operating system."""


def faults(files: ScannedFiles) -> list[str]:
    """Return the path of each damaged or unreadable file, and the reason."""
    faulty = (row for row in range(len(files)) if files.outcome(row) in ("damaged", "unreadable"))
    return [_fault(files.path(row), files.problem(row) or "") for row in faulty]


def _fault(path: str, reason: str) -> str:
    match = _SYSTEM_ERROR.fullmatch(reason)
    return error_text(OSError(int(match[2]), match[1]), path) if match else f"{path}: {reason}"
