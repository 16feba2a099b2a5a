"""Moves the files of a replaced session whose content exists nowhere else, and removes all others."""

import contextlib
import errno
from collections.abc import Collection
from pathlib import Path

from qxbatch.core import CancelledError, Monitor
from qxbatch.large_files import monitor_of
from qxbatch.publish.archived_hashes import archived_hashes
from qxbatch.publish.below import opened_below
from qxbatch.publish.comparable import comparable_content
from qxbatch.publish.file_states import FileStates, file_states_in, remove_unchanged
from qxbatch.publish.known_bytes import KnownBytes, SessionHashes
from qxbatch.publish.open_folders import OpenFolder, opened_folder, opened_in
from qxbatch.publish.plain_files import entry_exists
from qxbatch.session.layout import QXBATCH_FOLDER, is_from_packet
from qxbatch.session.paths import SessionPaths
from qxbatch.session.sorted_sums import has_valid_sums, unchanged_files

_TRIES = 20
_SUMS_AT = SessionPaths(Path()).sorted_sums
"""Path, in a session, of the list of the hashes of files that `qxbatch sort` generated (`qxbatch/sorted.sha256`)."""
_OTHERS, _RECORDS, _SUMS = range(3)
"""The order in which files leave a replaced session. A repeated call needs the records (files in `qxbatch`) and the sums last."""


def separate_unique_files(
    old: Path,
    unique: Path,
    session: Path,
    archive: Path | None,
    *,
    keep_all: bool = False,
    monitor: Monitor | None = None,
) -> None:
    """Move the files that exist only in `old` to `unique`, and remove the others. An interrupted call can be repeated.

    With `keep_all`, all files are moved. When the monitor is cancelled, large files are moved without a comparison. Another program
    may write to the folder meanwhile, so a file is removed only if it is unchanged since it was compared. A file that appears or
    changes is moved. All paths except `archive` are below the sessions folder, the parent of `session`. Raises OSError, and
    ValueError if the ledger of `session` is damaged.
    """
    top = session.parent
    _remove_unchanged(old, top, {})  # removes empty folders, and gives the owner access to the others
    if not entry_exists(old):
        return
    with opened_below(old, top) as source:
        states = file_states_in(source)
        unique_files = states.keys() if keep_all else _unique_files(source, session, archive, states, monitor)
        removable = states.keys() - unique_files
        for rank in (_OTHERS, _RECORDS, _SUMS):
            for file in unique_files:
                if _rank(file) == rank:
                    _move(file, source, unique, top)
            _remove_unchanged(old, top, {file: states[file] for file in removable if _rank(file) <= rank})
    for _ in range(_TRIES):
        try:
            with opened_below(old, top) as source:
                for file in file_states_in(source):
                    _move(file, source, unique, top)
        except FileNotFoundError:
            if not entry_exists(old):
                return
        _remove_unchanged(old, top, {})
    if entry_exists(old):
        raise OSError(errno.EBUSY, "another program writes to it", str(old))


def _rank(file: Path) -> int:
    if file == _SUMS_AT:
        return _SUMS
    return _RECORDS if file.parts[0] == QXBATCH_FOLDER else _OTHERS


def _move(file: Path, source: OpenFolder, unique: Path, top: Path) -> None:
    folder = file.parent.parts
    with (
        contextlib.suppress(FileNotFoundError),  # another program removed it meanwhile
        opened_in(source, folder) as here,
        opened_below(Path(unique, *folder), top, create=True) as there,
    ):
        here.rename(file.name, there, there.unused_name(file.name))


def _remove_unchanged(old: Path, top: Path, states: FileStates) -> None:
    with opened_below(old.parent, top) as parent:
        if parent.has(old.name):
            remove_unchanged(parent, old.name, states)


def _unique_files(
    source: OpenFolder, session: Path, archive: Path | None, states: FileStates, monitor: Monitor | None
) -> Collection[Path]:
    """Return the files of the replaced session whose content is neither in the new session nor in an archived packet.

    Only files with bytes of packet members (`is_from_packet`) are compared with archived packets. Files that cannot be read are
    among the returned ones, and so are large files once the monitor is cancelled. Then no archived packet is read. Unedited files
    that `qxbatch sort` generated are not returned. Raises OSError, ValueError.
    """
    known = KnownBytes(source, SessionHashes(session, monitor))
    with opened_folder(session) as new:
        unique_files = [
            file
            for file in states
            if not (_is_counterpart(source, new, file, monitor) or _is_known(known, file, monitor))
        ]
    if archive is not None and any(map(is_from_packet, unique_files)):
        archived = KnownBytes(source, archived_hashes(source, archive, session.parent, monitor))
        unique_files = [
            file for file in unique_files if not (is_from_packet(file) and _is_known(archived, file, monitor))
        ]
    generated = _unedited_generated_files(SessionPaths(source.descriptor_path))
    return [file for file in unique_files if file not in generated]


def _is_known(known: KnownBytes, file: Path, monitor: Monitor | None) -> bool:
    try:
        return known.has(file, monitor)
    except (OSError, CancelledError):
        return False


def _unedited_generated_files(old: SessionPaths) -> set[Path]:
    """Return the files that `qxbatch sort` generated and nobody edited. They are not kept: the new session has their facts."""
    return {*map(Path, unchanged_files(old)), *([_SUMS_AT] if has_valid_sums(old) else [])}


def _is_counterpart(old: OpenFolder, new: OpenFolder, file: Path, monitor: Monitor | None) -> bool:
    """Return whether both sessions have a file at this path with equal content (`comparable_content`).

    False for a file that cannot be read, and for a large one when the monitor is cancelled.
    """
    at, folder = file.as_posix(), file.parent.parts
    try:
        with opened_in(old, folder) as here, opened_in(new, folder) as there:
            paths = [each.descriptor_path / file.name for each in (here, there)]
            if any(path.is_symlink() for path in paths) or not paths[1].is_file():
                return False
            sizes = [path.stat().st_size for path in paths]
            large_file_monitor = monitor_of(max(sizes), monitor)
            return (large_file_monitor is None or sizes[0] == sizes[1]) and comparable_content(
                paths[0], at, large_file_monitor
            ) == comparable_content(paths[1], at, large_file_monitor)
    except (OSError, CancelledError):
        return False
