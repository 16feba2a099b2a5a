"""Folder mode (`--masterinbox=none`): stores the numbers that archives with the same name get in the archive folder.

So the jobs of a cluster, and the run after a killed one, use the same numbers (qxbatch.archive.numbers says what they are for).
`Workspace.numbers_path` is the path of the file.
"""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from qxbatch.archive.content_keys import ContentKey
from qxbatch.archive.names import NAME_LOCK
from qxbatch.archive.numbers import Numbers, choose_numbers
from qxbatch.discover.split_before import was_split
from qxbatch.publish.below import opened_below
from qxbatch.publish.durable import make_folder, write_json
from qxbatch.publish.journal import NUMBER_LIMIT
from qxbatch.publish.locks import Locks
from qxbatch.publish.plain_files import InTheWayError, clear_path, read_plain
from qxbatch.publish.workspace import Workspace
from qxbatch.session.contents import has_results
from qxbatch.settings.model import Settings
from qxbatch.textfile import naming_path


def choose_and_store_numbers(
    archives: Mapping[Path, ContentKey], settings: Settings, workspace: Workspace, locks: Locks
) -> Numbers:
    """Choose the numbers of archives whose names are not unique; store and return them.

    Packets that are to be deleted need numbers, too, since a packet with a failed series is moved to the archive.

    Raises OSError when they cannot be stored, or stored ones cannot be read.
    """
    if not archives or not _choose(archives, settings, _of_existing(_read(workspace))):
        return {}
    make_folder(workspace.top)
    with locks.acquired(NAME_LOCK):
        stored = _read(workspace)
        previous = _of_existing(stored)
        numbers = _choose(archives, settings, previous)
        _write(workspace, stored, {**previous, **numbers})
    return numbers


def forget_numbers(workspace: Workspace, locks: Locks, inboxes: Sequence[Path] = ()) -> None:
    """Remove the stored numbers that are no longer needed; if that fails, the next run does it.

    These are the numbers of archives in `inboxes`, with which this run has finished, of archives that are missing, and of archives
    whose sessions have results or were split. The other archives belong to sessions that wait. While another run works, or a killed
    run left unfinished work, all numbers are kept.
    """
    if not any(os.path.lexists(path) for path in (workspace.numbers_path, workspace.temporary_numbers_path)):
        return
    with contextlib.suppress(OSError):  # the next run does this
        lock = locks.take(NAME_LOCK)
        if lock is None:
            return
        try:
            if not _has_other_work(workspace):
                _clear(workspace, workspace.temporary_numbers_path)
                stored = _read(workspace)
                finished_inboxes = set(inboxes)
                remaining = {
                    path: k
                    for path, k in _of_existing(stored).items()
                    if not (finished_inboxes.intersection(path.parents) or _has_imported_session(workspace, path))
                }
                _write(workspace, stored, remaining)
        finally:
            locks.release(lock)


def _choose(archives: Mapping[Path, ContentKey], settings: Settings, previous: Numbers) -> dict[Path, int]:
    """Return the chosen numbers.

    The caller reads `previous` before this function lists the archive folder. So a packet that is archived in between is in
    `previous` or in the archive folder.
    """
    existing: set[str] = set()
    with contextlib.suppress(OSError):
        existing = set(os.listdir(settings.archive_folder))  # noqa: PTH208 - names, not paths
    return choose_numbers(
        {path: content for path, content in archives.items() if os.path.lexists(path)}, existing, previous
    )


def _has_other_work(workspace: Workspace) -> bool:
    """Return whether another run holds a lock, or a killed one left unfinished work."""
    has_other_locks = len(list(workspace.locks_folder.iterdir())) > 1  # one is that of the caller
    return has_other_locks or bool(workspace.units() or workspace.units_with_journal())


def _has_imported_session(workspace: Workspace, archive: Path) -> bool:
    """Return whether the session of an archive has results, or was split into other sessions."""
    session = archive.relative_to(workspace.sessionsfolder).parts[0]
    return has_results(workspace.sessionsfolder / session) or was_split(workspace.sessionsfolder, session)


def _read(workspace: Workspace) -> dict[Path, int]:
    """Return the stored numbers, without values that no run writes.

    Raises OSError if the file cannot be read, or is no JSON object: the numbers of other runs in it would be lost.
    """
    with naming_path(workspace.numbers_path):
        text = read_plain(workspace.numbers_path)
    try:
        content = json.loads(text or b"{}")
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise InTheWayError(workspace.numbers_path, "not a file of numbers that qxbatch wrote")
    return {
        workspace.sessionsfolder / path: k for path, k in content.items() if _is_number(k) and _is_relative_path(path)
    }


def _of_existing(numbers: Numbers) -> dict[Path, int]:
    """Return the numbers of the archives that exist."""
    return {path: k for path, k in numbers.items() if os.path.lexists(path)}


def _is_number(k: object) -> bool:
    return isinstance(k, int) and not isinstance(k, bool) and 1 <= k < NUMBER_LIMIT


def _is_relative_path(path: str) -> bool:
    components = Path(path).parts
    return bool(components) and not Path(path).is_absolute() and ".." not in components


def _write(workspace: Workspace, stored: Numbers, numbers: Numbers) -> None:
    """Store these numbers in place of the stored ones; without numbers, remove the file."""
    path, top = workspace.numbers_path, workspace.sessionsfolder
    if not numbers:
        _clear(workspace, path)
    elif numbers != stored:
        content = {os.fspath(archive.relative_to(top)): k for archive, k in numbers.items()}
        with opened_below(path.parent, top) as folder:
            write_json(folder.descriptor_path / path.name, content, visible_path=path)


def _clear(workspace: Workspace, path: Path) -> None:
    """Remove a file of the workspace if it exists. Raises OSError, LinkError."""
    with opened_below(path.parent, workspace.sessionsfolder) as folder:
        clear_path(folder.descriptor_path / path.name, path)
