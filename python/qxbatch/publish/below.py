"""Removes folders below the sessions folder by descriptors: a path that becomes a link meanwhile leads nowhere else."""

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from qxbatch.publish.plain import LinkError
from qxbatch.walk import open_folder, remove

_TRIES = 20
_NOT_REMOVED = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR)


def open_below(folder: Path, top: Path) -> int:
    """Return the descriptor of a folder below `top`, which is reached without a link. Raises OSError, LinkError for a link."""
    place, descriptor = top, os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for name in folder.relative_to(top).parts:
        place /= name
        try:
            inner = open_folder(name, descriptor)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR) and place.is_symlink():
                raise LinkError(place) from None
            raise OSError(error.errno, error.strerror, str(place)) from error
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


@contextmanager
def entered(folder: Path, top: Path) -> Iterator[int]:
    """Yield the descriptor of `open_below`. Raises OSError, LinkError."""
    descriptor = open_below(folder, top)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def remove_below(path: Path, top: Path) -> None:
    """Remove a file, a link, or a folder with its content; nothing if it is missing. Raises OSError, LinkError.

    If a file appears meanwhile (a leftover program still writes), the next attempt removes it.
    """
    with contextlib.suppress(FileNotFoundError), entered(path.parent, top) as parent:
        if not stat.S_ISDIR(os.stat(path.name, dir_fd=parent, follow_symlinks=False).st_mode):
            os.unlink(path.name, dir_fd=parent)
            return
        repeated(lambda: remove(path.name, parent=parent))


def repeated(step: Callable[[], None]) -> None:
    """Call a removal until it succeeds. Raises the OSError of the last call."""
    for k in range(_TRIES):
        with contextlib.suppress(OSError):
            step()
            return
        time.sleep(0.002 * k)
    step()


def remove_empty_below(folder: Path, top: Path) -> None:
    """Remove a folder if it is empty. Raises OSError, LinkError."""
    try:
        with entered(folder.parent, top) as parent:
            os.rmdir(folder.name, dir_fd=parent)
    except OSError as error:
        if error.errno not in _NOT_REMOVED:
            raise
