"""Copies files and folders to new names: no existing file is written to, and links are copied as links.

The entries of a copied folder are created by the descriptors of its opened folders, since others may write there and replace a
folder by a link.
"""

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path

from qxbatch.os_error import is_disk_full, reason_text
from qxbatch.publish.devices import is_device
from qxbatch.publish.link_target import target_from
from qxbatch.publish.open_folders import opened_folder, opened_in
from qxbatch.walk import raise_error, walk

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK_BYTES = 1 << 20


def copy_file_or_link(source: Path, target: Path) -> None:
    """Copy a file, and sync it. A link is copied as a link to the same target. Raises FileExistsError, and OSError."""
    if source.is_symlink():
        target.symlink_to(target_from(target.parent, source))
    else:
        _copy_file(source, str(target), None, sync=True)


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder of any depth, which shutil.copytree cannot: it is recursive. The copy has no devices, and is not synced.

    Raises OSError.
    """
    target.mkdir()
    with opened_folder(target) as top:
        copied_folders: list[str] = []
        for folder, folders, files in walk(source, onerror=raise_error):
            copied_folders.append(folder)
            links = [name for name in folders if Path(folder, name).is_symlink()]
            with opened_in(top, Path(folder).relative_to(source).parts) as copy:
                for name in (*files, *links):
                    _copy_entry(Path(folder, name), name, copy.descriptor)
                for name in set(folders).difference(links):
                    os.mkdir(name, dir_fd=copy.descriptor)
        # after their content: creating it changes the times of a folder, and needs write permission
        for folder in reversed(copied_folders):
            with opened_in(top, Path(folder).relative_to(source).parts) as copy:
                _copy_status(folder, Path(folder).stat(), copy.descriptor)


def _copy_entry(source: Path, name: str, folder: int) -> None:
    """Copy a file or link; create a new FIFO or socket, since it has no bytes to copy; leave out a device without opening it.

    A new device would be usable also if the source is on a file system without devices (nodev). Raises OSError, which names the
    source unless the file system of the copy is full.
    """
    status = source.lstat()
    if is_device(status.st_mode):
        return
    try:
        if stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode):
            os.mknod(name, status.st_mode, dir_fd=folder)
        elif stat.S_ISLNK(status.st_mode):
            os.symlink(source.readlink(), name, dir_fd=folder)
            os.utime(name, ns=(status.st_atime_ns, status.st_mtime_ns), dir_fd=folder, follow_symlinks=False)
        else:
            _copy_file(source, name, folder)
    except OSError as error:
        if is_disk_full(error):
            raise
        raise OSError(errno.EIO, f"cannot be copied ({reason_text(error, source)})", str(source)) from None


def _copy_file(source: Path, name: str, folder: int | None, *, sync: bool = False) -> None:
    """Copy a regular file to the new file `name` in an opened folder; if `folder` is None, `name` is a path. Raises OSError."""
    if not stat.S_ISREG(source.lstat().st_mode):  # opening a device can have an effect, such as rewinding a tape
        raise OSError(errno.EINVAL, "is not a regular file", str(source))
    with os.fdopen(os.open(source, _READ | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(source))
        with os.fdopen(os.open(name, _NEW, 0o600, dir_fd=folder), "wb") as copy:
            shutil.copyfileobj(file, copy, _BLOCK_BYTES)
            copy.flush()
            _copy_status(file.fileno(), status, copy.fileno())
            if sync:
                os.fsync(copy.fileno())


def _copy_status(source: str | int, status: os.stat_result, copy: int) -> None:
    """Copy permissions, times, and the extended attributes that the file system of the copy supports.

    Set-uid and set-gid bits, and capabilities (`security.*`), are not copied. The copy belongs to the user of this run, so they
    would give the rights of this user to anybody who puts a program into the inbox.
    """
    with contextlib.suppress(OSError):
        for name in [name for name in os.listxattr(source) if not name.startswith("security.")]:
            with contextlib.suppress(OSError):
                os.setxattr(copy, name, os.getxattr(source, name))
    os.fchmod(copy, stat.S_IMODE(status.st_mode) & ~(stat.S_ISUID | stat.S_ISGID))
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
