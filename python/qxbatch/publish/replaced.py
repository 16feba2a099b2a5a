"""Handles the files that an exchange removed from a session: keeps last copies, removes what the new session contains."""

import errno
import os
import re
import stat
from pathlib import Path

from qxbatch.core import hash_file, hash_gzip, hash_tar_gz
from qxbatch.discover.own_names import Use
from qxbatch.publish.archived import archived_hashes
from qxbatch.publish.comparable import comparable
from qxbatch.publish.durable import make_folder, remove_tree, sync_tree
from qxbatch.publish.plain import refuse_link, refuse_links_between
from qxbatch.publish.same import same_content
from qxbatch.publish.transfer import copied, hidden_path, renamed
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import (
    PACKED,
    QXBATCH_FOLDER,
    is_from_packet,
)
from qxbatch.session.ledger import STORED
from qxbatch.session.paths import SessionPaths
from qxbatch.session.sorted_sums import is_list, unchanged_files
from qxbatch.walk import raised, walk

_PACKED_SERIES = re.compile(rf"\d+{re.escape(PACKED)}")


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
        _sort_out(old, unique, session, archive)
        old.rename(remaining)
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


def _sort_out(old: Path, unique: Path, session: Path, archive: Path | None) -> None:
    """Move files that exist only in `old` to `kept`; its own records are moved last, since a resumed run reads them."""
    known_hashes = _hashes_in(session)
    only_here = [path for path in _files(old) if not _covered(old, path.relative_to(old), session, known_hashes)]
    if archive is not None and any(is_from_packet(path.relative_to(old)) for path in only_here):
        known_hashes = archived_hashes(old, archive, old.with_name(f"{old.name}.check"))
        only_here = [
            path for path in only_here if not (is_from_packet(path.relative_to(old)) and _is_known(path, known_hashes))
        ]
    generated = _generated(SessionPaths(old))
    only_here = [path for path in only_here if path.relative_to(old).as_posix() not in generated]
    for path in sorted(only_here, key=lambda path: path.relative_to(old).parts[0] == QXBATCH_FOLDER):
        place = unique / path.relative_to(old)
        refuse_links_between(place, unique)
        make_folder(place.parent)
        path.rename(place)


def _generated(old: SessionPaths) -> set[str]:
    """Return the files that sorting generated and that nobody edited: the new session has the same facts and more."""
    listed = {old.sorted_sums.relative_to(old.folder).as_posix()} if is_list(old) else set()
    return unchanged_files(old) | listed


def _files(top: Path) -> list[Path]:
    """Return files and links below a folder, including links to folders. Raises OSError if a folder cannot be listed."""
    paths = []
    for folder, folders, files in walk(top, topdown=False, onerror=raised):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        paths += [Path(folder, name) for name in (*files, *links) if _has_content(Path(folder, name))]
    return paths


def _has_content(path: Path) -> bool:
    """Return whether a path is a file or a link; a FIFO, socket or device has no bytes to keep."""
    kind = path.lstat().st_mode
    return stat.S_ISREG(kind) or stat.S_ISLNK(kind)


def _hashes_in(session: Path) -> set[str]:
    """Return the hashes of the packet bytes that the session contains, by its ledger."""
    rows = SessionFolder(session).ledger()
    return {digest for row in rows if row.fate in STORED for digest in (row.sha256, row.content_sha256)}


def _covered(old: Path, place: Path, session: Path, known_hashes: set[str]) -> bool:
    """Return whether the session has the content of the file at that place in `old`."""
    path, counterpart, at = old / place, session / place, place.as_posix()
    if path.is_symlink():
        return False
    return (counterpart.is_file() and comparable(path, at) == comparable(counterpart, at)) or _is_known(
        path, known_hashes
    )


def _is_known(path: Path, known_hashes: set[str]) -> bool:
    """Return whether the bytes of a file, or of all members of a series' archive, are among these hashes."""
    if path.is_symlink():
        return False
    try:
        if _PACKED_SERIES.fullmatch(path.name):
            members = hash_tar_gz(str(path))
            return bool(members) and all(digest in known_hashes for _, _, digest in members)
        if path.suffix == ".gz" and hash_gzip(str(path))[1] in known_hashes:
            return True
    except ValueError:
        return False  # a damaged archive may contain unique data
    return hash_file(str(path))[1] in known_hashes
