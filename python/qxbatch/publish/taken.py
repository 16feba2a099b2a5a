"""Folder mode: sorted files leave `<session>/inbox` one by one, each only when it is still the file that was sorted.

The list is written before the session is published. A file whose size, time, inode or bytes changed since stays.
"""

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from qxbatch.cells import member_path
from qxbatch.core import hash_file
from qxbatch.os_error import reason_text
from qxbatch.publish.durable import sync_folder

_STAYS = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT)
"""A folder that holds what stays, or is gone already."""


@dataclass(frozen=True)
class Taken:
    """A loose file whose bytes lie in the session now."""

    path: Path
    """Below the inbox."""
    size: int
    mtime_ns: int
    inode: int
    sha256: str


@dataclass(frozen=True)
class Stayed:
    """A listed file that did not leave the inbox, or a folder that is empty now."""

    path: Path
    error: str = ""
    """Why it could not; empty when it changed since it was read."""


def note(inbox: Path, members: Iterable[tuple[str, str]], out: Path) -> None:
    """Write the list of files (ledger path, sha256) that are to leave the inbox; on disk when the call returns."""
    with out.open("w", encoding="utf-8", newline="\n") as file:
        for text, digest in members:
            status = (inbox / member_path(text)).lstat()
            file.write(f"{status.st_size}\t{status.st_mtime_ns}\t{status.st_ino}\t{digest}\t{text}\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(out.parent)


def take(inbox: Path, listed: Path) -> list[Stayed]:
    """Remove the listed files from the inbox, and the folders that this empties; return those that stay.

    A call that was cut short can be repeated.
    """
    stayed: list[Stayed] = []
    folders: set[Path] = set()
    for taken in _read(listed):
        path = inbox / taken.path
        folders.update(parent for parent in path.parents if inbox in parent.parents)
        if not os.path.lexists(path):
            continue
        try:
            if _is_same(path, taken):
                path.unlink()
            else:
                stayed.append(Stayed(path))
        except OSError as error:
            stayed.append(Stayed(path, reason_text(error, path)))
    for folder in sorted(folders, key=lambda f: -len(f.parts)):
        try:
            folder.rmdir()
        except OSError as error:
            if error.errno not in _STAYS:
                stayed.append(Stayed(folder, reason_text(error, folder)))
    if inbox.is_dir():
        sync_folder(inbox)
    return stayed


def _read(listed: Path) -> Iterable[Taken]:
    with listed.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            size, mtime, inode, digest, text = line.rstrip("\n").split("\t")
            yield Taken(member_path(text), int(size), int(mtime), int(inode), digest)


def _is_same(path: Path, taken: Taken) -> bool:
    status = path.lstat()
    if (status.st_size, status.st_mtime_ns, status.st_ino) != (taken.size, taken.mtime_ns, taken.inode):
        return False
    return hash_file(str(path))[1] == taken.sha256
