"""Removes folders below the sessions folder by descriptors: a path that becomes a link meanwhile leads nowhere else."""

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from qxbatch.publish.opened import OpenFolder, open_in, opened, opened_in
from qxbatch.walk import remove

_TRIES = 20
_NOT_REMOVED = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR)


def open_below(folder: Path, top: Path, *, create: bool = False) -> int:
    """Return the descriptor of a folder below `top`; no folder between them may be a link. With `create`, missing ones are made.

    Raises OSError, LinkError.
    """
    with opened(top) as start:
        return open_in(start, folder.relative_to(top).parts, create=create)


@contextmanager
def entered(folder: Path, top: Path, *, create: bool = False) -> Iterator[OpenFolder]:
    """Open a folder as `open_below` does. Raises OSError, LinkError."""
    with opened(top) as start, opened_in(start, folder.relative_to(top).parts, create=create) as inner:
        yield inner


@contextmanager
def new_folder_below(path: Path, top: Path) -> Iterator[Path]:
    """Make an empty folder, yield a short path that always leads to it, and remove it with its content.

    What had its name before is removed. Raises OSError, LinkError.
    """
    remove_below(path, top)
    try:
        with entered(path, top, create=True) as folder:
            yield folder.short_path
    finally:
        remove_below(path, top)


def remove_below(path: Path, top: Path) -> None:
    """Remove a file, a link, or a folder with its content; nothing if it is missing. Raises OSError, LinkError.

    If a file appears meanwhile (a leftover program still writes), the next attempt removes it.
    """
    with contextlib.suppress(FileNotFoundError), entered(path.parent, top) as parent:
        if not stat.S_ISDIR(os.stat(path.name, dir_fd=parent.descriptor, follow_symlinks=False).st_mode):
            os.unlink(path.name, dir_fd=parent.descriptor)
            return
        repeated(lambda: remove(path.name, parent=parent.descriptor))


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
            os.rmdir(folder.name, dir_fd=parent.descriptor)
    except OSError as error:
        if error.errno not in _NOT_REMOVED:
            raise
