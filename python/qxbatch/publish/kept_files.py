"""Folder mode (`--masterinbox=none`): moves kept files of archives to the session's own inbox, to their names in the ledger.

A kept file is a member that belongs to no series, such as a text. The inbox belongs to the user. If a file or folder with one of
these names appeared in it after the session was built, it gets a numbered name.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from qxbatch.publish.durable import sync_entries
from qxbatch.publish.open_folders import OpenFolder, Parts, opened_in, remove_empty_folders, walk_in
from qxbatch.session.layout import INBOX

_TRIES = 20


class RenamedFile(NamedTuple):
    """A file or folder of the user that had the name of a kept file, or a file that had the name of a folder with kept files."""

    path: Path
    new_path: Path


def place_kept_files(build: OpenFolder, session: OpenFolder) -> list[RenamedFile]:
    """Move the files of the build's inbox one by one; return what was renamed for them. An interrupted call can be repeated.

    Raises OSError, LinkError.
    """
    renamed_files: list[RenamedFile] = []
    with opened_in(build, (INBOX,)) as source:
        for parts, folder, files in walk_in(source):
            if not files:
                continue
            renamed_files += _create_folders(session, (INBOX, *parts))
            with opened_in(session, (INBOX, *parts), create=True) as target:
                for name in files:
                    renamed_files += _move_file(folder, name, target)
                sync_entries(target.descriptor)
    remove_empty_folders(build, INBOX)
    return renamed_files


def _create_folders(session: OpenFolder, parts: Parts) -> Iterator[RenamedFile]:
    """Create the folders for kept files; yield the files that had the name of a folder and were renamed."""
    for k, name in enumerate(parts):
        with opened_in(session, parts[:k]) as folder:
            if folder.has_file(name):
                yield from _rename_entry(folder, name)
        with opened_in(session, parts[: k + 1], create=True):
            pass


def _move_file(folder: OpenFolder, name: str, target: OpenFolder) -> Iterator[RenamedFile]:
    """Move a kept file; yield what had its name and was renamed."""
    for _ in range(_TRIES):
        with contextlib.suppress(FileExistsError):
            folder.rename_noreplace(name, target, name)
            return
        yield from _rename_entry(target, name)
    raise OSError(errno.EBUSY, "another program creates it again and again", str(target.path / name))


def _rename_entry(folder: OpenFolder, name: str) -> Iterator[RenamedFile]:
    """Give an entry a numbered name; yield it, or nothing if it is missing now."""
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    k = 2
    while folder.has(name):
        new_name = f"{stem}_{k}{ending}"
        k += 1
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            folder.rename_noreplace(name, folder, new_name, others_may_write_source=True)
            yield RenamedFile(folder.path / name, folder.path / new_name)
            return
