"""Brings a file or folder to another place, also on another file system: there it is whole and compared, or absent."""

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from pathlib import Path

from qxbatch.publish.durable import remove_tree, sync_folder, sync_tree
from qxbatch.publish.same import same_content

LONGEST_NAME = 255
"""Bytes of a name on most file systems."""
HIDDEN = ".qxbatch-"
"""How names begin that are not yet, or no longer, what they are called."""


def renamed(source: Path, target: Path) -> bool:
    """Rename, durably; False when the two lie on different file systems. A relative link keeps its target.

    Raises OSError.
    """
    if source.is_symlink() and not source.readlink().is_absolute() and source.parent != target.parent:
        _move_link(source, target)
        return True
    try:
        _rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False
    sync_folder(target.parent)
    sync_folder(source.parent)
    return True


def copied(source: Path, temporary: Path) -> None:
    """Copy to a hidden place, bring it to disk, and compare. Nothing is left of a copy that failed.

    Raises OSError.
    """
    remove_tree(temporary)
    try:
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, temporary, symlinks=True)
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


def removed(path: Path) -> None:
    """Take a file or folder out of sight in one step, then remove it: a rerun finds all of it, or none."""
    aside = hidden(path)
    remove_tree(aside)
    _rename(path, aside)
    remove_tree(aside)
    sync_folder(path.parent)


def hidden(path: Path) -> Path:
    """Return the place of something that is not yet, or no longer, what it is called."""
    name = f"{HIDDEN}{path.name}"
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = f"{HIDDEN}{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:32]}"
    return path.with_name(name)


def _move_link(source: Path, target: Path) -> None:
    target.symlink_to(Path(os.path.normpath(source.parent / source.readlink())))
    sync_folder(target.parent)
    source.unlink()


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _rename(source: Path, target: Path) -> None:
    """A folder can only be moved by who may write to it, since its `..` changes: its owner may, for that moment."""
    try:
        source.rename(target)
    except PermissionError:
        mode = source.lstat().st_mode
        if not stat.S_ISDIR(mode) or mode & stat.S_IWUSR:
            raise
        source.chmod(stat.S_IMODE(mode) | stat.S_IWUSR)
        try:
            source.rename(target)
        except OSError:
            source.chmod(stat.S_IMODE(mode))
            raise
        target.chmod(stat.S_IMODE(mode))
