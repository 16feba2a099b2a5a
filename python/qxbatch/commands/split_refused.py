"""Why a source is not split, or not completely."""

import sys
from collections.abc import Sequence
from pathlib import Path

from qxbatch.commands.reading_limits import ReadingLimits, unopened_archives
from qxbatch.core import Reading, sniff
from qxbatch.counted import counted
from qxbatch.discover.unsupported_archives import UNOPENED
from qxbatch.exits import ExitStatus
from qxbatch.ingest import encrypted
from qxbatch.ingest.limit_refusals import LIMIT_PHRASE
from qxbatch.os_error import access_hint, reason_text
from qxbatch.problems import UsageError
from qxbatch.session.contents import why_unreadable
from qxbatch.settings.model import Passwords
from qxbatch.visible import one_line


def need_readable(source: Path) -> None:
    """Raise UsageError if a source does not exist or cannot be read."""
    hint = "Name a folder or an archive."
    if not source.exists():
        raise UsageError(f"{source} does not exist.", hint)
    if not (source.is_dir() or source.is_file()):
        raise UsageError(f"{source} cannot be read: it is neither a file nor a folder.", hint)
    reason = _why_not_read(source)
    if reason:
        raise UsageError(f"{source} cannot be read: {reason}.", access_hint(source))


def _why_not_read(source: Path) -> str:
    """Return why a folder or a file cannot be read; empty if it can."""
    if source.is_dir():
        return why_unreadable(source)
    try:
        sniff(str(source))
    except OSError as error:
        return reason_text(error, source)
    return ""


def print_refusal(source: Path, reading: Reading, passwords: Passwords | None, limits: ReadingLimits) -> int:
    """Print why a source that is damaged, encrypted or above a limit is not split; return the exit status."""
    encryption_reasons, damage = encrypted.encryption_reasons(reading), reading.damage()
    state = "is damaged"
    if len(encryption_reasons) == len(damage):  # encryption is the only reason
        state = "cannot be opened"
    elif all(LIMIT_PHRASE in text for text in damage):  # each reason names a limit
        state = "cannot be opened, though it may be sound"
    _print_reasons(source, f"{state}; nothing was written:", damage)
    for hint in filter(None, (encrypted.hint(encryption_reasons, passwords), limits.hint(str(source), damage))):
        print(hint, file=sys.stderr)
    return int(ExitStatus.FAILED)


def print_unopened(source: Path, reading: Reading, limits: ReadingLimits) -> None:
    """Print which archives in a source that was split were not opened because of a limit."""
    archives = unopened_archives(reading)
    if archives:
        _print_reasons(
            source, "contains archives that were not opened; they may contain images of other studies:", archives
        )
        print(limits.hint(str(source), archives), file=sys.stderr)


def _print_reasons(source: Path, message: str, reasons: Sequence[str]) -> None:
    """Print a message about a source, with the reasons."""
    print(f"qxbatch: {one_line(str(source))} {message}", file=sys.stderr)
    print("\n".join(f"  {one_line(text)}" for text in reasons), file=sys.stderr)


def print_nothing_to_split(source: Path, reading: Reading) -> int:
    """Print that a source has nothing to split, or is an archive of an unsupported kind; return the exit status."""
    kind = "folder" if source.is_dir() else sniff(str(source))
    if kind in UNOPENED:
        state = f"is {UNOPENED[kind].title}, which qxbatch does not open"
    else:
        state = f"contains no DICOM and no PAR/REC ({counted(len(reading), 'member')})"
    print(f"qxbatch: {one_line(str(source))} {state}.", file=sys.stderr)
    return int(ExitStatus.FAILED)
