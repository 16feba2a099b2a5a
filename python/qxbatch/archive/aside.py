"""Renames a packet to a hidden name, which no other program uses, and checks it again before it is moved or removed.

The kinds of hidden names (`HiddenKind`) are ASIDE, while the packet is checked, and GONE, while it is removed. If the file system
cannot rename the folder of a packet, its files are moved one by one into a folder with the name PART, which is then renamed to
ASIDE. A `tag` in the name identifies the unit (the packets that are imported together) and the run.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from qxbatch.archive.names import kth_name
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.own_names import HiddenKind
from qxbatch.model import Packet
from qxbatch.publish.durable import remove_tree, sync_folder
from qxbatch.publish.file_states import file_states_in, remove_unchanged
from qxbatch.publish.mounts import mount_above, mount_in
from qxbatch.publish.open_folders import opened_folder, opened_in
from qxbatch.publish.plain_files import entry_exists
from qxbatch.publish.transfer import continue_aside, hidden_path, move_files, put_aside, try_rename

_MAX_LINKS = 40
"""The kernel follows at most this many links in one path."""


class PacketCheck(Protocol):
    """Checks whether a packet is the imported one."""

    def __call__(self, path: Path, *, renamed: bool) -> bool:
        """Return whether the packet at `path` is the imported one; `renamed`: it was renamed just now.

        Raises OSError, and ValueError when a ledger with which the packet is compared is damaged.
        """


def assume_same_packet(path: Path, *, renamed: bool) -> bool:  # noqa: ARG001 - the names are the protocol's
    """Return True without a check: the packet counts as the imported one."""
    return True


class ChangedError(Exception):
    """The packet at `path` is no longer the imported one."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} changed")
        self.path = path


@contextmanager
def hidden_packet(packet: Path, aside: Path, is_same_packet: PacketCheck) -> Iterator[None]:
    """Rename a packet to `aside`, unless a killed run did so, and check it there.

    If the check or the `with` block fails, it is renamed back. A file is also checked before it is renamed, since the renaming
    changes the change time of its inode, which shows edits. Raises ChangedError when it is not the imported packet, OSError, and
    ValueError from the check.
    """
    if not entry_exists(aside):
        if not packet.is_dir():
            _need_same_packet(packet, is_same_packet)
        put_aside(packet, aside)
    try:
        _need_same_packet(aside, is_same_packet, renamed=True)
        yield
    except ChangedError as error:
        raise ChangedError(_rename_back(packet, aside) if entry_exists(aside) else error.path) from None
    except Exception:
        if entry_exists(aside):
            _rename_back(packet, aside)
        raise


def remove_aside(packet: Path, aside: Path, gone: Path, is_same_packet: PacketCheck) -> None:
    """Remove a packet that has the hidden name `aside`, if it is still unchanged.

    It is first renamed to `gone` in one step: after a kill, this name tells the next run that the packet was compared, and that
    some of its files may be missing. A file that changed meanwhile is not removed. Raises ChangedError if anything is left,
    OSError, and ValueError from the check.
    """
    _need_same_packet(aside, is_same_packet)
    put_aside(aside, gone)

    def is_known(path: Path) -> bool:
        try:
            return is_same_packet(path, renamed=True)
        except OSError:
            return False

    _remove_known(packet, gone, is_known)


def _remove_known(packet: Path, gone: Path, is_known: Callable[[Path], bool]) -> None:
    """Remove a packet if `is_known` returns True. Files that appear or change in its folder meanwhile are not removed.

    What is left is renamed back. Raises ChangedError if anything is left, OSError, and ValueError from `is_known`.
    """
    if gone.is_symlink() or not gone.is_dir():
        if is_known(gone):
            remove_tree(gone)
    else:
        with opened_folder(gone.parent) as parent:
            with opened_in(parent, (gone.name,)) as top:
                states = file_states_in(top)
            if is_known(gone):
                remove_unchanged(parent, gone.name, states)
    if entry_exists(gone):
        raise ChangedError(_rename_back(packet, gone))
    sync_folder(gone.parent)


def _need_same_packet(path: Path, is_same_packet: PacketCheck, *, renamed: bool = False) -> None:
    """Raise ChangedError if the packet at `path` is not the imported one; `renamed` as in PacketCheck."""
    if not is_same_packet(path, renamed=renamed):
        raise ChangedError(path)


def restore_name(packet: Packet, tag: str) -> None:
    """Give a packet its name back if it has the hidden name ASIDE, or has the name GONE and is complete. Raises OSError.

    A packet of which files were removed or changed, or cannot be read, keeps the name GONE.
    """
    aside, gone = (hidden_path(packet.path, kind, tag) for kind in (HiddenKind.ASIDE, HiddenKind.GONE))
    if entry_exists(aside):
        _rename_back(packet.path, aside)
    elif _is_complete(gone, packet):
        _rename_back(packet.path, gone)


def _is_complete(gone: Path, packet: Packet) -> bool:
    """Return whether a packet that was being removed has all its files, as far as names, sizes and times show it."""
    try:
        return fingerprint(gone) == packet.fingerprint
    except OSError:
        return False


