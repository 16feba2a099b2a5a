"""Reaches, lists and moves files below an opened folder by descriptors: a path that becomes a link meanwhile leads nowhere else.

Neither the depth of the folders nor the length of their paths matters.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from qxbatch.publish.durable import sync_entries
from qxbatch.publish.plain import LinkError
from qxbatch.walk import open_folder, remove

Parts = tuple[str, ...]
"""The names from an opened folder to what is below it."""


class OpenFolder(NamedTuple):
    """An opened folder. Its path is for messages."""

    descriptor: int
    path: Path

    @property
    def short_path(self) -> Path:
        """A path that always leads to this folder; its own path if /proc is not mounted."""
        path = Path("/proc/self/fd", str(self.descriptor))
        return path if path.exists() else self.path

    def has(self, name: str) -> bool:
        """Return whether it has an entry of that name, also a link to nothing."""
        try:
            os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def has_folder(self, name: str) -> bool:
        """Return whether an entry is a folder, and no link."""
        with contextlib.suppress(FileNotFoundError):
            return stat.S_ISDIR(os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode)
        return False

    def unused_name(self, name: str) -> str:
        """Return the name, or one with a number if an entry has it."""
        unused, k = name, 1
        while self.has(unused):
            k += 1
            unused = f"{name}_{k}"
        return unused

    def rename(self, name: str, target: "OpenFolder", new_name: str) -> None:
        """Move an entry to another folder. Raises OSError, which names its path."""
        try:
            os.rename(name, new_name, src_dir_fd=self.descriptor, dst_dir_fd=target.descriptor)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path / name)) from error


@contextmanager
def opened(folder: Path) -> Iterator[OpenFolder]:
    """Open a folder for a `with` block. OSErrors of the block name its path instead of its short path. Raises OSError."""
    with _closed(OpenFolder(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), folder)) as top:
        yield top


@contextmanager
def opened_in(top: OpenFolder, parts: Sequence[str], *, create: bool = False) -> Iterator[OpenFolder]:
    """Open a folder below an opened one, as `opened`; no part may be a link. With `create`, missing folders are made.

    Raises OSError, LinkError.
    """
    with _closed(OpenFolder(open_in(top, parts, create=create), Path(top.path, *parts))) as folder:
        yield folder


@contextmanager
def _closed(folder: OpenFolder) -> Iterator[OpenFolder]:
    try:
        yield folder
    except OSError as error:
        short, path = folder.short_path, Path(str(error.filename))
        if path.is_relative_to(short):
            error.filename = str(folder.path / path.relative_to(short))
        raise
    finally:
        os.close(folder.descriptor)


def open_in(top: OpenFolder, parts: Sequence[str], *, create: bool = False) -> int:
    """Return the descriptor of `opened_in`, which the caller closes."""
    folder = os.dup(top.descriptor)
    for k, name in enumerate(parts):
        try:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=folder)
            inner = open_folder(name, folder)
        except OSError as error:
            path = Path(top.path, *parts[: k + 1])
            if error.errno in (errno.ELOOP, errno.ENOTDIR) and _is_link(name, folder):
                raise LinkError(path) from None
            raise OSError(error.errno, error.strerror, str(path)) from error
        finally:
            os.close(folder)
        folder = inner
    return folder


def walk_in(top: OpenFolder) -> Iterator[tuple[Parts, OpenFolder, list[str]]]:
    """Yield an opened folder and each below it: its parts, itself, and the names in it that are no folders.

    A folder comes before those in it. Names are sorted. A yielded folder is closed when the next one is asked for, and its
    folders must stay until then. Raises OSError, LinkError.
    """
    parts: list[str] = []
    entered: list[tuple[os.stat_result, list[str]]] = []
    """The identity of each folder from the top to the current one, and the folders in it that remain, the last one first."""
    current = os.dup(top.descriptor)
    try:
        while True:
            folders, others = _listed(current)
            entered.append((os.fstat(current), folders[::-1]))
            yield tuple(parts), OpenFolder(current, Path(top.path, *parts)), others
            while not entered[-1][1]:
                entered.pop()
                if not entered:
                    return
                parts.pop()
                current = _stepped(current, _parent(current, entered[-1][0], Path(top.path, *parts)))
            parts.append(entered[-1][1].pop())
            current = _stepped(current, open_in(OpenFolder(current, Path(top.path, *parts[:-1])), parts[-1:]))
    finally:
        os.close(current)


def _listed(folder: int) -> tuple[list[str], list[str]]:
    folders: list[str] = []
    others: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            (folders if entry.is_dir(follow_symlinks=False) else others).append(entry.name)
    return sorted(folders), sorted(others)


def _parent(folder: int, state: os.stat_result, path: Path) -> int:
    """Open the folder that contains an opened one; it has to be the one with this state."""
    parent = open_folder("..", folder)
    if not os.path.samestat(os.fstat(parent), state):
        os.close(parent)
        raise OSError(errno.EBUSY, "a folder in it was moved meanwhile", str(path))
    return parent


def _stepped(before: int, after: int) -> int:
    os.close(before)
    return after


def move_folder(source: OpenFolder, name: str, target: OpenFolder, new_name: str) -> None:
    """Move a folder file by file into a new or existing one on the same file system; an interrupted call can be repeated.

    On an overlay file system, files of the lower layer can be renamed, and folders cannot. Permissions and times of the folders
    are kept. Raises FileExistsError when a file has the name of another one, OSError, LinkError.
    """
    with opened_in(source, (name,)) as here, opened_in(target, (new_name,), create=True) as there:
        _move_files(here, there)
    remove_empty_folders(source, name)


def remove_empty_folders(parent: OpenFolder, name: str) -> None:
    """Remove a folder of an opened one, and the folders in it. Raises OSError if anything else is in it."""
    remove(name, lambda *_: False, parent.descriptor)
    if parent.has(name):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(parent.path / name))


def _move_files(source: OpenFolder, target: OpenFolder) -> None:
    states: list[tuple[Parts, os.stat_result]] = []
    for parts, folder, names in walk_in(source):
        states.append((parts, os.fstat(folder.descriptor)))
        with opened_in(target, parts, create=True) as place:
            for name in names:
                if place.has(name):
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place.path / name))
                folder.rename(name, place, name)
            sync_entries(place.descriptor)
    for parts, state in reversed(states):
        with opened_in(target, parts) as place:
            os.fchmod(place.descriptor, stat.S_IMODE(state.st_mode))
            os.utime(place.descriptor, ns=(state.st_atime_ns, state.st_mtime_ns))


def _is_link(name: str, folder: int) -> bool:
    with contextlib.suppress(OSError):
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    return False
