"""Folder mode (`--masterinbox=none`): removes imported files from `<session>/inbox`, each only if it is still the imported file.

The list of these files is written before the session is published. A file whose size, modification time or bytes changed since then
is kept. Each file is first renamed to a hidden name and checked again there. So a file that appears under the original name
meanwhile is not removed.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from qxbatch.core import Monitor, hash_file
from qxbatch.discover.own_names import HiddenKind
from qxbatch.large_files import monitor_of
from qxbatch.ledger_cells import member_path
from qxbatch.os_error import reason_text
from qxbatch.publish.below import open_below
from qxbatch.publish.durable import rename_noreplace, sync_folder
from qxbatch.publish.mounts import mount_above
from qxbatch.publish.open_folders import OpenFolder
from qxbatch.publish.plain_files import LinkError, entry_exists, is_below_without_links
from qxbatch.publish.removal_list import ListedFile, RemovalList
from qxbatch.publish.transfer import hidden_path
from qxbatch.textfile import create_text

_IGNORED_ERRORS = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT)
"""Errors of the removal of an empty folder that are ignored: it is not empty, or it is missing."""


class UnremovedFile(NamedTuple):
    """A listed file that was not removed from the inbox, a mount point, or an empty folder that could not be removed."""

    path: Path
    error: str = ""
    """The error of the removal. Empty if the file was kept: it changed after it was read, or a field below has the reason."""
    is_mount: bool = False
    """Whether the path is a mount point, whose files stay."""
    is_contained: bool = True
    """Whether a session contains the bytes, as far as this was checked. False if the file was kept because none does."""


class _Removal(Enum):
    """The result of an attempt to remove a listed file."""

    REMOVED = "no file of this name remains"
    CHANGED = "another file has the name, or the file changed"
    NOT_CONTAINED = "no session contains the bytes"


def write_removal_list(inbox: Path, members: Iterable[tuple[str, str]], out: Path) -> bytes:
    """Write the list of files (ledger path, SHA-256) to remove from the inbox, and sync it; return its content.

    The file is for the next run, if this one is killed. This run uses the returned content, since other users may change the file.
    Raises OSError.
    """
    lines = []
    for text, digest in members:
        status = (inbox / member_path(text)).lstat()
        lines.append(f"{status.st_size}\t{status.st_mtime_ns}\t{digest}\t{text}\n")
    content = "".join(lines)
    out.unlink(missing_ok=True)
    with create_text(out) as file:
        file.write(content)
    sync_folder(out.parent)
    return content.encode("utf-8", "surrogateescape")


def remove_listed(
    inbox: Path,
    removal_list: RemovalList,
    tag: str,
    top: Path,
    is_contained: Callable[[Path, str], bool] | None = None,
    monitor: Monitor | None = None,
) -> list[UnremovedFile]:
    """Remove the listed files from the inbox, and the folders that become empty; return what was not removed.

    Nothing is removed that is reached through a link below `top`, the sessions folder, or that is mounted in the inbox. Files that
    are reached through a link are not returned either: the link leads to data of another place. An interrupted call can be
    repeated. Raises OSError, ValueError for a damaged list, and CancelledError.

    - `tag`: is part of the hidden names.
    - `is_contained`: returns whether a session contains the bytes of a file with that hash; None if this is known for all files.
    - `monitor`: when it is cancelled, a large file is not read: this raises CancelledError.
    """
    unremoved: dict[Path, UnremovedFile] = {}
    folders: set[Path] = set()
    with closing(_CurrentFolder(inbox, top)) as current:
        for listed_file in removal_list.files():
            path = inbox / listed_file.path
            if not current.enter(path.parent):
                if current.mount is not None:
                    unremoved[current.mount] = UnremovedFile(current.mount, is_mount=True)
                continue
            folders.update(current.existing_folders)
            opened_path = current.descriptor_path / path.name
            try:
                aside = hidden_path(opened_path, HiddenKind.ASIDE, tag)
                removal = _try_remove(opened_path, aside, listed_file, is_contained, monitor)
                if removal is not _Removal.REMOVED:
                    unremoved[path] = UnremovedFile(path, is_contained=removal is not _Removal.NOT_CONTAINED)
            except OSError as error:
                is_mount = error.errno == errno.EBUSY and mount_above(path, path.parent) is not None
                unremoved[path] = UnremovedFile(path, "" if is_mount else reason_text(error, opened_path), is_mount)
    unremoved |= {each.path: each for each in _remove_empty(folders, top)}
    if inbox.is_dir():
        sync_folder(inbox)
    return [*unremoved.values()]


def _remove_empty(folders: Iterable[Path], top: Path) -> Iterator[UnremovedFile]:
    """Remove those of the folders that are empty, the deepest first; yield empty ones that cannot be removed."""
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        try:
            if is_below_without_links(folder, top):
                folder.rmdir()
        except OSError as error:
            if error.errno not in _IGNORED_ERRORS:
                yield UnremovedFile(folder, reason_text(error, folder))


class _CurrentFolder:
    """The folder of the current file. It stays open, so that its files are found even if a link replaces the folder."""

    def __init__(self, inbox: Path, top: Path) -> None:
        self._inbox = inbox
        self._top = top
        self._folder: Path | None = None
        self._descriptor: int | None = None
        self._is_entered = False
        self.mount: Path | None = None
        """The mount point in the inbox that contains the folder."""
        self.descriptor_path = inbox
        """The path by the descriptor of the open folder (`OpenFolder.descriptor_path`); its own path if it could not be opened."""
        self.existing_folders: list[Path] = []
        """This folder and those between it and the inbox, as far as they exist: a forged list can name very many missing ones."""

    def enter(self, folder: Path) -> bool:
        """Open the inbox or a folder below it; return False for another folder, and behind a link below `top` or a mount."""
        if folder != self._folder:
            self.close()
            self._folder = self.descriptor_path = folder
            self.mount = mount_above(folder, self._inbox)
            self._is_entered = self.mount is None and self._try_open(folder)
            self.existing_folders = [each for each in (folder, *folder.parents) if self._is_in_inbox(each)]
        return self._is_entered

    def _try_open(self, folder: Path) -> bool:
        """Open the inbox or a folder below it, if it exists; return False for another folder, and behind a link below `top`."""
        # is_below_without_links checks the folders above a path, so a path in the folder is needed
        any_file = folder / "any"
        if not (is_below_without_links(any_file, self._inbox) and is_below_without_links(any_file, self._top)):
            return False
        try:
            self._descriptor = open_below(folder, self._top)
        except LinkError:
            return False
        except OSError:  # a missing folder needs no work; any other error is reported for each of its files
            return True
        self.descriptor_path = OpenFolder(self._descriptor, folder).descriptor_path
        return True

    def _is_in_inbox(self, folder: Path) -> bool:
        is_below_inbox = folder != self._inbox and folder.is_relative_to(self._inbox)
        return is_below_inbox and os.path.isdir(folder)  # noqa: PTH112 - False if its path is too long

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None


def _try_remove(
    path: Path,
    aside: Path,
    listed_file: ListedFile,
    is_contained: Callable[[Path, str], bool] | None,
    monitor: Monitor | None,
) -> _Removal:
    """Remove a file if it is still the listed one, and a session contains its bytes. Raises OSError, CancelledError."""
    if not entry_exists(aside):
        if not entry_exists(path):
            return _Removal.REMOVED
        inode = path.lstat().st_ino
        reason = _why_kept(path, listed_file, is_contained, monitor)
        if reason is not None:
            return reason
        path.rename(aside)
        reason = None if _is_same(aside, listed_file, monitor, inode) else _Removal.CHANGED
    else:  # a killed run had renamed it
        reason = _why_kept(aside, listed_file, is_contained, monitor)
    if reason is not None:
        with contextlib.suppress(FileExistsError):  # the name was taken meanwhile: both files are kept
            rename_noreplace(aside, path)
        return reason
    try:
        aside.unlink()
    except OSError:
        with contextlib.suppress(OSError):
            rename_noreplace(aside, path)
        raise
    return _Removal.CHANGED if entry_exists(path) else _Removal.REMOVED


def _why_kept(
    path: Path, listed_file: ListedFile, is_contained: Callable[[Path, str], bool] | None, monitor: Monitor | None
) -> _Removal | None:
    """Return why a file is not removed; None if it may be removed. Raises OSError, CancelledError."""
    if not _is_same(path, listed_file, monitor):
        return _Removal.CHANGED
    if is_contained and not is_contained(path, listed_file.sha256):
        return _Removal.NOT_CONTAINED
    return None


def _is_same(path: Path, listed_file: ListedFile, monitor: Monitor | None, inode: int | None = None) -> bool:
    """Return whether size, modification time and bytes are equal. Raises OSError, CancelledError.

    `inode` is that of a file whose bytes were just compared. If it is equal, the bytes are not read again.
    """
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode) or (status.st_size, status.st_mtime_ns) != (
        listed_file.size,
        listed_file.mtime_ns,
    ):
        return False
    if status.st_ino == inode:
        return True
    return hash_file(str(path), monitor=monitor_of(status.st_size, monitor))[1] == listed_file.sha256
