"""Handles the files of a replaced session: those whose bytes exist nowhere else are kept, the others are removed."""

import errno
import os
from pathlib import Path

from qxbatch.core import Monitor
from qxbatch.discover.own_names import HiddenKind
from qxbatch.publish.below import opened_below, remove_below
from qxbatch.publish.durable import make_folder, remove_tree, sync_tree
from qxbatch.publish.plain_files import entry_exists, refuse_link
from qxbatch.publish.same_content import same_content
from qxbatch.publish.transfer import copy_verified, hidden_path, try_rename
from qxbatch.publish.unique_files import separate_unique_files

KEPT_SUFFIX = ".kept"
"""Suffix of the folder in staging to which the replaced files to keep are moved first. It is beside that of all replaced files."""


def keep_unique_files(
    old: Path,
    session: Path,
    replaced_folder: Path,
    archive: Path | None,
    tag: str,
    *,
    keep_all: bool = False,
    monitor: Monitor | None = None,
) -> Path | None:
    """Move the files below `old` whose bytes exist nowhere else to `<replaced_folder>/<session>-<k>`; remove the others.

    Returns the folder to which files were moved; None if there were none. `old` is the folder in staging with the files of the
    replaced session; `session` is the folder of the new one. The bytes are searched for in the new session and, unless `archive`
    is None, in those packets in the folder `archive` from which the old session was imported. With `keep_all`, nothing is
    searched and all files are moved. When `monitor` is cancelled, large files are moved without a search. `tag` is part of the
    names of hidden copies. An interrupted call can be repeated.

    Raises OSError, also if one of the folders beside `old` that this call uses is a link, and ValueError if the ledger of the new
    session is damaged.
    """
    top = session.parent
    unique_name, discarded_name = f"{old.name}{KEPT_SUFFIX}", f"{old.name}.rest"
    for name in (unique_name, discarded_name):
        refuse_link(old.with_name(name))
    if entry_exists(old):
        separate_unique_files(old, old.with_name(unique_name), session, archive, keep_all=keep_all, monitor=monitor)
    if not entry_exists(old.parent):
        return None
    with opened_below(old.parent, top) as staging:
        remove_below(old.with_name(discarded_name), top)
        if not staging.has(unique_name):
            return None
        return _move_unique(staging.descriptor_path, old.name, replaced_folder, tag)


def _move_unique(staging: Path, name: str, replaced_folder: Path, tag: str) -> Path:
    """Move the files to keep of the session `name` to the first unused `<name>-<k>`; return that folder. Raises OSError."""
    unique, discarded = staging / f"{name}{KEPT_SUFFIX}", staging / f"{name}.rest"
    make_folder(replaced_folder)
    copy = hidden_path(replaced_folder / name, HiddenKind.COPY, tag)
    k = 1
    while entry_exists(replaced_folder / f"{name}-{k}"):
        k += 1
    previous = replaced_folder / f"{name}-{k - 1}"
    if k > 1 and _is_same(unique, previous):  # a killed run copied it there
        remove_tree(copy)
        _discard(unique, discarded)
        return previous
    sync_tree(unique)
    if (target := _rename_to_unused(unique, replaced_folder, name, k)) is not None:
        return target
    copy_verified(unique, copy)
    target = _rename_to_unused(copy, replaced_folder, name, k)
    if target is None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(copy))
    _discard(unique, discarded)
    return target


def _is_same(unique: Path, previous: Path) -> bool:
    """Return whether two folders are equal; False if one cannot be read, for example because a path is too long."""
    try:
        return same_content(unique, previous)
    except OSError:
        return False


def _rename_to_unused(source: Path, replaced_folder: Path, name: str, k: int) -> Path | None:
    """Rename to the first unused `<name>-<k>`, from this k on; return the path, None if it is on another file system.

    Another study may share the folder and use the same names.
    """
    while True:
        try:
            return replaced_folder / f"{name}-{k}" if try_rename(source, replaced_folder / f"{name}-{k}") else None
        except FileExistsError:
            k += 1


def _discard(unique: Path, discarded: Path) -> None:
    """Remove a folder that was copied. It is renamed first: if the run is killed, the next one finds all of it or nothing."""
    unique.rename(discarded)
    remove_tree(discarded)
