"""Compares two files or folders: their names, and their bytes by hash."""

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from qxbatch.core import hash_file
from qxbatch.publish.devices import is_device
from qxbatch.publish.link_target import absolute_target
from qxbatch.walk import walk

START_BYTES = 1 << 16
"""Bytes at the start of two files that are compared before both are read whole."""


def same_content(left: Path, right: Path) -> bool:
    """Return whether two files, or two folders with everything in them, are equal: names, kinds, link targets and bytes.

    Devices have no bytes and are not in copies: they are not compared. Permissions and times may differ. A folder that cannot be
    listed equals no other. Raises OSError if a file cannot be read.
    """
    equal = _by_status(left, right)
    if equal is not None:
        return equal
    errors: list[OSError] = []
    listing = _listing(left, errors.append)
    if listing != _listing(right, errors.append) or errors:
        return False
    files = [name for name, kind, _ in listing if kind == "file"]
    if files == [""] and _start(left) != _start(right):
        return False  # a study of tar files has many archives of the same size: they are not read whole
    return _hashes(left, files) == _hashes(right, files)


def _start(path: Path) -> bytes:
    """Return the first bytes of a regular file, at most START_BYTES."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, START_BYTES, 0)
    finally:
        os.close(descriptor)


def _by_status(left: Path, right: Path) -> bool | None:
    """Return whether two files are equal, as far as their status shows it; None if it does not.

    Two names of one file are equal, as after a run was killed between the two steps of `rename_noreplace`. Files of different
    sizes are not equal. So most archives of the same name are not read.
    """
    try:
        states = left.lstat(), right.lstat()
    except FileNotFoundError:
        return None
    if not all(stat.S_ISREG(status.st_mode) for status in states):
        return None
    if os.path.samestat(*states):
        return True
    return False if states[0].st_size != states[1].st_size else None


def _listing(top: Path, onerror: Callable[[OSError], None]) -> list[tuple[str, str, int | str]]:
    """Return (relative path, kind, size or link target) of a file or folder and of everything in it, sorted."""
    entries = [_entry(top, "", top.lstat())]
    if top.is_dir() and not top.is_symlink():
        for folder, folders, files in walk(top, onerror=onerror):
            states = [(path, path.lstat()) for path in (Path(folder, name) for name in folders + files)]
            entries += [
                _entry(path, os.path.relpath(path, top), state)
                for path, state in states
                if not is_device(state.st_mode)
            ]
    return sorted(entries)


def _entry(path: Path, name: str, status: os.stat_result) -> tuple[str, str, int | str]:
    if stat.S_ISLNK(status.st_mode):
        # a packet that is a link may have been moved, and its relative target changed
        return (name, "link", str(path.readlink() if name else absolute_target(path)))
    if stat.S_ISDIR(status.st_mode):
        return (name, "folder", 0)
    return (name, "file" if stat.S_ISREG(status.st_mode) else "special file", status.st_size)


def _hashes(top: Path, files: Iterable[str]) -> list[str]:
    return [hash_file(str(top / name if name else top))[1] for name in files]
