"""Why a source is not split."""

import sys
from pathlib import Path

from qxbatch.core import Reading, sniff
from qxbatch.exits import ExitStatus
from qxbatch.ingest import encrypted
from qxbatch.os_error import access_hint, reason_text
from qxbatch.problems import UsageError
from qxbatch.session.contents import why_unreadable
from qxbatch.settings.model import Passwords
from qxbatch.visible import one_line


def readable(source: Path) -> Path:
    """Return a source that exists and can be read. Raises UsageError."""
    if not source.exists():
        raise UsageError(f"{source} does not exist.", "Name a folder or an archive.")
    reason = _why_not_read(source)
    if reason:
        raise UsageError(f"{source} cannot be read: {reason}.", access_hint(source))
    return source


def _why_not_read(source: Path) -> str:
    if source.is_dir():
        return why_unreadable(source)
    if not source.is_file():
        return "it is neither a file nor a folder"
    try:
        sniff(str(source))
    except OSError as error:
        return reason_text(error, source)
    return ""


def print_refusal(source: Path, reading: Reading, passwords: Passwords | None) -> int:
    """Print why a damaged or encrypted source is not split; return the exit status."""
    members = encrypted.refused_as_encrypted(reading)
    state = "cannot be opened" if len(members) == len(reading.damage()) else "is damaged"
    print(f"qxbatch: {one_line(str(source))} {state}; nothing was written:", file=sys.stderr)
    print("\n".join(f"  {one_line(text)}" for text in reading.damage()), file=sys.stderr)
    if members:
        print(encrypted.hint(members, passwords), file=sys.stderr)
    return int(ExitStatus.FAILED)


def print_nothing_to_split(source: Path, reading: Reading) -> int:
    """Print that a source has nothing to split; return the exit status."""
    members = "1 member" if len(reading) == 1 else f"{len(reading)} members"
    print(f"qxbatch: {one_line(str(source))} contains no DICOM and no PAR/REC ({members}).", file=sys.stderr)
    return int(ExitStatus.FAILED)
