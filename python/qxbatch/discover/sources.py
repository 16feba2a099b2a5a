"""What lies in a session's own inbox: archives, which obey `archive`, and loose files, which move into the session."""

import bz2
import gzip
import lzma
import os
from dataclasses import dataclass
from pathlib import Path

from qxbatch.discover.listing import Sniff, core_sniff, names_in

_COMPRESSED = ("gzip", "bzip2", "xz")
_BLOCK = 512
"""A tar's first header is one block."""


@dataclass(frozen=True)
class Sources:
    """The data of one session in folder mode, sorted by name."""

    archives: tuple[Path, ...]
    loose: tuple[Path, ...]
    """Files and folders; files at any depth below them."""


def session_sources(inbox: Path, sniff: Sniff = core_sniff) -> Sources:
    """Part what lies in `<session>/inbox` into archives and loose things."""
    paths = [inbox / name for name in names_in(inbox)]
    archives = [path for path in paths if path.is_file() and is_archive(path, sniff)]
    return Sources(tuple(archives), tuple(path for path in paths if path not in set(archives)))


def is_archive(path: Path, sniff: Sniff = core_sniff) -> bool:
    """Whether a file holds other files: a single DICOM file that is compressed does not."""
    kind = sniff(os.fspath(path))
    if kind in ("zip", "tar"):
        return True
    if kind in _COMPRESSED:
        return _holds_tar(path, kind)
    return kind in ("zstd", "compress")


def _holds_tar(path: Path, kind: str) -> bool:
    """Whether the unpacked bytes begin as a tar; what cannot be unpacked counts as an archive, judged when read."""
    try:
        with _unpacked(path, kind) as file:
            return looks_like_tar(file.read(_BLOCK))
    except (OSError, EOFError, lzma.LZMAError):
        return True


def _unpacked(path: Path, kind: str) -> gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile:
    if kind == "gzip":
        return gzip.GzipFile(path)
    return bz2.BZ2File(path) if kind == "bzip2" else lzma.LZMAFile(path)


def looks_like_tar(block: bytes) -> bool:
    """A tar header is known by its checksum: the sum of its bytes, the checksum itself read as spaces (POSIX ustar).

    Old archives have no `ustar` mark, so the mark is not asked for.
    """
    if len(block) < _BLOCK:
        return False
    field = block[148:156].strip(b" \0")
    if not field or not all(digit in b"01234567" for digit in field):
        return False
    return sum(block[:148]) + 8 * ord(" ") + sum(block[156:]) == int(field, 8)
