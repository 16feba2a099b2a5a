"""Places a file in the staging folder of the data set: as a reflink, a hard link or a copy."""

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from qxbatch.bids.files.file_hash import file_hash
from qxbatch.bids.files.sources import Source, SourceError
from qxbatch.os_error import reason_text
from qxbatch.visible import shell_word

_FICLONE = 0x40049409
"""Number of the ioctl that clones a file (linux/fs.h)."""
_CANNOT_LINK = (errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL, errno.ENOTTY)
"""Errors that say that a file cannot get a hard link at the target."""
_CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Errors of the target, not of the source: the file system is full or read-only, or a quota is used up."""


class LinkMode(StrEnum):
    """How images get into the data set: `--link`."""

    AUTO = "auto"
    """A reflink where the file system supports it, else a copy: an edit never changes the session."""
    REFLINK = "reflink"
    """A reflink; an error where the file system does not support it."""
    HARD = "hard"
    """A hard link: an edit also changes the session."""
    COPY = "copy"
    SYMLINK = "symlink"


class LinkRefusedError(Exception):
    """The file system does not support the requested kind of link."""


def place(source: Source, target: Path, link: LinkMode) -> os.stat_result:
    """Create the file `target` with the content of a source, and compare it with size and hash; `link` is not SYMLINK.

    Return the status of the target before the comparison.

    Raises SourceError, LinkRefusedError, and OSError where the target cannot be written.
    """
    if link is LinkMode.HARD:
        _hard_link(source.path, target)
    elif link is LinkMode.SYMLINK:
        raise ValueError("symbolic links are created without a copy")
    elif link is LinkMode.COPY or not _reflink(source.path, target, required=link is LinkMode.REFLINK):
        _copy(source.path, target)
    status = target.stat()
    _compare(source, target)
    return status


def _hard_link(source: Path, target: Path) -> None:
    """Create a hard link. Raises SourceError, LinkRefusedError and OSError."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in _CANNOT_LINK:
            raise LinkRefusedError(_refusal_text("hard links", source, error)) from None
        if error.errno == errno.ENOENT and not source.exists():
            raise SourceError(f"{source} cannot be read: {reason_text(error, source)}") from None
        raise


def _refusal_text(kind: str, source: Path, error: OSError) -> str:
    return f"{source} cannot be placed by {kind}: {reason_text(error)}"


def _reflink(source: Path, target: Path, *, required: bool) -> bool:
    """Clone a file. Returns False, without a target, if the file system cannot clone.

    Raises SourceError, OSError, and with `required` LinkRefusedError instead of returning False.
    """
    with _open_source(source) as descriptor, target.open("xb") as clone:
        try:
            fcntl.ioctl(clone.fileno(), _FICLONE, descriptor)
        except OSError as error:
            clone_error = error
        else:
            return True
    target.unlink()
    if clone_error.errno in _CANNOT_WRITE:
        raise OSError(clone_error.errno, clone_error.strerror, str(target))
    if required:
        raise LinkRefusedError(_refusal_text("reflinks", source, clone_error))
    return False


@contextlib.contextmanager
def _open_source(source: Path) -> Iterator[int]:
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(f"{source} cannot be read: {reason_text(error, source)}") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _copy(source: Path, target: Path) -> None:
    """Copy a file. Raises SourceError and OSError."""
    with _open_source(source) as descriptor, target.open("xb") as copy:
        try:
            with os.fdopen(os.dup(descriptor), "rb") as file:
                shutil.copyfileobj(file, copy, 1 << 20)
        except OSError as error:
            if error.errno in _CANNOT_WRITE:
                raise OSError(error.errno, error.strerror, str(target)) from None
            raise SourceError(f"{source} cannot be read: {reason_text(error)}") from None


def _compare(source: Source, target: Path) -> None:
    """Compare size and hash of a new file with those of its source. Raises SourceError.

    A link is compared, too: the source can have changed since its hash was computed, and the summary can have another hash.
    """
    try:
        is_same = target.stat().st_size == source.size and file_hash(target) == source.sha256
    except OSError as error:
        raise SourceError(f"{source.path} cannot be read: {reason_text(error)}") from None
    if not is_same:
        raise SourceError(
            f"{source.path} changed while it was placed, or differs from its summary; check it with `qxbatch verify`. "
            f"If it is right, give it a new time (`touch {shell_word(str(source.path))}`) and run again"
        )


def symbolic_target(source: Path, path: Path) -> str:
    """Return the target of a symbolic link at `path`, relative to the folder of `path`."""
    return os.path.relpath(source, path.parent)
