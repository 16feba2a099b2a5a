"""Names in the archive: a packet's own, or a numbered one."""

import contextlib
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from qxbatch.discover.own_names import MAX_NAME_BYTES
from qxbatch.parrec import pairing
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
_NUMBER = "[1-9][0-9]{0,8}"
_LONGEST_ENDING = 20
"""Maximum bytes of an extension with its dot; a longer one counts as part of the name."""


class ArchivePath(NamedTuple):
    """The path of a packet in the archive."""

    path: Path
    has_packet: bool
    """Whether the archive already has the bytes of the packet at this path.

    Otherwise the path was unused when it was chosen; another study that shares the archive may use it meanwhile.
    """


def archive_path(folder: Path, packet: Path, name: str, number: int | None = None) -> ArchivePath:
    """Return the packet's path in the archive `folder`: its own name, or a numbered one if another packet has the name.

    `packet` is its path now, perhaps with a hidden name; `name` is its name in the inbox. With `number`, the name gets that
    number (1: the name itself), or the next unused one. If the archive already has the same bytes under the name or a numbered
    one, that existing path is returned; without `number`, only names before the first unused one are searched.

    A file gets no name with which it would be a PAR/REC pair with a file of another packet. Only at the given `number` itself, one
    file in the archive may have the same stem: it is the other file of the pair. Raises OSError.
    """
    stems = Counter[str]() if packet.is_dir() else pair_stems(folder, name)
    if number is None:
        return _next_path(folder, packet, name, stems)
    used, requested = used_numbers(name, os.listdir(folder)), number  # noqa: PTH208 - names, not paths
    for k in sorted(used):  # chosen numbers may leave gaps
        if same_content(packet, folder / kth_name(name, k)):
            return ArchivePath(folder / kth_name(name, k), has_packet=True)
    while (
        number in used
        or os.path.lexists(folder / kth_name(name, number))
        or stems[pair_stem(kth_name(name, number))] > (number == requested)
    ):
        number += 1
    return ArchivePath(folder / kth_name(name, number), has_packet=False)


def _next_path(folder: Path, packet: Path, name: str, stems: Counter[str]) -> ArchivePath:
    """Return the first path that is unused or has the same bytes. `stems`: see `pair_stems`.

    A numbered name is not used if a packet beside this one has it: it does not matter which of the two is archived first.
    """
    existing = set(os.listdir(folder))  # noqa: PTH208 - names, not paths
    k = 1
    while True:
        target = folder / kth_name(name, k)
        if target.name in existing or os.path.lexists(target):
            with contextlib.suppress(FileNotFoundError):  # it was removed meanwhile
                if same_content(packet, target):
                    return ArchivePath(target, has_packet=True)
        elif (k == 1 or not os.path.lexists(packet.with_name(target.name))) and not stems[pair_stem(target.name)]:
            return ArchivePath(target, has_packet=False)
        k += 1


def pair_stem(name: str) -> str:
    """Return the part of a file name that is the same for a loose PAR and its REC. The case is ignored.

    A PAR is recognised by its content: its name can have another extension, or none.

    >>> pair_stem("S1.PAR"), pair_stem("S1.rec"), pair_stem("S1.2")
    ('s1', 's1', 's1.2')
    """
    return pairing.pair_stem(name).casefold()


def pair_stems(folder: Path, name: str) -> Counter[str]:
    """Return how many files in `folder` have each `pair_stem`, of those that can be a PAR/REC pair with a file called `name`.

    Two files can be a pair if one of them has the extension of a PAR or REC (`has_paired_extension`) and both have the same stem.
    The stem of `name` is not compared here, because the file may get a numbered name.

    PARs whose names differ only in case count too: a REC for one of them could be paired with the other. Raises OSError.
    """
    counts_all = pairing.has_paired_extension(name)
    with os.scandir(folder) as entries:
        return Counter(
            pair_stem(entry.name)
            for entry in entries
            if (counts_all or pairing.has_paired_extension(entry.name)) and not entry.is_dir(follow_symlinks=False)
        )


def number_of_partner(
    name: str, archived_paths: Mapping[Path, Path | None], is_own: Callable[[Path], bool]
) -> int | None:
    """Return the number in the archive of the other file of a PAR/REC pair.

    None if that file was not archived, or if the file at its path in the archive is of another packet.

    `archived_paths` has the packets that were imported together with this one and are archived, each with its path in the archive;
    None if it has none. `is_own` returns whether the file at such a path is of these packets: after a kill, the path is a guess.
    """
    for path, target in reversed(tuple(archived_paths.items())):
        are_paired = pair_stem(path.name) == pair_stem(name) and any(
            map(pairing.has_paired_extension, (name, path.name))
        )
        if target is None or not are_paired:
            continue
        numbers = used_numbers(path.name, [target.name])
        number = next((k for k in numbers if pair_stem(kth_name(name, k)) == pair_stem(target.name)), None)
        return number if is_own(target) else None
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
