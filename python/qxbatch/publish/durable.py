"""Atomic, durable writes: after a crash, the old or the new content exists, never a part."""

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from qxbatch.discover.own_names import HiddenKind, hidden_name
from qxbatch.publish.plain_files import clear_path
from qxbatch.textfile import create_text
from qxbatch.walk import remove_folder, walk

NO_RUN = "0" * 16
"""Tag in a hidden name that belongs to no run."""
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP)
"""Errors if the file system has no fsync for folders."""
_NO_LINK = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL)
"""Errors if the file system has no hard links, or does not allow one for this file."""
_AT_FDCWD, _NOREPLACE, _EXCHANGE = -100, 1, 2
"""From fcntl.h and linux/fs.h."""
_NAME_IN_USE = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)
"""Errors of the renaming of a folder if the new name is in use."""
_TRIES = 20


def sync_folder(folder: Path) -> None:
    """Sync the entries of a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync_entries(descriptor)
    finally:
        os.close(descriptor)


def sync_entries(folder: int) -> None:
    """Sync the entries of an opened folder; do nothing on a file system that has no fsync for folders."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def sync_file(path: Path) -> None:
    """Sync the bytes of a file."""
    sync_and_close(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK))  # O_NONBLOCK: a FIFO is not waited for


def sync_and_close(descriptor: int) -> None:
    """Sync the bytes of an open file, and close it."""
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(top: Path) -> None:
    """Sync all files and folders below `top`, each folder after its content. Links are synced as entries of their folder.

    Files that this user may not read are left out: this run cannot have written them.
    """
    for folder, _, files in walk(top, topdown=False):
        for name in files:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                with contextlib.suppress(PermissionError):
                    sync_file(path)
        sync_folder(Path(folder))


def sync_folder_and_parents(folder: Path, top: Path) -> None:
    """Sync the entries of a folder, and those of its parents up to `top`."""
    while True:
        sync_folder(folder)
        if folder in (top, folder.parent):
            return
        folder = folder.parent


def write_new_json(path: Path, temporary: Path, content: object) -> None:
    """Write JSON under a temporary name, sync it, and rename it into place. Raises FileExistsError, OSError."""
    _write_json(temporary, content)
    try:
        rename_noreplace(temporary, path)
    except FileExistsError:
        temporary.unlink()
        raise
    sync_folder(path.parent)


def write_json(path: Path, content: object, mode: int = 0o666, visible_path: Path | None = None) -> None:
    """Write JSON under a temporary name, sync it, and rename it into place; replaces a file or an empty folder.

    The umask removes permissions from `mode`. `visible_path`: as in `clear_path`. Raises OSError.
    """
    temporary = path.with_name(path.name + ".new")
    _write_json(temporary, content, mode, (visible_path or path).with_name(temporary.name))
    if path.is_dir():
        clear_path(path, visible_path)
    temporary.replace(path)
    sync_folder(path.parent)


def _write_json(path: Path, content: object, mode: int = 0o666, visible_path: Path | None = None) -> None:
    """Write a new file, and sync it. A link, file or empty folder that has its name is removed first, never written to."""
    import json

    clear_path(path, visible_path)
    with create_text(path, mode) as file:
        json.dump(content, file, indent=1, sort_keys=True)


def replace_text(
    path: Path,
    text: str,
    tag: str = NO_RUN,
    mode: int = 0o666,
    *,
    is_new: bool = False,
    before_rename: Callable[[], None] | None = None,
) -> None:
    """Write a text file, or replace one by a new text: write under a hidden name, sync, and rename into place. Raises OSError.

    If several processes may write the same file at once, each needs a different `tag` (16 hex digits). With `is_new`, nothing is
    replaced: raises FileExistsError if something has the path by then. `before_rename` is called right before the rename; if it
    raises an exception, nothing is replaced.
    """
    temporary = path.with_name(hidden_name(HiddenKind.COPY, tag, path.name))
    temporary.unlink(missing_ok=True)
    try:
        with create_text(temporary, mode) as file:
            file.write(text)
        if before_rename is not None:
            before_rename()
        try:
            if is_new:
                rename_noreplace(temporary, path)
            else:
                temporary.replace(path)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def rename_noreplace(source: Path, target: Path, *, others_may_write_source: bool = False) -> None:
    """Rename a file or folder to an unused name, and replace nothing; `others_may_write_source` as in `rename_noreplace_at`.

    Raises FileExistsError when the name is in use, and OSError.
    """
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    rename_noreplace_at(
        None, os.fspath(source), None, os.fspath(target), others_may_write_source=others_may_write_source
    )


