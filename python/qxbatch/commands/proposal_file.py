"""Writes the file of a proposal (rules, protocol), which its user then corrects."""

from pathlib import Path

from qxbatch.exits import ExitStatus
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.publish.durable import replace_text


def write_proposal(path: Path, text: str) -> None:
    """Write a proposal. Raises UsageError if the file cannot be written."""
    try:
        replace_text(path, text)
    except OSError as error:
        hint = "Name a file in a folder that can be written."
        raise UsageError(f"Cannot write {path}: {reason_text(error, path)}.", hint, ExitStatus.CANNOT_WRITE) from None
