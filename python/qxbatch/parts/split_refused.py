"""Why a source is not split."""

import sys
from pathlib import Path

from qxbatch.core import Reading
from qxbatch.exits import ExitStatus
from qxbatch.ingest import encrypted
from qxbatch.report.before import show
from qxbatch.settings.model import Passwords


def refused(source: Path, reading: Reading, passwords: Passwords | None) -> int:
    """Print why a damaged or encrypted source is not split; return the exit status."""
    closed = encrypted.refused_as_encrypted(reading)
    state = "cannot be opened" if len(closed) == len(reading.damage()) else "is damaged"
    print(f"qxbatch: {show(str(source))} {state}, nothing was made of it:", file=sys.stderr)
    print("\n".join(f"  {show(text)}" for text in reading.damage()), file=sys.stderr)
    if closed:
        print(encrypted.hint(closed, passwords), file=sys.stderr)
    return int(ExitStatus.FAILED)
