"""Compares the bytes of two packets."""

import os
import stat
from pathlib import Path

from qxbatch.core import hash_file
from qxbatch.walk import walk


def same_content(left: Path, right: Path) -> bool:
    """Return whether two files, or two folders with their content, are equal: names, kinds, link targets and bytes."""
    if _is_one_file(left, right):
        return True
    return _listing(left) == _listing(right) and _hashes(left) == _hashes(right)


def _is_one_file(left: Path, right: Path) -> bool:
    """Return whether both are names of the same file: a run was killed between the two steps of a rename."""
    try:
        status = left.lstat()
        return stat.S_ISREG(status.st_mode) and os.path.samestat(status, right.lstat())
    except FileNotFoundError:
        return False


def _listing(top: Path) -> list[tuple[str, str, int | str]]:
    entries = [_entry(top, "")]
    if top.is_dir() and not top.is_symlink():
        for folder, folders, files in walk(top):
            entries += [
                _entry(Path(folder, name), os.path.relpath(Path(folder, name), top)) for name in folders + files
            ]
    return sorted(entries)


def _entry(path: Path, name: str) -> tuple[str, str, int | str]:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        # a packet that is a link may be moved: its target counts
        return (name, "link", str(path.readlink() if name else os.path.normpath(path.parent / path.readlink())))
    if stat.S_ISDIR(status.st_mode):
        return (name, "folder", 0)
    return (name, "file" if stat.S_ISREG(status.st_mode) else "device", status.st_size)


def _hashes(top: Path) -> list[tuple[str, str]]:
    return [(name, hash_file(str(top / name if name else top))[1]) for name, kind, _ in _listing(top) if kind == "file"]
