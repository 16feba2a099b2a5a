"""Moves, copies or deletes a packet. Nothing in the archive is overwritten, and a last copy is never removed.

Every step can be repeated: a rerun after a crash ends as one undisturbed run would.
"""

import errno
import os
import shutil
from pathlib import Path

from qxbatch.archive.same import same_content
from qxbatch.publish.durable import sync_folder, sync_tree
from qxbatch.settings.model import Archive

SUFFIXES = (".tar.gz", ".tar.bz2", ".tar.bzip2", ".tar.xz", ".tar.zst", ".tar.zstd", ".tar.z")
HIDDEN = ".qxbatch-"


def settle_packet(packet: Path, folder: Path, mode: Archive) -> Path | None:
    """Do with a packet what `mode` says; return where it lies now, None for a deleted one.

    Raises OSError when the archive cannot be written or the packet cannot be removed.
    """
    if not os.path.lexists(packet):
        _clear(packet.with_name(f"{HIDDEN}{packet.name}"))
        return _archived_before(folder, packet.name) if mode is Archive.MOVE else None
    if mode is Archive.LEAVE:
        return packet
    if mode is Archive.DELETE:
        _remove(packet)
        return None
    folder.mkdir(parents=True, exist_ok=True)
    target = free_name(folder, packet)
    if target.exists():  # the same packet lies there already
        if mode is Archive.MOVE:
            _remove(packet)
        return target
    if mode is Archive.MOVE and _renamed(packet, target):
        return target
    _copy(packet, target)
    if mode is Archive.MOVE:
        _remove(packet)
    return target


def _archived_before(folder: Path, name: str) -> Path | None:
    """The newest place of that name: a killed run had moved the packet already."""
    k = 1
    while os.path.lexists(folder / numbered(name, k + 1)):
        k += 1
    target = folder / (name if k == 1 else numbered(name, k))
    return target if os.path.lexists(target) else None


def free_name(folder: Path, packet: Path) -> Path:
    """Return the packet's place in the archive: its own name, or a numbered one when another packet has it.

    A name that holds the same bytes is the packet's own: the returned path then exists.
    """
    k = 1
    while True:
        target = folder / (packet.name if k == 1 else numbered(packet.name, k))
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
    return f"{stem}_{k}{ending}"


def _renamed(packet: Path, target: Path) -> bool:
    try:
        packet.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # the archive is on another file system
            raise
        return False
    sync_folder(target.parent)
    sync_folder(packet.parent)
    return True


def _copy(packet: Path, target: Path) -> None:
    temporary = target.with_name(f"{HIDDEN}{target.name}")
    _clear(temporary)
    if packet.is_dir():
        shutil.copytree(packet, temporary, symlinks=True)
        sync_tree(temporary)
    else:
        shutil.copy2(packet, temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
    if not same_content(packet, temporary):
        _clear(temporary)
        raise OSError(5, "the copy differs from the packet", str(target))
    temporary.rename(target)
    sync_folder(target.parent)


def _remove(packet: Path) -> None:
    """Take the packet out of sight in one step, then remove it; a rerun finds either all of it or none."""
    aside = packet.with_name(f"{HIDDEN}{packet.name}")
    _clear(aside)
    packet.rename(aside)
    _clear(aside)
    sync_folder(packet.parent)


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()
