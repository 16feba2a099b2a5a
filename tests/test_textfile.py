"""Reading of files that other programs may have written."""

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.textfile import read_bytes, read_text


def descriptors() -> list[str]:
    """Return the open descriptors of this process."""
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("read", [read_text, read_bytes])
def test_a_refused_file_is_closed(read: Callable[[Path], object], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        before = descriptors()
        with pytest.raises(OSError, match=r"is not a regular file|Is a directory"):
            read(path)
        assert descriptors() == before


def test_a_small_file_needs_little_memory(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"x" * 100)
    tracemalloc.start()
    try:
        assert read_bytes(tmp_path / "small") == b"x" * 100
        assert tracemalloc.get_traced_memory()[1] < 8 << 20  # the peak in bytes
    finally:
        tracemalloc.stop()
