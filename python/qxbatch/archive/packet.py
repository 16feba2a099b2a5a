"""Moves, copies or deletes a packet. Nothing in the archive is overwritten.

Every step can be repeated: a rerun after a crash ends like one undisturbed run.
"""

import contextlib
import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from qxbatch.archive.aside import (
    ChangedError,
    PacketCheck,
    assume_same_packet,
    current_path,
    hidden_packet,
    remove_aside,
)
from qxbatch.archive.names import archive_path, kth_name, used_numbers
from qxbatch.discover.own_names import HiddenKind
from qxbatch.publish.devices import devices_in
from qxbatch.publish.durable import make_folder, remove_tree
from qxbatch.publish.plain_files import entry_exists, is_below_without_links
from qxbatch.publish.transfer import copy_verified, hidden_path, try_rename
from qxbatch.settings.model import Archive

NameLock = Callable[[], AbstractContextManager[None]]
"""Returns a context in which a name in the archive is chosen and used, so that two packets of a study do not get the same one."""


def archive_packet(
    packet: Path,
    folder: Path,
    mode: Archive,
    *,
    tag: str,
    is_same_packet: PacketCheck = assume_same_packet,
    name_lock: NameLock = nullcontext,
    number: int | None = None,
    was_moved_to: Callable[[Path], bool] = os.path.lexists,
) -> Path | None:
    """Archive a packet in `folder` as `mode` says. Return where the packet or its copy is now; None if the packet was deleted.

    If the packet is missing and `mode` is MOVE, return the path to which a killed run moved it, or None if there is none. For a
    missing packet and another mode, return None. `was_moved_to` returns whether what the archive has at a path can be the packet.

    A packet that leaves the inbox is first renamed to a hidden name and checked again there (`is_same_packet`): a file that
    appears under the original name meanwhile is another packet. `tag` is part of the hidden names, and identifies the
    unit and the run. `number` was chosen for this packet (qxbatch.archive.numbers); lower unused numbers are for other packets.

    Raises ChangedError, OSError, and ValueError from the check.
    """
    # the names of the packet while it is checked, and while it is removed
    aside, gone = (hidden_path(packet, kind, tag) for kind in (HiddenKind.ASIDE, HiddenKind.GONE))
    if not entry_exists(aside) and not entry_exists(packet):
        remove_partial_copy(packet, folder, tag)
        return _path_after_move(folder, packet.name, number, was_moved_to) if mode is Archive.MOVE else None
    if mode is Archive.LEAVE:
        return packet
    if mode is Archive.DELETE:
        with hidden_packet(packet, aside, is_same_packet):
            remove_aside(packet, aside, gone, is_same_packet)
        return None
    make_folder(folder)
    if packet.parent.samefile(folder):  # a packet that is imported again from the archive
        return packet
    destination = _Destination(packet.name, folder, number, tag, name_lock)
    try:
        if mode is Archive.COPY:
            return destination.copy_packet(packet, is_same_packet)
        with hidden_packet(packet, aside, is_same_packet):
            target = destination.move_packet(aside, is_same_packet)
            if entry_exists(aside):
                remove_aside(packet, aside, gone, is_same_packet)
        return target
    finally:
        remove_tree(destination.copy_path)  # also a copy that a killed run left under this name


