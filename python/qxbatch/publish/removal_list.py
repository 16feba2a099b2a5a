"""Reads the list of files that leave the inbox in folder mode (`--masterinbox=none`); each reading gives the same lines."""

import errno
import os
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from qxbatch.ledger_cells import member_path
from qxbatch.publish.plain_files import open_plain

LONGEST_LIST = 1 << 30
"""Bytes of a list that another run wrote; a longer one is refused."""
LONGEST_LINE = 1 << 16
"""A line with this number of bytes, or more, is refused. A listed path has at most 4096 bytes before it is escaped."""
_BLOCK = 1 << 20


class ListedFile(NamedTuple):
    """A file that leaves the inbox, since a session contains its bytes."""

    path: Path
    """Path below the inbox."""
    size: int
    mtime_ns: int
    sha256: str


class RemovalList:
    """The list of files that leave an inbox: its content, or the path of a list that another run wrote.

    Other users may change or replace that file. So its blocks are hashed once, and each later reading compares a block before
    it yields lines of it. A list that is missing, or is not a regular file, has no lines.
    """

    def __init__(self, source: bytes | Path) -> None:
        """Raises OSError, and ValueError for a list that is too long."""
        self._source = source
        self._digests = [] if isinstance(source, bytes) else [_digest(block) for block in _blocks(source)]

    def files(self) -> Iterator[ListedFile]:
        """Yield the files. Raises OSError, also if the list changed since it was hashed, and ValueError if it is damaged."""
        partial_line = b""
        for block in self._known_blocks():
            *lines, partial_line = (partial_line + block).split(b"\n")
            for line in lines:
                yield _listed_file(line)
            _check_length(partial_line)
        if partial_line:
            raise ValueError("the list of files that leave the inbox has a line without an end")

    def _known_blocks(self) -> Iterator[bytes]:
        """Yield the blocks of the list, each after a comparison with its hash. Raises OSError."""
        source = self._source
        if isinstance(source, bytes):
            yield from (source[start : start + _BLOCK] for start in range(0, len(source), _BLOCK))
            return
        for block, digest in zip_longest(_blocks(source), self._digests, fillvalue=b""):
            if _digest(block) != digest:
                raise OSError(
                    errno.ESTALE, "the list of files that leave the inbox changed while it was read", str(source)
                )
            yield block


def _digest(block: bytes) -> bytes:
    import hashlib

    return hashlib.sha256(block).digest()


def _blocks(path: Path) -> Iterator[bytes]:
    file = open_plain(path)
    if file is None:
        return
    with file:
        if os.fstat(file.fileno()).st_size > LONGEST_LIST:
            raise ValueError(f"{path} has more than {LONGEST_LIST} bytes")
        while block := file.read(_BLOCK):
            yield block


def _check_length(line: bytes) -> None:
    if len(line) >= LONGEST_LINE:
        raise ValueError(f"the list of files that leave the inbox has a line of {LONGEST_LINE} bytes or more")


def _listed_file(line: bytes) -> ListedFile:
    _check_length(line)
    size, mtime, digest, name = line.decode("utf-8").split("\t")
    return ListedFile(member_path(name), int(size), int(mtime), digest)