def rename_noreplace_at(
    source_folder: int | None,
    name: str,
    target_folder: int | None,
    new_name: str,
    *,
    others_may_write_source: bool = False,
) -> None:
    """Rename as `rename_noreplace` does, without its first check of the new name.

    Each name is relative to the descriptor of its folder; if that is None, it is a path.

    - A folder is renamed. If something has the new name by then, it is replaced only if it is an empty folder.
    - A file gets the new name as a hard link, which never replaces another file, and loses the old name. If a run is killed
      between the two steps, the file has both names.
    - On a file system without hard links, a file is renamed by renameat2, which does not replace another file either. If that is
      not supported, the new name is checked right before the rename; a file that appears after this check is replaced.

    `others_may_write_source`: other programs may save another file under the old name. Then renameat2, which renames in one
    step, is tried first. If a hard link is made, a file that another program saved under the old name meanwhile keeps that name.
    """
    if stat.S_ISDIR(os.stat(name, dir_fd=source_folder, follow_symlinks=False).st_mode):
        try:
            os.rename(name, new_name, src_dir_fd=source_folder, dst_dir_fd=target_folder)
        except OSError as error:
            if error.errno in _NAME_IN_USE:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new_name) from error
            raise
        return
    if others_may_write_source and _renameat2(source_folder, name, target_folder, new_name):
        return
    try:
        os.link(name, new_name, src_dir_fd=source_folder, dst_dir_fd=target_folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        if not _renameat2(source_folder, name, target_folder, new_name):
            _refuse_existing(target_folder, new_name)
            os.rename(name, new_name, src_dir_fd=source_folder, dst_dir_fd=target_folder)
        return
    with contextlib.suppress(FileNotFoundError):  # another program removed the old name
        renamed = os.stat(new_name, dir_fd=target_folder, follow_symlinks=False)
        if os.path.samestat(os.stat(name, dir_fd=source_folder, follow_symlinks=False), renamed):
            os.unlink(name, dir_fd=source_folder)


def _refuse_existing(folder: int | None, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.stat(name, dir_fd=folder, follow_symlinks=False)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)


def exchange_names(first: Path, second: Path) -> bool:
    """Exchange the names of two files in one step; return False if the kernel or the file system cannot. Raises OSError."""
    return _renameat2(None, str(first), None, str(second), _EXCHANGE)


def _renameat2(
    source_folder: int | None, name: str, target_folder: int | None, new_name: str, flags: int = _NOREPLACE
) -> bool:
    """Call renameat2, which Python does not offer; return False if the kernel or the file system does not support it."""
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    folders = [_AT_FDCWD if folder is None else folder for folder in (source_folder, target_folder)]
    if call(folders[0], os.fsencode(name), folders[1], os.fsencode(new_name), flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), name, None, new_name)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents if they are missing, even if another run removes empty ones meanwhile. Raises OSError."""
    missing = [folder]
    for _ in range(_TRIES * (len(folder.parts) + 1)):
        try:
            missing[-1].mkdir(exist_ok=True)
        except FileNotFoundError:
            missing.append(missing[-1].parent)
            continue
        except FileExistsError:  # another run removed the folder after mkdir found it, or it is not a folder
            if os.path.lexists(missing[-1]) and not missing[-1].is_dir():
                raise
            continue
        missing.pop()
        if not missing:
            return
    folder.mkdir(exist_ok=True)


def remove_tree(top: Path) -> None:
    """Remove a file, a link, or a folder with its content, if it exists; also folders that their owner may not write.

    The removal of a folder is retried: a leftover program may still write to it. Raises OSError.
    """
    if not os.path.lexists(top):
        return  # a read-only file system reports an error even for a missing path
    if not top.is_dir() or top.is_symlink():
        top.unlink(missing_ok=True)
        return
    for k in range(_TRIES):
        with contextlib.suppress(OSError):
            remove_folder(top)
            return
        time.sleep(0.002 * k)
    remove_folder(top)
