"""Handles the files that an exchange removed from a session: keeps last copies, removes what the new session contains."""

import errno
import os
from pathlib import Path

from qxbatch.discover.own_names import Use
from qxbatch.publish.durable import make_folder, remove_tree, sync_tree
from qxbatch.publish.plain import refuse_link
from qxbatch.publish.same import same_content
from qxbatch.publish.taken_apart import take_apart
from qxbatch.publish.transfer import copied, hidden_path, renamed


def keep_replaced(old: Path, session: Path, replaced_folder: Path, archive: Path | None, tag: str) -> Path | None:
    """Move the files below `old` whose bytes exist nowhere else to `<replaced_folder>/<session>-<k>`; remove the others.

    The other places are the session, and the packets in `archive` that the old session was imported from. Returns the new
    location of the files, or None if there were none. An interrupted call can be repeated. `tag` is in the names of hidden
    copies. Raises OSError, also if a folder beside `old` that this uses is a link.
    """
    unique, remaining = old.with_name(f"{old.name}.kept"), old.with_name(f"{old.name}.rest")
    for path in (unique, remaining):
        refuse_link(path)
    if old.exists():
        take_apart(old, unique, session, archive)
    remove_tree(remaining)
    if not unique.exists():
        return None
    make_folder(replaced_folder)
    copy = hidden_path(replaced_folder / old.name, Use.COPY, tag)
    k = 1
    while os.path.lexists(replaced_folder / f"{old.name}-{k}"):
        k += 1
    previous = replaced_folder / f"{old.name}-{k - 1}"
    if k > 1 and same_content(unique, previous):  # a killed run copied it there
        remove_tree(copy)
        _discard(unique, remaining)
        return previous
    sync_tree(unique)
    if (target := _placed(unique, replaced_folder, old.name, k)) is not None:
        return target
    copied(unique, copy)
    target = _placed(copy, replaced_folder, old.name, k)
    if target is None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(copy))
    _discard(unique, remaining)
    return target


def _placed(source: Path, replaced_folder: Path, name: str, k: int) -> Path | None:
    """Rename to the first unused name from k, even if another study shares the folder; return None across file systems."""
    while True:
        try:
            return replaced_folder / f"{name}-{k}" if renamed(source, replaced_folder / f"{name}-{k}") else None
        except FileExistsError:
            k += 1


def _discard(unique: Path, remaining: Path) -> None:
    """Rename in one step, so that a rerun finds all of it or nothing."""
    unique.rename(remaining)
    remove_tree(remaining)
