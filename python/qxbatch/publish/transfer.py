"""Moves a file or folder within a file system, or copies it to another one. Copies have no devices; one that differs is removed."""

import contextlib
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

from qxbatch.discover.own_names import HiddenKind, hidden_name
from qxbatch.os_error import is_disk_full
from qxbatch.publish.durable import remove_tree, rename_noreplace, sync_folder, sync_tree
from qxbatch.publish.link_target import target_from
from qxbatch.publish.new_copies import copy_file_or_link, copy_folder
from qxbatch.publish.open_folders import move_folder, opened_folder
from qxbatch.publish.plain_files import entry_exists, refuse_link
from qxbatch.publish.same_content import same_content
from qxbatch.walk import folder_handle, set_mode


def try_rename(source: Path, target: Path) -> bool:
    """Rename to an unused name, and sync the folders; return False if the two paths are on different file systems or mounts.

    A relative link gets the text that leads to the same target from the new folder; only that folder is synced. Raises
    FileExistsError when the name is in use, and OSError.
    """
    if source.is_symlink() and not source.readlink().is_absolute() and source.parent != target.parent:
        _move_link(source, target)
        return True
    try:
        _rename(source, target, rename_noreplace)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)
    return True


def put_aside(source: Path, aside: Path) -> None:
    """Rename to the hidden name `aside` in the same folder.

    A file that later appears under the old name is not taken for the renamed one. A folder that its file system cannot rename is
    moved file by file. Raises OSError.
    """
    try:
        _rename(source, aside, os.rename)
    except OSError as error:
        if error.errno != errno.EXDEV or source.is_symlink() or not source.is_dir():
            raise
        if entry_exists(_part_path(aside)):
            raise FileExistsError(errno.EEXIST, "is not of this run", str(_part_path(aside))) from None
        _put_files_aside(source, aside)


def continue_aside(source: Path, aside: Path) -> None:
    """Finish a `put_aside` that was killed while it moved file by file. Raises OSError.

    If something that is not a folder, perhaps a link, has the name of the folder now, it stays: it is not the packet.
    """
    if entry_exists(_part_path(aside)):
        _put_files_aside(source, aside)


def _part_path(aside: Path) -> Path:
    """Return the hidden path (PART) to which the files of a folder are moved one by one before it is renamed to `aside`."""
    return aside.with_name(aside.name.replace(f"-{HiddenKind.ASIDE}-", f"-{HiddenKind.PART}-", 1))


def _put_files_aside(source: Path, aside: Path) -> None:
    """Move the files of a folder to `_part_path(aside)`, and rename that to `aside`. If a move fails, move the files back."""
    part = _part_path(aside)
    refuse_link(part)
    try:
        if source.is_dir() and not source.is_symlink():
            move_files(source, part)
    except OSError:
        with contextlib.suppress(OSError):
            move_files(part, source)
        raise
    part.rename(aside)


def move_files(source: Path, target: Path) -> None:
    """Move a folder file by file, as `move_folder` does. Raises FileExistsError, OSError, LinkError."""
    with opened_folder(source.parent) as here, opened_folder(target.parent) as there:
        move_folder(here, source.name, there, target.name)


def copy_verified(source: Path, temporary: Path) -> None:
    """Copy to a hidden path, sync the copy, and compare it. An older copy at that path is removed first; a failed copy is removed.

    Raises OSError; if the file system of the copy is full, the error names the folder of the copy.
    """
    remove_tree(temporary)
    try:
        if source.is_dir() and not source.is_symlink():
            copy_folder(source, temporary)
            sync_tree(temporary)
        else:
            copy_file_or_link(source, temporary)
        if not same_content(source, temporary):
            raise OSError(errno.EIO, "the copy differs from what was copied", str(source))  # noqa: TRY301 - the copy is removed
    except BaseException as error:
        with contextlib.suppress(OSError):
            remove_tree(temporary)
        if isinstance(error, OSError) and is_disk_full(error):
            raise OSError(error.errno, error.strerror, str(temporary.parent)) from error
        raise


def hidden_path(path: Path, kind: HiddenKind, tag: str) -> Path:
    """Return the path in the same folder with the hidden name of this kind for `path` (`hidden_name`)."""
    return path.with_name(hidden_name(kind, tag, path.name))


def _move_link(source: Path, target: Path) -> None:
    target.symlink_to(target_from(target.parent, source))
    sync_folder(target.parent)
    source.unlink()


def _rename(source: Path, target: Path, step: Callable[[Path, Path], None]) -> None:
    """Call `step`. If needed, make a read-only folder writable for the call: a move to another folder changes its `..` entry."""
    try:
        step(source, target)
    except PermissionError:
        if not _is_read_only_folder(source):
            raise
        with folder_handle(source) as handle:
            mode = stat.S_IMODE(os.fstat(handle).st_mode)
            set_mode(handle, mode | stat.S_IWUSR)
            try:
                step(source, target)
            finally:
                set_mode(handle, mode)


def _is_read_only_folder(path: Path) -> bool:
    mode = path.lstat().st_mode
    return stat.S_ISDIR(mode) and not mode & stat.S_IWUSR
