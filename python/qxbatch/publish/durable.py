"""Writing so that a crash leaves the old or the new, never a half."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to disk. File systems that cannot sync a folder keep its entries by themselves."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


_NO_SYNC = (errno.EINVAL, errno.ENOTSUP)  # some network file systems have no fsync for folders


def sync_tree(top: Path) -> None:
    """Bring all files and folders below `top` to disk, the folders after what they hold."""
    for folder, _, files in os.walk(top, topdown=False):
        for name in files:
            descriptor = os.open(Path(folder, name), os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(Path(folder))


def write_json(path: Path, content: object) -> None:
    """Write JSON under a temporary name, sync it, and rename it into place."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


@contextmanager
def created(path: Path) -> Iterator[TextIO]:
    """Open a new UTF-8 text file with plain line ends; on disk when the block ends."""
    with path.open("x", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
