"""The states of the files in a folder, and the removal of files that are unchanged since their state was read."""

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from qxbatch.publish.open_folders import OpenFolder, Parts, walk_in
from qxbatch.walk import mount_of

FileStates = Mapping[Path, os.stat_result]
"""The states of files and links, by their paths relative to a folder."""


def file_states_in(top: OpenFolder) -> dict[Path, os.stat_result]:
    """Return the states of files and links below a folder; without FIFOs, sockets and devices.

    Raises OSError, also if a folder below it is a mount point.
    """
    states = {}
    mount = mount_of(top.descriptor)
    for parts, folder, names in walk_in(top):
        if mount_of(folder.descriptor) != mount:
            raise OSError(errno.EBUSY, "is a mount point", str(folder.path))
        for name in names:
            states[Path(*parts, name)] = os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False)
    return {path: state for path, state in states.items() if _has_bytes(state)}


def remove_unchanged(parent: OpenFolder, name: str, states: FileStates) -> None:
    """Remove the files and links in the folder `name` of `parent` that still have their `states`, then the empty folders.

    FIFOs, sockets and devices, which have no bytes, are removed too. Links are removed first: if the process is killed, the
    remaining links still lead to the remaining files. Raises OSError, also for a folder on another mount.
    """

    def is_unchanged_link(parts: Parts, now: os.stat_result) -> bool:
        return stat.S_ISLNK(now.st_mode) and is_unchanged(parts, now)

    def is_unchanged(parts: Parts, now: os.stat_result) -> bool:
        before = states.get(Path(*parts))
        return not _has_bytes(now) or (before is not None and _is_same_state(before, now))

    if any(stat.S_ISLNK(state.st_mode) for state in states.values()):
        parent.remove(name, is_unchanged_link)
    if parent.has(name):
        parent.remove(name, is_unchanged)


def _is_same_state(before: os.stat_result, now: os.stat_result) -> bool:
    """Return whether a file is unchanged: size, modification time and change time are equal.

    The inode may differ, since some file systems change it. The change time of a file with several hard links may differ if its
    inode is the same, since the removal of one of its names changes that time.
    """
    return (before.st_size, before.st_mtime_ns) == (now.st_size, now.st_mtime_ns) and (
        before.st_ctime_ns == now.st_ctime_ns or (before.st_nlink > 1 and before.st_ino == now.st_ino)
    )


def _has_bytes(state: os.stat_result) -> bool:
    """Return whether this is a file or a link; a FIFO, socket or device has no bytes to keep."""
    return stat.S_ISREG(state.st_mode) or stat.S_ISLNK(state.st_mode)
