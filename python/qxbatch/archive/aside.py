"""Renames a packet to a hidden name, which no other program uses, and checks it again before it is moved or removed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from qxbatch.archive.names import place_of
from qxbatch.discover.own_names import Use
from qxbatch.publish.durable import remove_tree, sync_folder
from qxbatch.publish.transfer import continue_aside, hidden_path, put_aside, renamed


class Unchanged(Protocol):
    """Checks whether a packet is the imported one."""

    def __call__(self, path: Path, *, renamed: bool) -> bool:
        """Return whether it is; `renamed`: it was renamed just now. Raises OSError."""


def always(path: Path, *, renamed: bool) -> bool:  # noqa: ARG001 - the names are the protocol's
    """Assume that a packet is the imported one."""
    return True


class ChangedError(Exception):
    """A packet changed at the last moment; it is at `path`."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} changed")
        self.path = path


@contextmanager
def hidden_packet(packet: Path, aside: Path, unchanged: Unchanged) -> Iterator[None]:
    """Rename a packet to `aside`, unless a killed run did so; rename it back if that, or the block, fails.

    A file is checked before, too: the time of its inode shows edits, and renaming changes that time. Raises ChangedError when
    it is not the imported packet, and OSError.
    """
    if not os.path.lexists(aside):
        if not packet.is_dir():
            _need_unchanged(packet, unchanged)
        put_aside(packet, aside)
    try:
        _need_unchanged(aside, unchanged, renamed=True)
        yield
    except ChangedError as error:
        raise ChangedError(_rename_back(packet, aside) if os.path.lexists(aside) else error.path) from None
    except Exception:
        if os.path.lexists(aside):
            _rename_back(packet, aside)
        raise


def remove_aside(packet: Path, aside: Path, gone: Path, unchanged: Unchanged) -> None:
    """Remove a packet that has its hidden name, if it is unchanged until then.

    It is first renamed to `gone` in one step, so that a rerun finds all of it or knows that it was compared. Raises
    ChangedError, and OSError.
    """
    _need_unchanged(aside, unchanged)
    put_aside(aside, gone)
    try:
        _need_unchanged(gone, unchanged, renamed=True)
    except (ChangedError, OSError):
        raise ChangedError(_rename_back(packet, gone)) from None
    remove_tree(gone)
    sync_folder(gone.parent)


def _need_unchanged(path: Path, unchanged: Unchanged, *, renamed: bool = False) -> None:
    if not unchanged(path, renamed=renamed):
        raise ChangedError(path)


def move_back(packet: Path, tag: str) -> None:
    """Undo the renaming by a killed run."""
    aside = hidden_path(packet, Use.ASIDE, tag)
    if os.path.lexists(aside):
        _rename_back(packet, aside)


def is_aside(packet: Path, tag: str) -> bool:
    """Return whether a run was killed after it renamed a packet."""
    return os.path.lexists(hidden_path(packet, Use.ASIDE, tag))


def finish_aside(packet: Path, tag: str) -> None:
    """Finish the renaming if a run was killed while it moved the files of the packet one by one. Raises OSError."""
    continue_aside(packet, hidden_path(packet, Use.ASIDE, tag))


def _rename_back(packet: Path, aside: Path) -> Path:
    """Rename a packet back to its name, or to a numbered one if another file took the name; return its new path."""
    k = 1
    while True:
        place = packet.with_name(place_of(packet.name, k))
        try:
            renamed(aside, place)
        except FileExistsError:
            k += 1
        else:
            return place
