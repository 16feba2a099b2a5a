"""Moves, copies or deletes a packet. Nothing in the archive is overwritten, and a last copy is never removed.

Every step can be repeated: a rerun after a crash ends as one undisturbed run would.
"""

import os
import re
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

from qxbatch.publish.durable import make_folder, remove_tree, sync_folder
from qxbatch.publish.same import same_content
from qxbatch.publish.transfer import LONGEST_NAME, copied, hidden, removed, renamed
from qxbatch.settings.model import Archive

SUFFIXES = (".tar.gz", ".tar.bz2", ".tar.bzip2", ".tar.xz", ".tar.zst", ".tar.zstd", ".tar.z")
_NUMBER = "[1-9][0-9]{0,8}"
Naming = Callable[[], AbstractContextManager[None]]
"""Held while a name in the archive is chosen and taken, so that two packets never get the same one."""


def settle_packet(
    packet: Path,
    folder: Path,
    mode: Archive,
    *,
    owner: str = "",
    naming: Naming = nullcontext,
    number: int | None = None,
) -> Path | None:
    """Do with a packet what `mode` says; return where it lies now, None for a deleted one.

    `owner` tells packets of one name apart while they are copied (in folder mode two sessions may have one each); `number`
    was chosen for this one (qxbatch.archive.numbers): lower ones that are free are left to others.

    Raises OSError when the archive cannot be written or the packet cannot be removed.
    """
    if not os.path.lexists(packet):
        clear_hidden(packet, folder, owner)
        return _archived_before(folder, packet.name, number) if mode is Archive.MOVE else None
    if mode is Archive.LEAVE:
        return packet
    if mode is Archive.DELETE:
        removed(packet)
        return None
    make_folder(folder)
    if packet.parent.samefile(folder):  # a packet that is imported again from the archive
        return packet
    source = packet.resolve() if mode is Archive.COPY else packet  # a link's copy would be no copy of the data
    free = partial(free_name, folder, source, packet.name, number)
    target = _given_name(source, free, mode, naming) or _copy(
        source, _temporary(folder, packet.name, owner), free, naming
    )
    if mode is Archive.MOVE and os.path.lexists(packet):
        removed(packet)
    return target


def clear_hidden(packet: Path, folder: Path, owner: str) -> None:
    """Remove what a killed run left of a packet that it had copied in part, or archived and not yet removed."""
    remove_tree(hidden(packet))
    remove_tree(_temporary(folder, packet.name, owner))


def _temporary(folder: Path, name: str, owner: str) -> Path:
    return hidden(folder / f"{owner}{'-' * bool(owner)}{name}")


def _given_name(source: Path, free: Callable[[], Path], mode: Archive, naming: Naming) -> Path | None:
    """Return the packet's place when it is there already, or a rename brings it there; None when it must be copied."""
    with naming():
        target = free()
        if os.path.lexists(target) or (mode is Archive.MOVE and renamed(source, target)):
            return target
    return None


def _copy(source: Path, temporary: Path, free: Callable[[], Path], naming: Naming) -> Path:
    copied(source, temporary)
    with naming():
        target = free()
        if os.path.lexists(target):
            remove_tree(temporary)
        else:
            temporary.rename(target)
    sync_folder(target.parent)
    return target


def _archived_before(folder: Path, name: str, number: int | None) -> Path | None:
    """The number's own place, else the newest of that name: a killed run had moved the packet already."""
    if number is not None and os.path.lexists(folder / place_of(name, number)):
        return folder / place_of(name, number)
    k = 1
    while os.path.lexists(folder / numbered(name, k + 1)):
        k += 1
    target = folder / place_of(name, k)
    return target if os.path.lexists(target) else None


def free_name(folder: Path, packet: Path, name: str, number: int | None = None) -> Path:
    """Return the packet's place in the archive: its own name, or a numbered one when another packet has it.

    With `number`, the first free one from there on. A name that holds the same bytes is the packet's own: the returned path
    then exists.
    """
    if number is None:
        return _next_place(folder, packet, name)
    there = numbers_there(name, os.listdir(folder))  # noqa: PTH208 - names, not paths
    for k in sorted(there):  # numbers that were chosen may leave gaps
        if same_content(packet, folder / place_of(name, k)):
            return folder / place_of(name, k)
    while number in there or os.path.lexists(folder / place_of(name, number)):
        number += 1
    return folder / place_of(name, number)


def _next_place(folder: Path, packet: Path, name: str) -> Path:
    k = 1
    while os.path.lexists(target := folder / place_of(name, k)) and not same_content(packet, target):
        k += 1
    return target


def numbers_there(name: str, there: Collection[str]) -> set[int]:
    """Return the numbers k for which the k-th name of that kind is among those that are there."""
    ending = _parted(name)[1]
    numbered_so = re.compile(rf".*_({_NUMBER}){re.escape(ending)}", re.DOTALL)
    found = {each: int(match[1]) for each in there if (match := numbered_so.fullmatch(each))}
    return {k for each, k in found.items() if place_of(name, k) == each} | ({1} if name in there else set())


def unnumbered(name: str) -> str:
    """Return what a numbered name was without its number; any other name as it is.

    >>> unnumbered("AP346_2.tar.gz")
    'AP346.tar.gz'
    """
    stem, ending = _parted(name)
    return re.sub(rf"(?s)(?<=.)_{_NUMBER}\Z", "", stem) + ending


def place_of(name: str, k: int) -> str:
    """Return the k-th name of that kind: the first is the name itself."""
    return name if k == 1 else numbered(name, k)


def numbered(name: str, k: int) -> str:
    """Return name with `_k` before its archive extension.

    >>> numbered("AP346.tar.gz", 2)
    'AP346_2.tar.gz'
    """
    stem, ending = _parted(name)
    while len(os.fsencode(f"{stem}_{k}{ending}")) > LONGEST_NAME:
        stem = stem[:-1]
    return f"{stem}_{k}{ending}"


def _parted(name: str) -> tuple[str, str]:
    suffix = next((s for s in SUFFIXES if name.lower().endswith(s)), "")
    return (name[: -len(suffix)], name[-len(suffix) :]) if suffix else os.path.splitext(name)  # noqa: PTH122 - a packet name is no path
