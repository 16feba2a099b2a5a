"""Folder mode: numbers for archives of one name, chosen by a run and kept for the next one in case this one is killed."""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from qxbatch.archive.alike import Content
from qxbatch.archive.numbers import Numbers, choose_numbers
from qxbatch.discover.results import was_parted
from qxbatch.publish.durable import make_folder, write_json
from qxbatch.publish.journal import HIGHEST_NUMBER
from qxbatch.publish.locks import Locks
from qxbatch.publish.plain import read_plain
from qxbatch.publish.workspace import Workspace
from qxbatch.session.contents import has_results
from qxbatch.settings.model import Settings


def keep_numbers(archives: Mapping[Path, Content], settings: Settings, workspace: Workspace, locks: Locks) -> Numbers:
    """Return the numbers of archives whose names are not theirs alone, and write them down.

    Also where packets are to be deleted: one of which a series fails is archived.

    Raises OSError when they cannot be written down.
    """
    if not _chosen(archives, settings, _read(workspace)):
        return {}
    make_folder(workspace.top)
    with locks.waiting("archive"):
        earlier = _read(workspace)
        found = _chosen(archives, settings, earlier)
        _write(workspace, earlier, {**earlier, **found})
    return found


def forget_numbers(workspace: Workspace, locks: Locks, inboxes: Sequence[Path] = ()) -> None:
    """Remove numbers that are needed no more.

    They are those in the inboxes, which this run is done with, of archives that are gone, and of sessions that have results.
    Those that another run chose for sessions that wait stay. While another run is at work all of them do: it ends later.
    """
    if not any(os.path.lexists(path) for path in (workspace.numbers, workspace.new_numbers)):
        return
    with contextlib.suppress(OSError):  # the next run does it
        lock = locks.take("archive")
        if lock is None:
            return
        try:
            if not _at_work(workspace):
                workspace.new_numbers.unlink(missing_ok=True)
                earlier = _read(workspace)
                done = set(inboxes)
                left = {p: k for p, k in earlier.items() if not (done.intersection(p.parents) or _done(workspace, p))}
                _write(workspace, earlier, left)
        finally:
            locks.release(lock)


def _chosen(archives: Mapping[Path, Content], settings: Settings, earlier: Numbers) -> dict[Path, int]:
    """`earlier` was read before the archive is listed: what is archived in between is in both, and not in none."""
    there: set[str] = set()
    with contextlib.suppress(OSError):
        there = set(os.listdir(settings.archive_folder))  # noqa: PTH208 - names, not paths
    return choose_numbers({path: each for path, each in archives.items() if os.path.lexists(path)}, there, earlier)


def _at_work(workspace: Workspace) -> bool:
    """Whether another run holds a lock, or a killed one left what is to be finished."""
    return len(list(workspace.locks.iterdir())) > 1 or bool(workspace.units() or workspace.journaled())


def _done(workspace: Workspace, archive: Path) -> bool:
    session = archive.relative_to(workspace.sessionsfolder).parts[0]
    return has_results(workspace.sessionsfolder / session) or was_parted(workspace.sessionsfolder, session)


def _read(workspace: Workspace) -> dict[Path, int]:
    """Return the numbers of archives that are still there; what a run cannot have written is left out."""
    try:
        told = json.loads(read_plain(workspace.numbers) or b"null")
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(told, dict):
        return {}
    found = {workspace.sessionsfolder / path: k for path, k in told.items() if _is_number(k) and _is_below(path)}
    return {path: k for path, k in found.items() if os.path.lexists(path)}


def _is_number(k: object) -> bool:
    return isinstance(k, int) and not isinstance(k, bool) and 1 <= k < HIGHEST_NUMBER


def _is_below(path: str) -> bool:
    parts = Path(path).parts
    return bool(parts) and not Path(path).is_absolute() and ".." not in parts


def _write(workspace: Workspace, earlier: Numbers, numbers: Numbers) -> None:
    if not numbers:
        workspace.numbers.unlink(missing_ok=True)
    elif numbers != earlier:
        top = workspace.sessionsfolder
        write_json(workspace.numbers, {os.fspath(path.relative_to(top)): k for path, k in numbers.items()})
