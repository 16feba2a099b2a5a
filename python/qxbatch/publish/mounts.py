"""Recognises mount points: they cannot be renamed, so an import cannot replace them."""

import os
import stat
from pathlib import Path


def is_mounted(path: Path) -> bool:
    """Return whether an entry is a mount point, or a folder on another file system than the folder that contains it.

    A bind mount can be on the same file system: then only the kernel's number of the mount differs, which is not read if /proc
    is not mounted. False if the entry is missing. Raises OSError.
    """
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    parent = os.open(path.parent, flags & ~os.O_NOFOLLOW)
    try:
        try:
            entry = os.open(path.name, flags, dir_fd=parent)
        except FileNotFoundError:
            return False
        try:
            state = os.fstat(entry)
            is_other_disk = stat.S_ISDIR(state.st_mode) and state.st_dev != os.fstat(parent).st_dev
            return is_other_disk or _mount(entry) != _mount(parent)
        finally:
            os.close(entry)
    finally:
        os.close(parent)


def _mount(descriptor: int) -> str:
    """Return the number of the mount that an opened entry is on; empty if it is not known."""
    try:
        lines = Path("/proc/self/fdinfo", str(descriptor)).read_text("ascii").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("mnt_id:")), "")
