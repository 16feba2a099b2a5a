"""Why a source is not split."""

import sys
from pathlib import Path

from qxbatch.core import Reading
from qxbatch.exits import ExitStatus
from qxbatch.ingest import encrypted
from qxbatch.settings.model import Passwords
from qxbatch.visible import one_line


def refused(source: Path, reading: Reading, passwords: Passwords | None) -> int:
    """Print why a damaged or encrypted source is not split; return the exit status."""
    closed = encrypted.refused_as_encrypted(reading)
    state = "cannot be opened" if len(closed) == len(reading.damage()) else "is damaged"
    print(f"qxbatch: {one_line(str(source))} {state}, nothing was made of it:", file=sys.stderr)
    print("\n".join(f"  {one_line(text)}" for text in reading.damage()), file=sys.stderr)
    if closed:
        print(encrypted.hint(closed, passwords), file=sys.stderr)
    return int(ExitStatus.FAILED)
