"""Opens, creates and removes folders below the sessions folder.

Each folder is opened from its parent's descriptor, and links are refused. So a folder that is replaced by a link meanwhile
leads nowhere else.
"""

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from qxbatch.publish.open_folders import OpenFolder, open_in, opened_folder, opened_in

_TRIES = 20
_IGNORED_ERRORS = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR)
"""Errors of the removal of an empty folder that are ignored: it is not empty, missing or not a folder."""


def open_below(folder: Path, top: Path, *, create: bool = False) -> int:
    """Return the descriptor of a folder below `top`; the caller closes it. With `create`, missing folders are created.

    Raises OSError, and LinkError if the folder, or a folder between it and `top`, is a link.
    """
    with opened_folder(top) as start:
        return open_in(start, _parts_below(folder, top), create=create)


@contextmanager
def opened_below(folder: Path, top: Path, *, create: bool = False) -> Iterator[OpenFolder]:
    """Open a folder for a `with` block as `open_below` does. Raises OSError, LinkError."""
    with opened_folder(top) as start, opened_in(start, _parts_below(folder, top), create=create) as inner:
        yield inner


def _parts_below(path: Path, top: Path) -> tuple[str, ...]:
    """Return the parts of a path below `top`. Raises OSError if one of them is `..`, which can lead out of `top`."""
    parts = path.relative_to(top).parts
    if ".." in parts:
        raise OSError(errno.EINVAL, "contains `..`", str(path))
    return parts


def write_below(folder: Path, top: Path, write: Callable[[Path], None]) -> None:
    """Open a folder, and pass its `OpenFolder.descriptor_path` to a function that writes files there.

    Missing folders are created. If another run removes an empty one meanwhile, both steps are repeated. Raises OSError, LinkError.
    """
    for _ in range(_TRIES):
        with contextlib.suppress(FileNotFoundError):
            _write_in(folder, top, write)
            return
    _write_in(folder, top, write)


def _write_in(folder: Path, top: Path, write: Callable[[Path], None]) -> None:
    with opened_below(folder, top, create=True) as opened:
        write(opened.descriptor_path)


@contextmanager
def temporary_folder_below(path: Path, top: Path) -> Iterator[Path]:
    """Create an empty folder for the `with` block; yield its `OpenFolder.descriptor_path`; remove the folder at the end.

    A file or folder that already has this name is removed first. Raises OSError, LinkError.
    """
    remove_below(path, top)
    try:
        with opened_below(path, top, create=True) as folder:
            yield folder.descriptor_path
    finally:
        remove_below(path, top)


def remove_below(path: Path, top: Path) -> None:
    """Remove a file, a link, or a folder with its content, if it exists. Raises OSError, LinkError.

    The removal of a folder is retried: a leftover program may still write to it.
    """
    _parts_below(path, top)
    with contextlib.suppress(FileNotFoundError), opened_below(path.parent, top) as parent:
        if not stat.S_ISDIR(os.stat(path.name, dir_fd=parent.descriptor, follow_symlinks=False).st_mode):
            os.unlink(path.name, dir_fd=parent.descriptor)
            return
        retry(lambda: parent.remove(path.name))


def retry(step: Callable[[], None]) -> None:
    """Call a step until it succeeds, at most 21 times. Raises the OSError of the last call."""
    for k in range(_TRIES):
        with contextlib.suppress(OSError):
            step()
            return
        time.sleep(0.002 * k)
    step()


def remove_empty_below(folder: Path, top: Path) -> None:
    """Remove a folder if it exists and is empty. Raises OSError, LinkError."""
    try:
        with opened_below(folder.parent, top) as parent:
            os.rmdir(folder.name, dir_fd=parent.descriptor)
    except OSError as error:
        if error.errno not in _IGNORED_ERRORS:
            raise
