"""Brings the bytes of a file into the data set's staging: as a reflink, a hard link, a copy or a symbolic link."""

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from qxbatch.bids.files.sources import Source, SourceError
from qxbatch.core import hash_file
from qxbatch.os_error import reason_text

_FICLONE = 0x40049409
"""From linux/fs.h."""
_CANNOT_LINK = (errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL, errno.ENOTTY)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Link(StrEnum):
    """How images get into the data set."""

    AUTO = "auto"
    """A reflink where the file system has them, else a copy: an edit never reaches the session."""
    REFLINK = "reflink"
    HARD = "hard"
    COPY = "copy"
    SYMLINK = "symlink"


class LinkRefusedError(Exception):
    """The file system has no such links."""


def place(source: Source, target: Path, link: Link) -> None:
    """Make the new file `target`. Raises SourceError, LinkRefusedError, and OSError where the target cannot be written."""
    if link is Link.HARD:
        _hard(source.path, target)
    elif link is Link.SYMLINK:
        raise ValueError("a symbolic link is made in its place")
    elif link is Link.COPY or not _reflinked(source.path, target, required=link is Link.REFLINK):
        _copied(source, target)


def _hard(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in _CANNOT_LINK:
            raise LinkRefusedError(_refused("hard links", source, error)) from None
        if error.errno == errno.ENOENT and not source.exists():
            raise SourceError(f"{source} cannot be read: {reason_text(error, source)}") from None
        raise


def _refused(kind: str, source: Path, error: OSError) -> str:
    return f"{source} cannot be placed by {kind}: {reason_text(error)}"


def _reflinked(source: Path, target: Path, *, required: bool) -> bool:
    """Clone a file; False, with nothing left, where the file system cannot."""
    with _opened(source) as given, target.open("xb") as made:
        try:
            fcntl.ioctl(made.fileno(), _FICLONE, given)
        except OSError as error:
            refused = error
        else:
            return True
    target.unlink()
    if refused.errno in _FULL:
        raise OSError(refused.errno, refused.strerror, str(target))
    if required:
        raise LinkRefusedError(_refused("reflinks", source, refused))
    return False


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[int]:
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(f"{source} cannot be read: {reason_text(error, source)}") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _copied(source: Source, target: Path) -> None:
    """Copy a file, and compare the copy's hash with that of the session."""
    with _opened(source.path) as given, target.open("xb") as made:
        try:
            with os.fdopen(os.dup(given), "rb") as file:
                shutil.copyfileobj(file, made, 1 << 20)
        except OSError as error:
            if error.errno in _FULL:
                raise OSError(error.errno, error.strerror, str(target)) from None
            raise SourceError(f"{source.path} cannot be read: {reason_text(error)}") from None
    if hash_file(str(target)) != (source.size, source.sha256):
        raise SourceError(
            f"{source.path} changed while it was copied, or is not as its summary says; see `qxbatch verify`"
        )


def symbolic_target(source: Path, path: Path) -> str:
    """Return what a symbolic link under `path` has to say, relative to its folder."""
    return os.path.relpath(source, path.parent)
