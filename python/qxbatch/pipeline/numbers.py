"""Folder mode: numbers for archives of one name, chosen by a run and kept for the next one in case this one is killed."""

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from qxbatch.archive.numbers import Numbers, choose_numbers
from qxbatch.pipeline.unit import Unit
from qxbatch.publish.durable import make_folder, write_json
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Archive, Settings


def numbers_of(units: Sequence[Unit], settings: Settings, workspace: Workspace, locks: Locks) -> Numbers:
    """Return the numbers of the archives that the units' inboxes hold, where their names are not theirs alone.

    Raises OSError when they cannot be written down.
    """
    inboxes = [unit.inbox for unit in units if unit.inbox is not None]
    if not inboxes or settings.archive not in (Archive.MOVE, Archive.COPY):
        return {}
    if not choose_numbers(inboxes, _names(settings.archive_folder), _read(workspace)):
        return {}
    make_folder(workspace.top)
    with locks.waiting("archive"):
        earlier = _read(workspace)
        found = choose_numbers(inboxes, _names(settings.archive_folder), earlier)
        kept = {**earlier, **found}
        if kept != earlier:
            top = workspace.sessionsfolder
            write_json(workspace.numbers, {os.fspath(path.relative_to(top)): k for path, k in kept.items()})
    return found


def _names(folder: Path) -> set[str]:
    with contextlib.suppress(OSError):
        return set(os.listdir(folder))  # noqa: PTH208 - names, not paths
    return set()


def _read(workspace: Workspace) -> dict[Path, int]:
    try:
        told = json.loads(workspace.numbers.read_bytes())
        return {workspace.sessionsfolder / path: int(k) for path, k in told.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
