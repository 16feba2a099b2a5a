"""Names in the archive: a packet's own, or a numbered one."""

import contextlib
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from qxbatch.discover.own_names import MAX_NAME_BYTES
from qxbatch.publish.same_content import same_content

NAME_LOCK = "archive"
"""The name of the lock (qxbatch.publish.locks) to hold while a name in the archive, or a number for one, is chosen."""
TAR_SUFFIXES = (
    ".tar.gz",
    ".tar.bz2",
    ".tar.bzip2",
    ".tar.xz",
    ".tar.lzma",
    ".tar.lz",
    ".tar.zst",
    ".tar.zstd",
    ".tar.lz4",
    ".tar.z",
)
"""Extensions with two dots."""
_PARTNERS = {".par": ".rec", ".rec": ".par"}
_NUMBER = "[1-9][0-9]{0,8}"
_LONGEST_ENDING = 20
"""Bytes of an extension with its dot; a longer one is part of the name."""


class ArchivePath(NamedTuple):
    """The path of a packet in the archive."""

    path: Path
    has_packet: bool
    """Whether the archive has the bytes of the packet at this path. Otherwise the path was unused when it was chosen; another study
    that shares the archive may use it meanwhile."""


def archive_path(folder: Path, packet: Path, name: str, number: int | None = None) -> ArchivePath:
    """Return the packet's path in the archive: its own name, or a numbered one if another packet has the name.

    `packet` is where it is now, perhaps under a hidden name; `name` is its name in the inbox. With `number`, the name gets that
    number (1: the name itself), or the next unused one. If the archive already has the same bytes under the name or a numbered one,
    that existing path is returned; without `number`, only names before the first unused one are searched. A PAR or a REC gets no
    name that would make it a pair with another packet's file; the file with the same `number` is its own. Raises OSError.
    """
    if number is None:
        return _next_place(folder, packet, name)
    existing = os.listdir(folder)  # noqa: PTH208 - names, not paths
    used, first = used_numbers(name, existing), number
    for k in sorted(used):  # chosen numbers may leave gaps
        if same_content(packet, folder / kth_name(name, k)):
            return ArchivePath(folder / kth_name(name, k), has_packet=True)
    while (
        number in used
        or os.path.lexists(folder / kth_name(name, number))
        or (number != first and makes_pair(kth_name(name, number), existing))
    ):
        number += 1
    return ArchivePath(folder / kth_name(name, number), has_packet=False)


def _next_place(folder: Path, packet: Path, name: str) -> ArchivePath:
    """Return the first path that is unused or has the same bytes.

    A numbered name does not count as unused while a packet with that name waits beside this one, so the order in which the two are
    archived does not matter.
    """
    existing = set(os.listdir(folder))  # noqa: PTH208 - names, not paths
    k = 1
    while True:
        target = folder / kth_name(name, k)
        if target.name in existing or os.path.lexists(target):
            with contextlib.suppress(FileNotFoundError):  # it was removed meanwhile
                if same_content(packet, target):
                    return ArchivePath(target, has_packet=True)
        elif (k == 1 or not os.path.lexists(packet.with_name(target.name))) and not makes_pair(target.name, existing):
            return ArchivePath(target, has_packet=False)
        k += 1


def makes_pair(name: str, existing: Iterable[str]) -> bool:
    """Return whether a file with this name would be a PAR/REC pair together with an existing one.

    >>> makes_pair("S1_2.PAR", ["s1_2.rec"]), makes_pair("S1.PAR", ["S1.par", "S1_2.REC"])
    (True, False)
    """
    stem, ending = os.path.splitext(name.casefold())  # noqa: PTH122 - a packet name is not a path
    partner = stem + _PARTNERS.get(ending, "")
    return ending in _PARTNERS and any(other.casefold() == partner for other in existing)


def number_of_partner(name: str, archived_paths: Mapping[Path, Path | None]) -> int | None:
    """Return the number in the archive of the other file of a PAR/REC pair; None if it was not archived, or for another packet.

    `archived_paths` maps the packets that were imported together and archived already to their paths in the archive.
    """
    for path, target in archived_paths.items():
        if target is not None and makes_pair(name, [path.name]):
            return next(iter(used_numbers(path.name, [target.name])), None)
    return None


def used_numbers(name: str, names: Collection[str]) -> set[int]:
    """Return the numbers k for which `names` contains the k-th name of `name` (`kth_name`)."""
    ending = _split_name(name)[1]
    numbered_name = re.compile(rf".*_({_NUMBER}){re.escape(ending)}", re.DOTALL)
    numbers = {existing: int(match[1]) for existing in names if (match := numbered_name.fullmatch(existing))}
    return {k for existing, k in numbers.items() if kth_name(name, k) == existing} | ({1} if name in names else set())


def unnumbered(name: str) -> str:
    """Return a name without the `_k` before its extension; a name that does not end like a numbered one is unchanged.

    >>> unnumbered("AP346_2.tar.gz")
    'AP346.tar.gz'
    """
    stem, ending = _split_name(name)
    return re.sub(rf"(?s)(?<=.)_{_NUMBER}\Z", "", stem) + ending


def kth_name(name: str, k: int) -> str:
    """Return the k-th name for packets called `name`: the first is `name` itself, the others are numbered."""
    return name if k == 1 else numbered(name, k)


def numbered(name: str, k: int) -> str:
    """Return a name with `_k` before its extension; the part before `_k` is cut if the name would exceed MAX_NAME_BYTES bytes.

    >>> numbered("AP346.tar.gz", 2)
    'AP346_2.tar.gz'
    """
    stem, ending = _split_name(name)
    while len(os.fsencode(f"{stem}_{k}{ending}")) > MAX_NAME_BYTES:
        stem = stem[:-1]
    return f"{stem}_{k}{ending}"


def _split_name(name: str) -> tuple[str, str]:
    """Return the name without its extension, and the extension with its dot, or empty."""
    suffix = next((s for s in TAR_SUFFIXES if name.lower().endswith(s)), "")
    if suffix:
        return name[: -len(suffix)], name[-len(suffix) :]
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - a packet name is not a path
    return (stem, ending) if len(os.fsencode(ending)) <= _LONGEST_ENDING else (name, "")