def finish_removal(packet: Packet, tag: str, contains: Callable[[Path], bool]) -> None:
    """Continue the removal of a packet that a killed run began. No file is removed before it is compared again.

    A complete packet is renamed to its first hidden name (ASIDE), so that the caller compares and removes it. If files of a packet
    folder are missing or changed, the remaining ones are removed if `contains` returns True: sessions contain their bytes.
    What is left then is renamed back.

    Raises ChangedError if anything is left, OSError, and ValueError from `contains`.
    """
    aside, gone = (hidden_path(packet.path, kind, tag) for kind in (HiddenKind.ASIDE, HiddenKind.GONE))
    if not entry_exists(gone):
        return
    if _is_complete(gone, packet):
        try_rename(gone, aside)
        return
    is_folder = gone.is_dir() and not gone.is_symlink()
    _remove_known(packet.path, gone, lambda path: is_folder and contains(path))


def current_path(packet: Path, tag: str) -> Path:
    """Return the hidden path (ASIDE) of a packet if a killed run left the packet there, else its own path."""
    aside = hidden_path(packet, HiddenKind.ASIDE, tag)
    return aside if entry_exists(aside) else packet


def has_all_files(packet: Path, tag: str) -> bool:
    """Return whether a packet exists, perhaps with the hidden name ASIDE, and no killed run moved or removed files of it.

    Only the hidden names are examined; no file is read or compared with the fingerprint.
    """
    aside, part, gone = (
        hidden_path(packet, kind, tag) for kind in (HiddenKind.ASIDE, HiddenKind.PART, HiddenKind.GONE)
    )
    return any(map(entry_exists, (packet, aside))) and not any(map(entry_exists, (part, gone)))


def mount_at(packet: Path, tag: str, inbox: Path | None) -> Path | None:
    """Return the first mount point at or below a packet, which may have the hidden name ASIDE or GONE; None if there is none.

    In folder mode (`--masterinbox=none`), `inbox` is that of the session: a mount point between it and the packet counts too.
    """
    above = None if inbox is None else mount_above(packet, inbox)
    if above is not None:
        return above
    hidden = (hidden_path(packet, kind, tag) for kind in (HiddenKind.ASIDE, HiddenKind.GONE))
    return next((mount for path in (packet, *hidden) if (mount := mount_in(path)) is not None), None)


def link_depth(packet: Path, tag: str) -> int:
    """Return how many links, one after the other, lead from a packet to its data; 0 if the packet is not a link.

    The packet may have the hidden name ASIDE or GONE.
    """
    hidden = (hidden_path(packet, kind, tag) for kind in (HiddenKind.ASIDE, HiddenKind.GONE))
    return max(map(_count_links, (packet, *hidden)))


def _count_links(path: Path) -> int:
    links = 0
    with suppress(OSError):
        while path.is_symlink() and links < _MAX_LINKS:
            path = path.parent / path.readlink()
            links += 1
    return links


def finish_partial_move(packet: Packet, tag: str) -> None:
    """Finish the renaming to ASIDE if a run was killed while it moved the files of the packet one by one (to PART).

    If a folder at the path of the packet does not contain the remaining files of the packet, it stays as it is, and the folder of
    the moved files gets a numbered name. Raises OSError.
    """
    part = hidden_path(packet.path, HiddenKind.PART, tag)
    if not entry_exists(part):
        return
    is_folder = packet.path.is_dir() and not packet.path.is_symlink()
    if is_folder and not _are_parts(part, packet):
        _rename_back(packet.path, part)
    else:
        continue_aside(packet.path, hidden_path(packet.path, HiddenKind.ASIDE, tag))


def undo_partial_move(packet: Packet, tag: str) -> None:
    """Undo the renaming to ASIDE if a run was killed while it moved the files of the packet one by one (to PART).

    Raises OSError if the files at the path of the packet are not its remaining ones, for example if others are mounted there: the
    moved files keep their hidden name for the next run.
    """
    part = hidden_path(packet.path, HiddenKind.PART, tag)
    if not entry_exists(part):
        return
    if not entry_exists(packet.path):
        _rename_back(packet.path, part)
    elif _are_parts(part, packet):
        move_files(part, packet.path)
    else:
        reason = f"it has files of {packet.path}, and the files there now are not the remaining ones"
        raise OSError(errno.EBUSY, reason, str(part))


def _are_parts(part: Path, packet: Packet) -> bool:
    """Return whether `part` and the folder at the path of the packet together have as many files and bytes as the packet had.

    A file whose move was interrupted can be in both folders (a hard link): it is counted once.
    """
    moved, remaining, expected = fingerprint(part), fingerprint(packet.path), packet.fingerprint
    sizes_counted_twice = [
        status.st_size
        for folder, _, names in os.walk(part)
        for name in names
        if (status := _status_if_same(Path(folder, name), packet.path / Path(folder, name).relative_to(part)))
        is not None
    ]
    files = moved.files + remaining.files - len(sizes_counted_twice)
    size = moved.size + remaining.size - sum(sizes_counted_twice)
    return (files, size) == (expected.files, expected.size)


def _status_if_same(path: Path, other: Path) -> os.stat_result | None:
    """Return the status of a file if both paths are names of it; else None."""
    try:
        status = path.lstat()
        return status if os.path.samestat(status, other.lstat()) else None
    except OSError:
        return None


def _rename_back(packet: Path, aside: Path) -> Path:
    """Rename a packet back to its name, or to a numbered one if another file took the name; return its new path."""
    k = 1
    while True:
        new_path = packet.with_name(kth_name(packet.name, k))
        try:
            try_rename(aside, new_path)
        except FileExistsError:
            k += 1
        else:
            return new_path
