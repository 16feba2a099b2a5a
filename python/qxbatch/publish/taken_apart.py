"""Takes a replaced session apart: files that it alone has are moved, and of the others those that were compared are removed."""

import contextlib
import errno
import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from qxbatch.core import hash_file, hash_gzip, hash_tar_gz
from qxbatch.publish.archived import archived_hashes
from qxbatch.publish.comparable import comparable
from qxbatch.publish.durable import make_folder
from qxbatch.publish.plain import refuse_links_between, unused_name
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import PACKED, QXBATCH_FOLDER, is_from_packet
from qxbatch.session.ledger import STORED
from qxbatch.session.paths import SessionPaths
from qxbatch.session.sorted_sums import is_list, unchanged_files
from qxbatch.walk import raised, remove, walk

_PACKED_SERIES = re.compile(rf"\d+{re.escape(PACKED)}")
_TRIES = 20
_OTHERS, _RECORDS, _SUMS = range(3)
"""The order in which files leave a session: a resumed call reads the records, and the sums of a sorted session."""


def take_apart(old: Path, unique: Path, session: Path, archive: Path | None) -> None:
    """Move the files that exist only in `old` to `unique`, and remove the others. An interrupted call can be repeated.

    A program that works in a folder of the session may write to it meanwhile. So only files that are still those that were
    compared are removed: one that appears or changes is moved. Raises OSError.
    """
    compared = {path: path.lstat() for path in _files(old)}
    only_here = _only_here(old, session, archive, compared)
    removable = compared.keys() - only_here
    for rank in (_OTHERS, _RECORDS, _SUMS):
        for path in only_here:
            if _rank(path, old) == rank:
                _move(path, old, unique)
        _remove_compared(old, {path: compared[path] for path in removable if _rank(path, old) <= rank})
    for _ in range(_TRIES):
        if not old.exists():
            return
        for path in _files(old):
            _move(path, old, unique)
        _remove_compared(old, {})
    if old.exists():
        raise OSError(errno.EBUSY, "another program writes to it", str(old))


def _rank(path: Path, old: Path) -> int:
    if path == SessionPaths(old).sorted_sums:
        return _SUMS
    return _RECORDS if path.relative_to(old).parts[0] == QXBATCH_FOLDER else _OTHERS


def _move(path: Path, old: Path, unique: Path) -> None:
    place = unique / path.relative_to(old)
    refuse_links_between(path, old.parent)
    refuse_links_between(place, unique)
    make_folder(place.parent)
    refuse_links_between(place, unique)  # somebody can have put one there since
    with contextlib.suppress(FileNotFoundError):  # a program that works in this folder removed it
        path.rename(unused_name(place))


def _remove_compared(old: Path, compared: Mapping[Path, os.stat_result]) -> None:
    """Remove the files with these states, and what has no bytes; then the empty folders."""
    states = {(state.st_dev, state.st_ino): state for state in compared.values()}

    def is_compared(now: os.stat_result) -> bool:
        before = states.get((now.st_dev, now.st_ino))
        return not _has_bytes(now) or (before is not None and _is_same_state(before, now))

    if old.exists():
        remove(old, is_compared)


def _is_same_state(before: os.stat_result, now: os.stat_result) -> bool:
    """Return whether a file is unchanged; the change time of a hard link also changes when its other name is removed."""
    return (before.st_size, before.st_mtime_ns) == (now.st_size, now.st_mtime_ns) and (
        before.st_ctime_ns == now.st_ctime_ns or before.st_nlink > 1
    )


def _only_here(old: Path, session: Path, archive: Path | None, paths: Iterable[Path]) -> Collection[Path]:
    """Return those of the files of `old` whose content is neither in the session nor in an archived packet."""
    known_hashes = _hashes_in(session)
    only_here = [path for path in paths if not _covered(old, path.relative_to(old), session, known_hashes)]
    if archive is not None and any(is_from_packet(path.relative_to(old)) for path in only_here):
        known_hashes = archived_hashes(old, archive, old.with_name(f"{old.name}.check"))
        only_here = [
            path for path in only_here if not (is_from_packet(path.relative_to(old)) and _is_known(path, known_hashes))
        ]
    generated = _generated(SessionPaths(old))
    return [path for path in only_here if path.relative_to(old).as_posix() not in generated]


def _generated(old: SessionPaths) -> set[str]:
    """Return the files that sorting generated and that nobody edited: the new session has the same facts and more."""
    listed = {old.sorted_sums.relative_to(old.folder).as_posix()} if is_list(old) else set()
    return unchanged_files(old) | listed


def _files(top: Path) -> list[Path]:
    """Return files and links below a folder, including links to folders. Raises OSError if a folder cannot be listed."""
    paths = []
    for folder, folders, files in walk(top, topdown=False, onerror=raised):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        paths += [Path(folder, name) for name in (*files, *links) if _has_bytes(Path(folder, name).lstat())]
    return paths


def _has_bytes(state: os.stat_result) -> bool:
    """Return whether this is a file or a link; a FIFO, socket or device has no bytes to keep."""
    return stat.S_ISREG(state.st_mode) or stat.S_ISLNK(state.st_mode)


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
