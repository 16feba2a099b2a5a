"""Folder mode (`--masterinbox=none`): compares archives (zip, 7z, tar) with the same name, and reads as little as possible."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from qxbatch.core import CancelledError, Monitor, hash_file

END_BYTES = 1 << 20
"""Number of bytes at the start, and at the end, of a file that are compared before the whole file is read."""

ContentKey = tuple[str | int, ...]
"""Equal for archives that have the same name and the same bytes and can be read, and for no others."""


def archive_keys(paths: Iterable[Path], monitor: Monitor, announce: Callable[[int], None]) -> dict[Path, ContentKey]:
    """Return a content key for each archive, in the order of `paths`.

    Only archives with the same name and size are read: both ends, then the whole file if the ends are equal and are not all of it.
    `announce` is called once before whole files are read, with the sum of their bytes, perhaps 0. An archive that cannot be read
    gets a key that no other has.

    Raises CancelledError when the monitor was cancelled.
    """
    sizes = {path: _size(path) for path in paths}
    keys: dict[Path, ContentKey] = {path: (path.name, size) for path, size in sizes.items()}
    keys = _with_longer_keys(keys, lambda path: _hash_of_ends(path, sizes[path], monitor))
    counts = Counter(keys.values())
    whole_files = {path for path, key in keys.items() if counts[key] > 1 and sizes[path] > 2 * END_BYTES}
    announce(sum(sizes[path] for path in whole_files))

    def sha256(path: Path) -> str:
        _bytes, digest = hash_file(os.fspath(path), monitor=monitor)
        return digest

    return _with_longer_keys(keys, lambda path: sha256(path) if path in whole_files else "")


def _with_longer_keys(keys: Mapping[Path, ContentKey], read: Callable[[Path], str]) -> dict[Path, ContentKey]:
    """Return the keys; to each key that several archives have, append what `read` returns for the archive."""
    counts = Counter(keys.values())
    return {path: (*key, _content_or_path(path, read)) if counts[key] > 1 else key for path, key in keys.items()}


def _content_or_path(path: Path, read: Callable[[Path], str]) -> str:
    """Return what `read` returns; for an unreadable file its path, which no other file has."""
    try:
        return read(path)
    except OSError:
        return os.fspath(path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _hash_of_ends(path: Path, size: int, monitor: Monitor) -> str:
    """Return one SHA-256 of the first and the last END_BYTES; no byte is hashed twice. Raises OSError and CancelledError."""
    if monitor.cancelled:
        raise CancelledError
    with path.open("rb") as file:
        digest = hashlib.sha256(file.read(END_BYTES))
        file.seek(max(END_BYTES, size - END_BYTES))
        digest.update(file.read(END_BYTES))
    return digest.hexdigest()
