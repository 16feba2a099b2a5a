"""Moves, copies or deletes a packet. Nothing in the archive is overwritten, and a last copy is never removed.

Every step can be repeated: a rerun after a crash ends like one undisturbed run.
"""

import contextlib
import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from qxbatch.archive.aside import ChangedError, Unchanged, always, current_place, hidden_packet, remove_aside
from qxbatch.archive.names import archive_path, numbered, place_of
from qxbatch.discover.own_names import Use
from qxbatch.publish.devices import devices_in
from qxbatch.publish.durable import make_folder, remove_tree
from qxbatch.publish.plain import is_below
from qxbatch.publish.transfer import copy_verified, hidden_path, renamed
from qxbatch.settings.model import Archive

Naming = Callable[[], AbstractContextManager[None]]
"""Returns a context in which a name in the archive is chosen and used, so that two packets never get the same one."""


def archive_packet(
    packet: Path,
    folder: Path,
    mode: Archive,
    *,
    tag: str,
    unchanged: Unchanged = always,
    naming: Naming = nullcontext,
    number: int | None = None,
) -> Path | None:
    """Archive a packet as `mode` says; return its new place, or None if it was deleted or is missing.

    A packet that leaves the inbox is first renamed to a hidden name and checked again there (`unchanged`): a file that
    appears under the original name meanwhile is another packet. `tag` is in the hidden names, and identifies the unit and
    the run; `number` was chosen for this packet (qxbatch.archive.numbers): lower unused numbers are left to other packets.

    Raises ChangedError, and OSError when the archive cannot be written or the packet cannot be removed.
    """
    aside, gone = (hidden_path(packet, use, tag) for use in (Use.ASIDE, Use.GONE))
    if not os.path.lexists(aside) and not os.path.lexists(packet):
        clear_copy(packet, folder, tag)
        return _archived_before(folder, packet.name, number) if mode is Archive.MOVE else None
    if mode is Archive.LEAVE:
        return packet
    if mode is Archive.DELETE:
        with hidden_packet(packet, aside, unchanged):
            remove_aside(packet, aside, gone, unchanged)
        return None
    make_folder(folder)
    if packet.parent.samefile(folder):  # a packet that is imported again from the archive
        return packet
    place = _Place(packet.name, folder, number, tag, naming)
    try:
        if mode is Archive.COPY:
            return place.copied(packet, unchanged)
        with hidden_packet(packet, aside, unchanged):
            target = place.moved(aside, unchanged)
            if os.path.lexists(aside):
                remove_aside(packet, aside, gone, unchanged)
        return target
    finally:
        remove_tree(place.copy)  # also that of a run that was killed after it named the copy


class _Place(NamedTuple):
    """What a packet's place in the archive is chosen from."""

    name: str
    folder: Path
    number: int | None
    tag: str
    naming: Naming

    @property
    def copy(self) -> Path:
        """The hidden path of a copy in progress."""
        return hidden_path(self.folder / self.name, Use.COPY, self.tag)

    def copied(self, packet: Path, unchanged: Unchanged) -> Path:
        source = packet.resolve()  # a copy of a link would not be a copy of the data
        target = self._existing(source)
        if target is None:
            return self._copied_into_place(source, packet, unchanged)
        if not unchanged(packet, renamed=False):
            raise ChangedError(packet)
        return target

    def moved(self, aside: Path, unchanged: Unchanged) -> Path:
        """Rename it, unless the archive is on another file system or already has the packet: then it remains to be removed."""
        if aside.lstat().st_dev == self.folder.stat().st_dev:
            try:
                return self._rename_into_place(aside, aside)
            except OSError as error:
                if error.errno != errno.EXDEV:  # two mounts of one device
                    raise
        return self._existing(aside) or self._copied_into_place(aside, aside, unchanged)

    def _existing(self, source: Path) -> Path | None:
        """Return where the same bytes exist already, under the packet's name or a numbered one; None if they do not."""
        with self.naming():
            target = archive_path(self.folder, source, self.name, self.number)
        return target if os.path.lexists(target) else None

    def _copied_into_place(self, source: Path, packet: Path, unchanged: Unchanged) -> Path:
        """Copy it, and check that the packet is unchanged after that."""
        copy_verified(source, self.copy)
        if not unchanged(packet, renamed=False):
            raise ChangedError(packet)
        return self._rename_into_place(self.copy, source)

    def _rename_into_place(self, ready: Path, source: Path) -> Path:
        """Rename `ready`, a copy or the packet itself, to the packet's place, unless the archive has the bytes of `source`.

        Another study may share the archive and choose names at the same time, since its locks are separate.
        """
        while True:
            with self.naming():
                target = archive_path(self.folder, source, self.name, self.number)
                if os.path.lexists(target):
                    return target
                with contextlib.suppress(FileExistsError):
                    if not renamed(ready, target):
                        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(target))
                    return target


def devices_of(packet: Path, mode: Archive, tag: str) -> list[Path]:
    """Return the devices in a packet that is moved or copied, relative to it: a copy does not have them. Raises OSError."""
    place = current_place(packet, tag)
    if mode is Archive.COPY or (mode is Archive.MOVE and not place.is_symlink()):
        return sorted(devices_in(place))
    return []


def remove_emptied(packet: Path, inbox: Path, top: Path) -> None:
    """Remove the folders between the inbox of a session and a packet that left it, if they are empty.

    They stay if they are reached through a link below `top`, or cannot be removed.
    """
    with contextlib.suppress(OSError):
        for folder in packet.parents:
            if folder == inbox or not folder.is_relative_to(inbox) or not is_below(folder, top):
                return
            folder.rmdir()


def clear_copy(packet: Path, folder: Path, tag: str) -> None:
    """Remove a killed run's partial copy of a packet."""
    remove_tree(hidden_path(folder / packet.name, Use.COPY, tag))


def _archived_before(folder: Path, name: str, number: int | None) -> Path | None:
    """Return the path for the number, else the last numbered one, where a killed run moved the packet; None if it is missing."""
    if number is not None and os.path.lexists(folder / place_of(name, number)):
        return folder / place_of(name, number)
    k = 1
    while os.path.lexists(folder / numbered(name, k + 1)):
        k += 1
    target = folder / place_of(name, k)
    return target if os.path.lexists(target) else None
