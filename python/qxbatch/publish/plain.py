"""Paths and files of the hidden folder are only believed while they lead nowhere else."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

LARGEST = 1 << 26
"""Bytes of the largest file of ours that is read at once."""


class LinkError(OSError):
    """A path of ours is a link."""

    def __init__(self, path: Path) -> None:
        reason = "is a link, and what a link leads to is not changed; remove the link"
        super().__init__(errno.ELOOP, reason, str(path))


def refuse_link(path: Path) -> None:
    """Raise LinkError when a path is a link."""
    if path.is_symlink():
        raise LinkError(path)


def open_plain(path: Path) -> BinaryIO | None:
    """Open a file to be read, None when there is none or it is a link or no file. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO):
            return None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")


def read_plain(path: Path) -> bytes | None:
    """Return the content of a file, None when there is none or it is a link or no file. Raises OSError."""
    file = open_plain(path)
    if file is None:
        return None
    with file:
        return file.read(LARGEST)


def is_plain_name(name: object) -> bool:
    """Return whether something is a name of one file or folder, and leads nowhere else."""
    return isinstance(name, str) and name not in ("", ".", "..") and "/" not in name and "\0" not in name


def is_below(path: Path, top: Path) -> bool:
    """Return whether a path is below a folder, and no folder between the two is a link or `..`."""
    if not path.is_relative_to(top) or ".." in path.parts:
        return False
    between = [parent for parent in path.parents if parent.is_relative_to(top) and parent != top]
    return path != top and not any(parent.is_symlink() for parent in between)
