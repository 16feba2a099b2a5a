"""Reads files and pipes that the user names in an option. A named FIFO that no program opens for writing is an error."""

import errno
import os
import stat
import time
from pathlib import Path
from typing import BinaryIO

WRITER_SECONDS = 2.0
"""Seconds to wait for a program that writes to a named FIFO."""
_RETRY_SECONDS = 0.02
_BLOCK_BYTES = 1 << 20


def read_file_or_pipe(path: Path, max_bytes: int) -> bytes:
    """Return the bytes of a file that the user named, or of a pipe, such as `<(command)` in a shell.

    Raises OSError, also if there are more than `max_bytes` bytes, or if no program opens a named FIFO within WRITER_SECONDS.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        first = _first_byte(descriptor, path) if _is_named_fifo(descriptor) else b""
        os.set_blocking(descriptor, True)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = first + _read_blocks(file, max_bytes + 1 - len(first))
    finally:
        os.close(descriptor)
    if len(data) > max_bytes:
        raise OSError(errno.EFBIG, f"has more than {max_bytes} bytes", str(path))
    return data


def _read_blocks(file: BinaryIO, max_bytes: int) -> bytes:
    """Return at most `max_bytes` bytes. A single read would allocate all of them, which `ulimit -v` may not permit."""
    blocks: list[bytes] = []
    while max_bytes and (block := file.read(min(max_bytes, _BLOCK_BYTES))):
        blocks.append(block)
        max_bytes -= len(block)
    return b"".join(blocks)


def _is_named_fifo(descriptor: int) -> bool:
    """Return whether a descriptor is of a FIFO with a path. A pipe of a shell has none: its writer has opened it already."""
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return False
    try:
        return not os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:")  # noqa: PTH115 - no path
    except OSError:
        return True


def _first_byte(descriptor: int, path: Path) -> bytes:
    """Wait until a program writes to a FIFO or has opened it; return its first byte, or nothing if it has not written yet.

    Raises OSError if no program does so within WRITER_SECONDS.
    """
    end = time.monotonic() + WRITER_SECONDS
    while True:
        try:
            first = os.read(descriptor, 1)
        except BlockingIOError:  # a program opened it, and has not written yet
            return b""
        if first:
            return first
        if time.monotonic() > end:
            raise OSError(errno.ENXIO, "no program writes to this FIFO", str(path))
        time.sleep(_RETRY_SECONDS)
