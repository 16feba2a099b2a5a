"""Walks and removes folder trees of any depth.

In Python 3.11, os.walk and shutil.rmtree are recursive and fail at about 1000 levels.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

MAX_DEPTH = 256
"""A packet whose folders are nested deeper is refused."""


def walk(
    top: str | os.PathLike[str], *, topdown: bool = True, onerror: Callable[[OSError], object] | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield (folder, names of folders in it, other names in it), as os.walk does; links are not followed.

    The names of folders include links to folders. Unlike in os.walk, a change of the yielded lists does not change the walk.

    Names are sorted: the order does not depend on the file system. With `topdown` false, a folder comes after those below it.
    A folder that cannot be listed is skipped; `onerror` gets the error.
    """
    waiting = [os.fspath(top)]
    later: list[tuple[str, list[str], list[str]]] = []
    while waiting:
        folder = waiting.pop()
        try:
            folders, files = _list_folder(folder)
        except OSError as error:
            if onerror is not None:
                onerror(error)
            continue
        listing = (folder, folders, files)
        waiting += [os.path.join(folder, name) for name in reversed(folders) if not _is_link(folder, name)]  # noqa: PTH118
        if topdown:
            yield listing
        else:
            later.append(listing)
    yield from reversed(later)


def raise_error(error: OSError) -> None:
    """Raise the error, as `onerror` of `walk`."""
    raise error


