"""New text files that are on disk when they are closed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def created(path: Path) -> Iterator[TextIO]:
    """Open a new UTF-8 text file with plain line ends; on disk when the block ends."""
    with path.open("x", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
