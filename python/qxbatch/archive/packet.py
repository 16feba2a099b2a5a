"""Moves, copies or deletes a packet. Nothing in the archive is overwritten, and a last copy is never removed.

Every step can be repeated: a rerun after a crash ends as one undisturbed run would.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from qxbatch.publish.durable import make_folder, remove_tree, sync_folder
from qxbatch.publish.same import same_content
from qxbatch.publish.transfer import LONGEST_NAME, copied, hidden, removed, renamed
from qxbatch.settings.model import Archive

SUFFIXES = (".tar.gz", ".tar.bz2", ".tar.bzip2", ".tar.xz", ".tar.zst", ".tar.zstd", ".tar.z")
Naming = Callable[[], AbstractContextManager[None]]
"""Held while a name in the archive is chosen and taken, so that two packets never get the same one."""


def settle_packet(
    packet: Path, folder: Path, mode: Archive, *, owner: str = "", naming: Naming = nullcontext
) -> Path | None:
    """Do with a packet what `mode` says; return where it lies now, None for a deleted one.

    `owner` tells packets of one name apart while they are copied (in folder mode two sessions may have one each).

    Raises OSError when the archive cannot be written or the packet cannot be removed.
    """
    if not os.path.lexists(packet):
        clear_hidden(packet, folder, owner)
        return _archived_before(folder, packet.name) if mode is Archive.MOVE else None
    if mode is Archive.LEAVE:
        return packet
    if mode is Archive.DELETE:
        removed(packet)
        return None
    make_folder(folder)
    if packet.parent.samefile(folder):  # a packet that is imported again from the archive
        return packet
    source = packet.resolve() if mode is Archive.COPY else packet  # a link's copy would be no copy of the data
    target = _given_name(source, folder, packet.name, mode, naming) or _copy(source, folder, packet.name, owner, naming)
    if mode is Archive.MOVE and os.path.lexists(packet):
        removed(packet)
    return target


def clear_hidden(packet: Path, folder: Path, owner: str) -> None:
    """Remove what a killed run left of a packet that it had copied in part, or archived and not yet removed."""
    remove_tree(hidden(packet))
    remove_tree(_temporary(folder, packet.name, owner))


def _temporary(folder: Path, name: str, owner: str) -> Path:
    return hidden(folder / f"{owner}{'-' * bool(owner)}{name}")


def _given_name(source: Path, folder: Path, name: str, mode: Archive, naming: Naming) -> Path | None:
    """Return the packet's place when it is there already, or a rename brings it there; None when it must be copied."""
    with naming():
        target = free_name(folder, source, name)
        if os.path.lexists(target) or (mode is Archive.MOVE and renamed(source, target)):
            return target
    return None


def _copy(source: Path, folder: Path, name: str, owner: str, naming: Naming) -> Path:
    temporary = _temporary(folder, name, owner)
    copied(source, temporary)
    with naming():
        target = free_name(folder, source, name)
        if os.path.lexists(target):
            remove_tree(temporary)
        else:
            temporary.rename(target)
    sync_folder(folder)
    return target


def _archived_before(folder: Path, name: str) -> Path | None:
    """The newest place of that name: a killed run had moved the packet already."""
    k = 1
    while os.path.lexists(folder / numbered(name, k + 1)):
        k += 1
    target = folder / (name if k == 1 else numbered(name, k))
    return target if os.path.lexists(target) else None


def free_name(folder: Path, packet: Path, name: str) -> Path:
    """Return the packet's place in the archive: its own name, or a numbered one when another packet has it.

    A name that holds the same bytes is the packet's own: the returned path then exists.
    """
    k = 1
    while True:
        target = folder / (name if k == 1 else numbered(name, k))
        if not os.path.lexists(target) or same_content(packet, target):
            return target
        k += 1


def numbered(name: str, k: int) -> str:
    """Return name with `_k` before its archive extension.

    >>> numbered("AP346.tar.gz", 2)
    'AP346_2.tar.gz'
    """
    suffix = next((s for s in SUFFIXES if name.lower().endswith(s)), "")
    stem, ending = (name[: -len(suffix)], name[-len(suffix) :]) if suffix else os.path.splitext(name)  # noqa: PTH122 - a packet name is no path
    while len(os.fsencode(f"{stem}_{k}{ending}")) > LONGEST_NAME:
        stem = stem[:-1]
    return f"{stem}_{k}{ending}"