def _list_folder(folder: str) -> tuple[list[str], list[str]]:
    """Return the sorted names of the folders in a folder, links to folders included, and of the other entries."""
    folders: list[str] = []
    files: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            (folders if _is_folder(entry) else files).append(entry.name)
    return sorted(folders), sorted(files)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder or leads to one; False for a link that leads to itself, which raises ELOOP."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_link(folder: str, name: str) -> bool:
    return os.path.islink(os.path.join(folder, name))  # noqa: PTH114, PTH118 - a Path for each is slow


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""Flags to open a folder; they refuse a link."""

ShouldRemove = Callable[[tuple[str, ...], os.stat_result], bool]
"""Returns whether to remove a file; gets its path below the folder as a tuple of names, and its status."""


def remove_folder(
    top: str | os.PathLike[str], should_remove: ShouldRemove | None = None, parent: int | None = None
) -> None:
    """Remove a folder and everything below it, also from folders that their owner may not write to.

    With `should_remove`, remove the files for which it returns True, and then the empty folders. With `parent`, the descriptor of
    an open folder, `top` is a name in it. Folders are entered one by one, so neither their depth nor the length of their paths
    matters. Raises OSError, also for a folder on another mount: its files stay.
    """
    name = os.fspath(top)
    with _folder_above(name, parent) as above:
        mount = mount_of(above)
    empty_and_close(_open_accessible(name, parent), name, should_remove=should_remove, mount=mount)
    _rmdir(name, parent, must_be_empty=should_remove is None)


@contextmanager
def _folder_above(name: str, parent: int | None) -> Iterator[int]:
    """Yield a descriptor of the folder that contains `name`: `parent` if it is given. Raises OSError."""
    if parent is not None:
        yield parent
        return
    above = os.open(os.path.dirname(name) or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)  # noqa: PTH120 - also of a long path
    try:
        yield above
    finally:
        os.close(above)


def empty_and_close(
    current: int,
    top: str,
    keep: str | None = None,
    should_remove: ShouldRemove | None = None,
    mount: str | None = None,
) -> None:
    """Remove everything in the folder of a descriptor except its file `keep`, and close the descriptor, also after an error.

    Raises OSError, which names paths below `top`, also for a folder on another mount than `mount` (`mount_of`), by default that of
    the folder. `should_remove` is that of `remove_folder`. Links are not followed. If the folder was moved, a new one at its path
    is not touched.
    """
    names = [top]
    entered: list[tuple[os.stat_result, list[str]]] = []
    """For each folder from the top to the current one: its identity, and the names of folders in it that are not entered yet."""
    mount = mount_of(current) if mount is None else mount
    try:
        _refuse_mount(current, mount)
        entered.append((os.fstat(current), _remove_files(current, (), should_remove, keep)))
        while True:
            remaining = entered[-1][1]
            if remaining:
                names.append(remaining.pop())
                current = _close_and_return(current, _open_accessible(names[-1], current))
                _refuse_mount(current, mount)
                entered.append((os.fstat(current), _remove_files(current, tuple(names[1:]), should_remove)))
                continue
            entered.pop()
            if not entered:
                break
            current = _close_and_return(current, os.open("..", _FOLDER, dir_fd=current))
            if not os.path.samestat(os.fstat(current), entered[-1][0]):
                raise OSError(errno.EBUSY, "was moved while it was removed")  # noqa: TRY301 - with the path of the others
            _rmdir(names.pop(), current, must_be_empty=should_remove is None)
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.path.join(*names)) from error  # noqa: PTH118
    finally:
        os.close(current)


def _refuse_mount(folder: int, mount: str) -> None:
    """Raise OSError if an open folder is not on this mount: what is mounted there may belong to others."""
    if mount_of(folder) != mount:
        raise OSError(errno.EBUSY, "is a mount point")


def _rmdir(name: str, parent: int | None, *, must_be_empty: bool) -> None:
    """Remove an empty folder. Raises OSError; without `must_be_empty`, a folder that is not empty is left and is no error."""
    try:
        os.rmdir(name, dir_fd=parent)
    except OSError as error:
        if must_be_empty or error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def mount_id_line(descriptor: int) -> str:
    """Return the line `mnt_id:` of /proc with the number of the mount that an opened entry is on; empty if /proc is not mounted."""
    try:
        lines = Path("/proc/self/fdinfo", str(descriptor)).read_text("ascii").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("mnt_id:")), "")


def mount_of(folder: int) -> str:
    """Return a text that identifies the mount of an opened folder: `mount_id_line`, else the number of the device."""
    return mount_id_line(folder) or str(os.fstat(folder).st_dev)


def open_folder(folder: str | os.PathLike[str], parent: int | None = None) -> int:
    """Open a folder, and return its descriptor. Raises OSError, also for a link."""
    return os.open(folder, _FOLDER, dir_fd=parent)


@contextmanager
def folder_handle(folder: str | os.PathLike[str], parent: int | None = None) -> Iterator[int]:
    """Yield a descriptor for the status and the permissions of a folder, also of one without permission to read it.

    Raises OSError, also for a link.
    """
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        yield handle
    finally:
        os.close(handle)


def set_mode(handle: int, mode: int) -> None:
    """Change the permissions of the folder of a `folder_handle`, even if it was moved. Raises OSError."""
    place = f"/proc/self/fd/{handle}"
    try:
        os.chmod(place, mode)  # noqa: PTH101 - no path of the folder
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.readlink(place)) from None  # noqa: PTH115


def _open_accessible(name: str, parent: int | None = None) -> int:
    """Open a folder, and give its owner all permissions. Raises OSError, also for a link."""
    try:
        descriptor = os.open(name, _FOLDER, dir_fd=parent)
    except PermissionError:
        with folder_handle(name, parent) as handle:
            set_mode(handle, 0o700)
        descriptor = os.open(name, _FOLDER, dir_fd=parent)
    if os.fstat(descriptor).st_mode & stat.S_IRWXU != stat.S_IRWXU:
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, 0o700)
    return descriptor


def _close_and_return(before: int, after: int) -> int:
    os.close(before)
    return after


def _remove_files(
    folder: int, place: tuple[str, ...], should_remove: ShouldRemove | None, keep: str | None = None
) -> list[str]:
    """Remove the files in an open folder, except `keep` and those for which `should_remove` returns False.

    Return the names of the folders in it. `place` is its path below the top.
    """
    with os.scandir(folder) as scanned:
        entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in scanned]
    for name, is_folder in entries:
        if is_folder or name == keep:
            continue
        if should_remove is None or should_remove((*place, name), os.stat(name, dir_fd=folder, follow_symlinks=False)):
            os.unlink(name, dir_fd=folder)
    return [name for name, is_folder in entries if is_folder]
