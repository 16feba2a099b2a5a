"""The states of the files in a folder, and the removal of files that are unchanged since their state was read."""

import contextlib
import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from qxbatch.publish.open_folders import OpenFolder, Parts, walk_in
from qxbatch.walk import mount_of

_Inode = tuple[int, int]
"""Number of a device, and of an inode on it."""
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
    unchanged = _UnchangedFiles(parent, name, states)

    def is_unchanged_link(parts: Parts, now: os.stat_result) -> bool:
        return stat.S_ISLNK(now.st_mode) and unchanged.may_be_removed(parts, now)

    if any(stat.S_ISLNK(state.st_mode) for state in states.values()):
        parent.remove(name, is_unchanged_link)
    if parent.has(name):
        parent.remove(name, unchanged.may_be_removed)


class _UnchangedFiles:
    """Compares files with their states right before they are removed, one after the other.

    The removal of one name of a file changes the change time of its other names (hard links). That time is read right after the
    removal, so a later edit is noticed.
    """

    def __init__(self, parent: OpenFolder, name: str, states: FileStates) -> None:
        self._parent = parent
        self._name = name
        self._states = states
        self._names: dict[_Inode, list[Path]] = {}
        for path, state in states.items():
            if state.st_nlink > 1:
                self._names.setdefault(_inode(state), []).append(path)
        self._change_times: dict[_Inode, int] = {}
        """The change times after the last removal of a name."""
        self._removed: os.stat_result | None = None
        """The state of the file that the previous call allowed to remove, if it has other names."""

    def may_be_removed(self, parts: Parts, now: os.stat_result) -> bool:
        """Return whether an entry has no bytes or is unchanged; the caller removes it then, before the next call."""
        self._read_change_time()
        before = self._states.get(Path(*parts))
        if not _has_bytes(now):
            return True
        if before is None or not self._is_same_state(before, now):
            return False
        if now.st_nlink > 1:
            self._removed = now
        return True

    def _is_same_state(self, before: os.stat_result, now: os.stat_result) -> bool:
        """Return whether a file is unchanged. The inode may differ, since some file systems change it."""
        change_times = (
            before.st_ctime_ns,
            self._change_times.get(_inode(before)) if _inode(before) == _inode(now) else None,
        )
        return (before.st_size, before.st_mtime_ns) == (
            now.st_size,
            now.st_mtime_ns,
        ) and now.st_ctime_ns in change_times

    def _read_change_time(self) -> None:
        """Read the change time of the other names of the file whose name was removed last."""
        removed, self._removed = self._removed, None
        for path in self._names.get(_inode(removed), ()) if removed else ():
            with contextlib.suppress(OSError):
                now = os.stat(Path(self._name, path), dir_fd=self._parent.descriptor, follow_symlinks=False)
                if removed and _inode(now) == _inode(removed):
                    self._change_times[_inode(now)] = now.st_ctime_ns
                    return


def _inode(state: os.stat_result) -> _Inode:
    return state.st_dev, state.st_ino


def _has_bytes(state: os.stat_result) -> bool:
    """Return whether this is a file or a link; a FIFO, socket or device has no bytes to keep."""
    return stat.S_ISREG(state.st_mode) or stat.S_ISLNK(state.st_mode)
