"""Creates text files, which are synced when they are closed, and reads those that other programs may have written."""

import errno
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@contextmanager
def naming_path(path: Path) -> Iterator[None]:
    """Add `path` to an OSError of the block that has no path, such as that of a write to a full file system."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def create_text(path: Path, mode: int = 0o666) -> Iterator[TextIO]:
    """Open a new UTF-8 text file with plain line ends; it is synced to disk when the block ends.

    The umask removes permissions from `mode`. Raises OSError, which has the path of the file, also if the file exists.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with (
        naming_path(path),
        os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file,
    ):
        yield file
        file.flush()
        os.fsync(file.fileno())


def open_without_waiting(path: str, flags: int) -> int:
    """Open a file for writing; can be passed to `open` as `opener`. Raises OSError at once for a FIFO without a reader."""
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "no program reads this FIFO", path) from None
        raise
    os.set_blocking(descriptor, True)
    return descriptor


MOST_BYTES = 1 << 30
"""Maximum bytes of a file that is read, such as a record of a session or a study, if the caller gives no other maximum."""


@contextmanager
def open_text(
    path: Path,
    errors: str = "surrogateescape",
    max_bytes: int = MOST_BYTES,
    on_read: Callable[[memoryview], object] | None = None,
) -> Iterator[TextIO]:
    """Open a UTF-8 text file for reading, with plain line ends.

    `on_read` gets all bytes of a text that is read by lines, or by `read` with a size. It gets none from a `read` without a size.

    Raises OSError at once for a FIFO, device or folder of that name, and for a file of more than `max_bytes` bytes.
    """
    source = io.BufferedReader(_File(_open_regular(path, max_bytes), on_read))
    with io.TextIOWrapper(source, encoding="utf-8", errors=errors, newline="\n") as file:
        yield file


class _File(io.FileIO):
    """An open file that passes the bytes of each `readinto` to `on_read`; `readall` does not call it."""

    def __init__(self, descriptor: int, on_read: Callable[[memoryview], object] | None) -> None:
        super().__init__(descriptor)
        self._on_read = on_read

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        count = super().readinto(buffer)
        if self._on_read is not None and count:
            self._on_read(memoryview(buffer).cast("B")[:count])
        return count


_MOST_GROWTH = 1 << 20
"""Bytes by which a file may grow while `read_bytes` reads it; what is written after them is not read."""


def read_bytes(path: Path, max_bytes: int = MOST_BYTES) -> bytes:
    """Return the bytes of a file that is no link. Raises OSError as `open_text` does, and for links.

    If the file grows meanwhile, its end can be missing (_MOST_GROWTH).
    """
    with os.fdopen(_open_regular(path, max_bytes, os.O_NOFOLLOW), "rb") as file:
        # a read allocates all bytes that it may return: more than a limit of the address space (`ulimit -v`) may permit
        return file.read(min(max_bytes, os.fstat(file.fileno()).st_size + _MOST_GROWTH))


def _open_regular(path: Path, max_bytes: int, flags: int = 0) -> int:
    """Return the descriptor of a regular file of at most `max_bytes` bytes, opened for reading. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    refusal = _refusal(path, os.fstat(descriptor), max_bytes)
    if refusal is not None:
        os.close(descriptor)
        raise refusal
    return descriptor


def _refusal(path: Path, status: os.stat_result, max_bytes: int) -> OSError | None:
    if stat.S_ISDIR(status.st_mode):
        return OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        return OSError(errno.EINVAL, "is not a regular file", str(path))
    if status.st_size > max_bytes:
        return OSError(errno.EFBIG, f"has more than {max_bytes} bytes", str(path))
    return None


def read_text(path: Path, errors: str = "surrogateescape", max_bytes: int = MOST_BYTES) -> str:
    """Return the text of a file. Raises OSError as `open_text` does, and UnicodeDecodeError with the errors "strict"."""
    with open_text(path, errors, max_bytes) as file:
        return file.read()
