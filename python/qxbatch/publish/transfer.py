"""Moves or copies a file or folder, also to another file system: the result is complete and verified, or absent."""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from qxbatch.discover.own_names import Use, hidden_name
from qxbatch.publish.durable import remove_tree, rename_new, sync_folder, sync_tree
from qxbatch.publish.same import same_content


def renamed(source: Path, target: Path) -> bool:
    """Rename to an unused name, durably; return False if the two paths are on different file systems.

    A relative link keeps its target. Raises FileExistsError when the name is in use, and OSError.
    """
    if source.is_symlink() and not source.readlink().is_absolute() and source.parent != target.parent:
        _move_link(source, target)
        return True
    try:
        _rename(source, target, rename_new)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)
    return True


def put_aside(source: Path, aside: Path) -> None:
    """Rename to a hidden name in the same folder, in one step: a file that appears under the old name later is not touched."""
    _rename(source, aside, os.rename)


def copied(source: Path, temporary: Path) -> None:
    """Copy to a hidden path, sync, and compare. A failed copy is removed.

    Raises OSError.
    """
    remove_tree(temporary)
    try:
        if source.is_dir() and not source.is_symlink():
            try:
                shutil.copytree(source, temporary, symlinks=True, copy_function=_copy)
            except shutil.Error as error:
                path, _, reason = error.args[0][0]
                raise OSError(errno.EIO, f"cannot be copied ({reason})", str(path)) from None
            sync_tree(temporary)
        else:
            shutil.copy2(source, temporary, follow_symlinks=False)
            if not temporary.is_symlink():
                _sync_file(temporary)
        if not same_content(source, temporary):
            raise OSError(errno.EIO, "the copy differs from what was copied", str(source))  # noqa: TRY301 - the copy is removed
    except BaseException:
        with contextlib.suppress(OSError):
            remove_tree(temporary)
        raise


def _copy(source: str, target: str, *, follow_symlinks: bool = True) -> None:
    """Copy a file or link; create a FIFO or socket, which has no bytes, again."""
    kind = os.lstat(source).st_mode
    if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
        os.mknod(target, kind)
    else:
        shutil.copy2(source, target, follow_symlinks=follow_symlinks)


def hidden_path(path: Path, use: Use, tag: str) -> Path:
    """Return the hidden path beside the current or future path."""
    return path.with_name(hidden_name(use, tag, path.name))


def _move_link(source: Path, target: Path) -> None:
    target.symlink_to(Path(os.path.normpath(source.parent / source.readlink())))
    sync_folder(target.parent)
    source.unlink()


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _rename(source: Path, target: Path, step: Callable[[Path, Path], None]) -> None:
    """Call `step`; if needed, make a folder writable meanwhile, since moving it changes its `..` entry."""
    try:
        step(source, target)
    except PermissionError:
        mode = source.lstat().st_mode
        if not stat.S_ISDIR(mode) or mode & stat.S_IWUSR:
            raise
        source.chmod(stat.S_IMODE(mode) | stat.S_IWUSR)
        try:
            step(source, target)
        except OSError:
            source.chmod(stat.S_IMODE(mode))
            raise
        target.chmod(stat.S_IMODE(mode))
