"""Folder mode: the number that each archive gets where several of one name are archived, chosen before the work begins.

So it is the order of the sessions that counts, and not which of them is done first.
"""

import contextlib
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from qxbatch.archive.packet import SUFFIXES, place_of
from qxbatch.core import hash_file

ENDINGS = (".zip", ".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", *SUFFIXES)
"""How names of archives end. An archive that is called otherwise gets its number when it is archived."""

Numbers = Mapping[Path, int]
"""Path of an archive to the number of its name: 1 is the name itself."""


def choose_numbers(inboxes: Sequence[Path], there: Collection[str], earlier: Numbers) -> dict[Path, int]:
    """Return the numbers of the archives in these inboxes, in their order, that are not told by their name alone.

    `there` are names in the archive, which are not used again. `earlier` are numbers that a run chose which was killed, or
    still goes on: they hold. The same bytes under the same name get the same number.
    """
    files = [path for inbox in inboxes for path in _archives(inbox)]
    names = Counter(path.name for path in files)
    claimed = {*there, *(place_of(path.name, k) for path, k in earlier.items())}
    found: dict[Path, int] = {}
    known: dict[tuple[str, int, str], int] = {}
    several = {key for key, count in Counter((path.name, _size(path)) for path in files).items() if count > 1}
    for path in files:
        key = (path.name, _size(path), _hash(path) if (path.name, _size(path)) in several else os.fspath(path))
        k = earlier.get(path) or known.get(key) or _free(path.name, claimed, names)
        known.setdefault(key, k)
        claimed.add(place_of(path.name, k))
        if k > 1 or names[path.name] > 1:
            found[path] = k
    return found


def _free(name: str, claimed: Collection[str], names: Collection[str]) -> int:
    """The first number whose name nobody has, nor another archive by itself."""
    k = 1
    while place_of(name, k) in claimed or (k > 1 and place_of(name, k) in names):
        k += 1
    return k


def _archives(inbox: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(inbox):
        folders.sort(key=os.fsencode)
        yield from (Path(folder, name) for name in sorted(files, key=os.fsencode) if name.lower().endswith(ENDINGS))


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return -1


def _hash(path: Path) -> str:
    with contextlib.suppress(OSError):
        return hash_file(os.fspath(path))[1]
    return os.fspath(path)
