"""The folder of a data set, and the files that exist in it. Files are written and removed through opened folders."""

import contextlib
import errno
import os
import re
import stat
import weakref
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from qxbatch.bids.files.export_cache import ExportCache
from qxbatch.bids.files.record import RecordEntry
from qxbatch.publish.durable import replace_text
from qxbatch.publish.open_folders import OpenFolder, opened_folder, opened_in

_ECHO_OR_PART = re.compile(r"_(?:echo|part)-[^_]+(?=_)")


class FileOnDisk(NamedTuple):
    """What exists at a path of the data set.

    If `size` is -1 and `link` is empty, it is neither a regular file nor a link, or a parent folder is a link or not a folder.
    """

    sha256: str = ""
    size: int = -1
    """In bytes; -1 if it is neither a regular file nor a link to one."""
    link: str = ""
    """The target of a symbolic link, as written; empty for other files."""

    def matches(self, entry: RecordEntry) -> bool:
        """Return whether the file is the one of an entry of the record.

        If the entry is of a regular file, a link to a file with the same bytes counts, too.
        """
        if entry.link or (self.link and not self.sha256):
            return bool(entry.link) and self.link == entry.link
        return (self.sha256, self.size) == (entry.sha256, entry.size)


class DatasetFolder:
    """The folder of a data set: which files and links exist at its paths. Paths in arguments and results are relative to it."""

    def __init__(self, dataset: Path, cache: ExportCache) -> None:
        self.path = dataset
        self._cache = cache
        self._is_plain_folder: dict[str, bool] = {"": True}
        self._descriptor: int | None = None
        """Of the folder at the beginning; None if there was none. While it is open, CIFS and FUSE keep the inode."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            self._descriptor = os.open(dataset, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            weakref.finalize(self, os.close, self._descriptor)

    @contextlib.contextmanager
    def opened(self, folder: str, *, create: bool = False) -> Iterator[OpenFolder]:
        """Open a folder of the data set for a `with` block. With `create`, missing folders are created.

        Raises LinkError if it or a folder between it and the data set is a link, and OSError, also if the path of the data set
        leads to another folder than at the beginning.
        """
        with opened_folder(self.path) as top:
            if self._descriptor is None or not os.path.sameopenfile(self._descriptor, top.descriptor):
                raise OSError(errno.EBUSY, "is another folder than at the beginning of the export", str(self.path))
            with opened_in(top, PurePosixPath(folder).parts, create=create) as inner:
                yield inner

    def replace_text(self, path: str, text: str) -> None:
        """Write a text file, or replace one by a new text, durably. Raises LinkError and OSError as `opened` does."""
        folder, _slash, name = path.rpartition("/")
        with self.opened(folder) as parent:
            replace_text(parent.descriptor_path / name, text)

    def remove(self, path: str) -> None:
        """Remove a file if it exists. Raises LinkError and OSError as `opened` does."""
        folder, _slash, name = path.rpartition("/")
        with contextlib.suppress(FileNotFoundError), self.opened(folder) as parent:
            os.unlink(name, dir_fd=parent.descriptor)

    def file_at(
        self, path: str, entries: Collection[RecordEntry] | None = None, *, is_read: bool = False
    ) -> FileOnDisk | None:
        """Return what exists at a path; None if nothing does. Folders that are links are not followed. Raises OSError.

        With `entries`, a file whose size is that of none of them is not read, and its `sha256` is empty: it matches none of them.
        With `is_read`, its hash is computed, also if the cache has one.
        """
        if not self.is_plain(path.rpartition("/")[0]):
            return FileOnDisk()
        full_path = self.path / path
        try:
            status = os.lstat(full_path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        link = str(full_path.readlink()) if stat.S_ISLNK(status.st_mode) else ""
        if link:
            try:
                status = os.stat(full_path)  # noqa: PTH116 - git-annex keeps files behind links; they are read, never written
            except OSError:
                return FileOnDisk(link=link)
        if not stat.S_ISREG(status.st_mode):
            return FileOnDisk(link=link)
        if entries is not None and all(entry.size != status.st_size for entry in entries):
            return FileOnDisk("", status.st_size, link)
        return FileOnDisk(self._cache.hash_of(path, full_path, status, is_read=is_read), status.st_size, link)

    def has_content_of(self, entry: RecordEntry) -> bool:
        """Return whether the path of an entry has a file with its bytes, also behind a link. Raises OSError."""
        existing = self.file_at(entry.path, (entry,))
        return existing is not None and existing.sha256 == entry.sha256

    def files_beside(self, path: str) -> set[str]:
        """Return the paths of the files beside an image that have the same entities in their names, except for `echo` and `part`.

        Further entities may follow. The image itself is among them if it exists. Raises OSError.
        """
        folder, _slash, name = path.rpartition("/")
        start = _ECHO_OR_PART.sub("", name).rpartition("_")[0]
        try:
            names = os.listdir(self.path / folder)  # noqa: PTH208 - names are enough
        except (FileNotFoundError, NotADirectoryError):
            return set()
        return {f"{folder}/{each}" for each in names if _ECHO_OR_PART.sub("", each).startswith(f"{start}_")}

    def files_below(self, folder: str) -> set[str]:
        """Return the paths of all files in a folder and the folders below it. Raises OSError.

        Folders that are links or cannot be listed are not entered.
        """
        if not self.is_plain(folder):
            return set()
        return {
            f"{Path(parent).relative_to(self.path).as_posix()}/{name}"
            for parent, _folders, names in os.walk(self.path / folder)
            for name in names
        }

    def is_one_file(self, path: str, other: str) -> bool:
        """Return whether two paths that differ only in case lead to one file, as on file systems that ignore case.

        Two hard links to a file are two files.
        """
        first, second = self.path / path, self.path / other
        try:
            is_one_folder = first.parent.samefile(second.parent)
            if not is_one_folder or not os.path.samestat(os.lstat(first), os.lstat(second)):
                return False
            names = os.listdir(first.parent)  # noqa: PTH208 - names are enough
        except OSError:
            return False
        return first.name == second.name or not (first.name in names and second.name in names)

    def is_plain(self, folder: str) -> bool:
        """Return whether a folder and its parents in the data set are real folders or do not exist. Raises OSError."""
        if folder not in self._is_plain_folder:
            is_parent_plain = self.is_plain(folder.rpartition("/")[0])
            try:
                mode = os.lstat(self.path / folder).st_mode
            except FileNotFoundError:
                return is_parent_plain
            except NotADirectoryError:
                return False
            self._is_plain_folder[folder] = is_parent_plain and stat.S_ISDIR(mode)
        return self._is_plain_folder[folder]
