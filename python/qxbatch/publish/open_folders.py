"""Opens, lists and moves files below an opened folder.

Each folder is opened from its parent's descriptor, and links are refused. So if a folder is replaced by a link meanwhile, the link
is not followed. Neither the depth of the folders nor the length of their paths is limited.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from qxbatch.publish.durable import rename_noreplace_at, sync_entries
from qxbatch.publish.plain_files import LinkError
from qxbatch.walk import ShouldRemove, open_folder, remove_folder

Parts = tuple[str, ...]
"""The names of the folders on the way from an opened folder to one below it, which is the last; empty for the folder itself."""


class OpenFolder(NamedTuple):
    """An opened folder. Its path is used in messages and, if /proc is not mounted, to reach the folder."""

    descriptor: int
    path: Path

    @property
    def descriptor_path(self) -> Path:
        """A path below /proc that always leads to this folder; its own path if /proc is not mounted."""
        path = Path("/proc/self/fd", str(self.descriptor))
        return path if path.exists() else self.path

    def has(self, name: str) -> bool:
        """Return whether the folder contains an entry of that name, even a broken link. Raises OSError."""
        try:
            os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def has_folder(self, name: str) -> bool:
        """Return whether the folder contains a folder of that name; False for a link. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            return stat.S_ISDIR(os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode)
        return False

    def has_file(self, name: str) -> bool:
        """Return whether the folder contains an entry of that name that is neither a folder nor a link. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            mode = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode
            return not (stat.S_ISDIR(mode) or stat.S_ISLNK(mode))
        return False

    def unused_name(self, name: str) -> str:
        """Return a name that no entry has: the name itself, or `<name>_2`, `<name>_3` and so on."""
        unused, k = name, 1
        while self.has(unused):
            k += 1
            unused = f"{name}_{k}"
        return unused

    def is_same_file(self, name: str, other: "OpenFolder", other_name: str) -> bool:
        """Return whether two names in folders are hard links to one file."""
        try:
            states = [
                os.stat(entry, dir_fd=folder.descriptor, follow_symlinks=False)
                for entry, folder in ((name, self), (other_name, other))
            ]
        except FileNotFoundError:
            return False
        return os.path.samestat(*states) and states[0].st_nlink > 1 and not stat.S_ISDIR(states[0].st_mode)

    def rename(self, name: str, target: "OpenFolder", new_name: str) -> None:
        """Move an entry to another folder; a file that has the new name is replaced. Raises OSError, which names the old path.

        Use this only for a target folder to which no other program writes. For any other folder, use `rename_noreplace`.
        """
        try:
            os.rename(name, new_name, src_dir_fd=self.descriptor, dst_dir_fd=target.descriptor)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path / name)) from error

    def rename_noreplace(
        self, name: str, target: "OpenFolder", new_name: str, *, others_may_write_source: bool = False
    ) -> None:
        """Move an entry to an unused name in another folder, and never replace an entry; an interrupted call can be repeated.

        `others_may_write_source`: whether other programs may save another file under the old name meanwhile; that file is kept.
        Raises FileExistsError, which names the new path, when the new name is in use, and OSError, which names the old one.
        """
        try:
            rename_noreplace_at(
                self.descriptor, name, target.descriptor, new_name, others_may_write_source=others_may_write_source
            )
        except FileExistsError as error:
            if not self.is_same_file(name, target, new_name):
                raise FileExistsError(error.errno, error.strerror, str(target.path / new_name)) from error
            os.unlink(name, dir_fd=self.descriptor)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path / name)) from error

    def remove(self, name: str, should_remove: ShouldRemove | None = None) -> None:
        """Remove a folder and everything in it. Raises OSError, which names the path that cannot be removed.

        With `should_remove`, remove only the files for which it returns True, and then the empty folders.
        """
        try:
            remove_folder(name, should_remove, self.descriptor)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path / (error.filename or name))) from error


@contextmanager
def opened_folder(folder: Path) -> Iterator[OpenFolder]:
    """Open a folder for a `with` block. Raises OSError.

    In OSErrors of the block, its `descriptor_path` is replaced by its path.
    """
    with _closing(OpenFolder(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), folder)) as top:
        yield top


@contextmanager
def opened_in(top: OpenFolder, parts: Sequence[str], *, create: bool = False) -> Iterator[OpenFolder]:
    """Open a folder below an opened one, as `opened_folder` does. With `create`, missing folders are created.

    Raises OSError, and LinkError if one of the parts is a link.
    """
    with _closing(OpenFolder(open_in(top, parts, create=create), Path(top.path, *parts))) as folder:
        yield folder


@contextmanager
def _closing(folder: OpenFolder) -> Iterator[OpenFolder]:
    """Close a folder after the `with` block. In OSErrors of the block, its `descriptor_path` is replaced by its path."""
    try:
        yield folder
    except OSError as error:
        short, path = folder.descriptor_path, Path(str(error.filename))
        if path.is_relative_to(short):
            error.filename = str(folder.path / path.relative_to(short))
        raise
    finally:
        os.close(folder.descriptor)


def open_in(top: OpenFolder, parts: Sequence[str], *, create: bool = False) -> int:
    """Return the descriptor of a folder as `opened_in` does; the caller closes it. Raises OSError, LinkError."""
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
    """Yield (parts, folder, names of entries that are not folders) for an opened folder and each folder below it.

    A folder comes before those in it, and names are sorted. A yielded folder is open until the next one is requested. Until then,
    the folders in it must not be moved or removed. Raises OSError, LinkError.
    """
    parts: list[str] = []
    entered: list[tuple[os.stat_result, list[str]]] = []
    """The state of each folder from the top to the current one, and the names of its remaining folders, in reverse order."""
    current = os.dup(top.descriptor)
    try:
        while True:
            folders, others = _sorted_names(current)
            entered.append((os.fstat(current), folders[::-1]))
            yield tuple(parts), OpenFolder(current, Path(top.path, *parts)), others
            while not entered[-1][1]:
                entered.pop()
                if not entered:
                    return
                parts.pop()
                current = _step(current, _parent(current, entered[-1][0], Path(top.path, *parts)))
            parts.append(entered[-1][1].pop())
            current = _step(current, open_in(OpenFolder(current, Path(top.path, *parts[:-1])), parts[-1:]))
    finally:
        os.close(current)


def _sorted_names(folder: int) -> tuple[list[str], list[str]]:
    """Return the sorted names of the folders and of the other entries of a folder."""
    folders: list[str] = []
    others: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            (folders if entry.is_dir(follow_symlinks=False) else others).append(entry.name)
    return sorted(folders), sorted(others)


def _parent(folder: int, state: os.stat_result, path: Path) -> int:
    """Open the parent of an opened folder. Raises OSError if it is not the folder with this state."""
    parent = open_folder("..", folder)
    if not os.path.samestat(os.fstat(parent), state):
        os.close(parent)
        raise OSError(errno.EBUSY, "a folder in it was moved meanwhile", str(path))
    return parent


def _step(before: int, after: int) -> int:
    """Close the descriptor of the folder that the walk leaves; return that of the next one."""
    os.close(before)
    return after


def move_folder(source: OpenFolder, name: str, target: OpenFolder, new_name: str) -> None:
    """Move the files of a folder, one by one, into a new or existing folder of the same file system; remove the empty folder.

    This is for overlay file systems, which can rename the files of their lower layer, but not its folders. Permissions and times
    of the folders are kept. An interrupted call can be repeated. Raises FileExistsError if the target has a file with the
    name of a moved one, OSError, LinkError.
    """
    with opened_in(source, (name,)) as here, opened_in(target, (new_name,), create=True) as there:
        _move_files(here, there)
    remove_empty_folders(source, name)


def remove_empty_folders(parent: OpenFolder, name: str) -> None:
    """Remove a folder and the folders in it, at any depth. Raises OSError if one of them contains anything else."""
    parent.remove(name, lambda *_: False)
    if parent.has(name):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(parent.path / name))


def _move_files(source: OpenFolder, target: OpenFolder) -> None:
    """Move the files to the same paths below `target`; give its folders the permissions and times of those of `source`."""
    states: list[tuple[Parts, os.stat_result]] = []
    for parts, folder, names in walk_in(source):
        states.append((parts, os.fstat(folder.descriptor)))
        with opened_in(target, parts, create=True) as target_folder:
            for name in names:
                folder.rename_noreplace(name, target_folder, name, others_may_write_source=True)
            sync_entries(target_folder.descriptor)
    for parts, state in reversed(states):
        with opened_in(target, parts) as target_folder:
            os.fchmod(target_folder.descriptor, stat.S_IMODE(state.st_mode))
            os.utime(target_folder.descriptor, ns=(state.st_atime_ns, state.st_mtime_ns))


def _is_link(name: str, folder: int) -> bool:
    with contextlib.suppress(OSError):
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    return False
