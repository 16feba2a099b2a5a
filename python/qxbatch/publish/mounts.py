"""Recognises mount points: they cannot be renamed, so an import can neither replace nor move them."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from qxbatch.walk import mount_id_line, walk

_MOUNTS = Path("/proc/self/mountinfo")


def is_mounted(path: Path) -> bool:
    """Return whether an entry is a mount point, or a folder on another file system than the folder that contains it.

    A bind mount can be on the same file system. Then only the kernel's number of the mount differs, which cannot be read if /proc
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
            return is_other_disk or mount_id_line(entry) != mount_id_line(parent)
        finally:
            os.close(entry)
    finally:
        os.close(parent)


def mount_in(packet: Path) -> Path | None:
    """Return the first mount point at or below a packet; None if there is none, or if the packet is a link or missing."""
    if os.path.islink(packet):  # noqa: PTH114 - False if it cannot be examined
        return None
    return next((path for path in _candidates(packet) if _is_mount_point(path)), None)


def mount_above(path: Path, folder: Path) -> Path | None:
    """Return the first mount point on the way from a folder (excluded) down to a path (included); None if there is none."""
    between = [each for each in (path, *path.parents) if each != folder and each.is_relative_to(folder)]
    return next((each for each in reversed(between) if _is_mount_point(each)), None)


def _candidates(packet: Path) -> Iterator[Path]:
    """Yield the paths of mount points in the kernel's list that are at or below a path; all folders if /proc is not mounted."""
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        yield packet
        for folder, folders, _ in walk(packet):
            yield from (Path(folder, name) for name in folders if not Path(folder, name).is_symlink())
        return
    real = os.fsencode(Path(os.path.realpath(packet.parent), packet.name))
    mounts = sorted(_unescaped(line.split(b" ")[4]) for line in lines)
    yield from (
        packet / os.fsdecode(path[len(real) + 1 :]) for path in mounts if path == real or path.startswith(real + b"/")
    )


def _unescaped(path: bytes) -> bytes:
    """Return a path of the kernel's list, in which spaces and the like are octal numbers."""
    return path if b"\\" not in path else re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), path)


def _is_mount_point(path: Path) -> bool:
    try:
        return is_mounted(path)
    except (FileNotFoundError, NotADirectoryError):  # it is missing, or another mount covers the folder above it
        return False
    except OSError:  # it cannot be examined, as in a folder that this user may not open: it counts as a mount point
        return True