class _Destination(NamedTuple):
    """The destination of a packet: chooses its path in the archive, and copies or moves it there.

    `number` and `tag`: see `archive_packet`.
    """

    name: str
    """The packet's name in the inbox."""
    folder: Path
    """The archive."""
    number: int | None
    tag: str
    name_lock: NameLock

    @property
    def copy_path(self) -> Path:
        """The hidden path of a copy in progress."""
        return hidden_path(self.folder / self.name, HiddenKind.COPY, self.tag)

    def copy_packet(self, packet: Path, is_same_packet: PacketCheck) -> Path:
        """Copy a packet, unless the archive already has its bytes; return the path in the archive.

        Raises ChangedError, OSError, ValueError.
        """
        source = packet.resolve()  # a copy of a link would not be a copy of the data
        target = self._equal_packet(source)
        if target is None:
            return self._copy_into_archive(source, packet, is_same_packet)
        if not is_same_packet(packet, renamed=False):
            raise ChangedError(packet)
        return target

    def move_packet(self, aside: Path, is_same_packet: PacketCheck) -> Path:
        """Move a packet from its hidden name to the archive; return its path. Raises ChangedError, OSError, ValueError.

        If the archive is on another file system, or already has the packet, `aside` still exists: the caller removes it.
        """
        if aside.lstat().st_dev == self.folder.stat().st_dev:
            try:
                return self._rename_into_archive(aside, aside)
            except OSError as error:
                if error.errno != errno.EXDEV:  # two mounts of one device
                    raise
        return self._equal_packet(aside) or self._copy_into_archive(aside, aside, is_same_packet)

    def _equal_packet(self, source: Path) -> Path | None:
        """Return the path in the archive that already has the same bytes, under the packet's name or a numbered one, or None."""
        with self.name_lock():
            target, has_packet = archive_path(self.folder, source, self.name, self.number)
        return target if has_packet else None

    def _copy_into_archive(self, source: Path, packet: Path, is_same_packet: PacketCheck) -> Path:
        """Copy `source`, check that the packet is unchanged after that, and give the copy its name. Return its path."""
        copy_verified(source, self.copy_path)
        if not is_same_packet(packet, renamed=False):
            raise ChangedError(packet)
        return self._rename_into_archive(self.copy_path, source)

    def _rename_into_archive(self, hidden: Path, source: Path) -> Path:
        """Rename `hidden`, the copy or the packet itself, to its path in the archive; do nothing if the archive has its bytes.

        Another study that shares the archive has separate locks. If it uses the chosen path first, another path is chosen.
        """
        while True:
            with self.name_lock():
                target, has_packet = archive_path(self.folder, source, self.name, self.number)
                if has_packet:
                    return target
                with contextlib.suppress(FileExistsError):
                    if not try_rename(hidden, target):
                        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(target))
                    return target


def devices_of(packet: Path, mode: Archive, tag: str) -> list[Path]:
    """Return the paths of devices in a packet before it is moved or copied, relative to it. Raises OSError.

    Empty with other modes, and for a link that is moved. A packet that is moved by a rename keeps its devices; a copy does not
    have them.
    """
    current = current_path(packet, tag)
    if mode is Archive.COPY or (mode is Archive.MOVE and not current.is_symlink()):
        return sorted(devices_in(current))
    return []


def remove_emptied_folders(packet: Path, inbox: Path, top: Path) -> None:
    """Remove the folders between the inbox of a session and a packet that left it, if they are empty.

    They stay if they are reached through a link below `top`, or cannot be removed.
    """
    with contextlib.suppress(OSError):
        for folder in packet.parents:
            if folder == inbox or not folder.is_relative_to(inbox) or not is_below_without_links(folder, top):
                return
            folder.rmdir()


def remove_partial_copy(packet: Path, folder: Path, tag: str) -> None:
    """Remove the partial copy of a packet that a killed run left in the archive `folder` under a hidden name."""
    remove_tree(hidden_path(folder / packet.name, HiddenKind.COPY, tag))


def _path_after_move(folder: Path, name: str, number: int | None, was_moved_to: Callable[[Path], bool]) -> Path | None:
    """Return the path to which a killed run moved the packet, or at which the archive had it already; None if there is none.

    Examines the path with `number` first, then the others from the highest number on: the packet may have got the last one.
    """
    if not folder.is_dir():
        return None
    numbers = sorted(used_numbers(name, os.listdir(folder)), key=lambda k: (k == number, k), reverse=True)  # noqa: PTH208 - names
    return next((path for k in numbers if was_moved_to(path := folder / kth_name(name, k))), None)
