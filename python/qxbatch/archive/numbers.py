"""Folder mode (`--masterinbox=none`): assigns numbers to archives with the same name before the work starts.

The number k of an archive decides its name in the archive folder: 1 keeps the name, and `scan.zip` with the number 2 becomes
`scan_2.zip`. The numbers are assigned in the order of the sessions, since it is not known which of them finishes first.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from qxbatch.archive.content_keys import ContentKey
from qxbatch.archive.names import TAR_SUFFIXES, kth_name, unnumbered
from qxbatch.walk import walk

ENDINGS = (".zip", ".7z", ".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", *TAR_SUFFIXES)
"""Extensions of archives. An archive with another extension gets its number when it is archived."""

Numbers = Mapping[Path, int]
"""Maps the path of an archive to the number of its name in the archive folder; 1: the name is not changed."""


def archives_in(inboxes: Sequence[Path]) -> list[Path]:
    """Return the regular files in these inboxes, and links to such files, at any depth, that have an archive extension."""
    return [path for inbox in inboxes for path in _archives(inbox)]


def choose_numbers(
    archives: Mapping[Path, ContentKey], existing: Collection[str], previous: Numbers
) -> dict[Path, int]:
    """Return the numbers of the archives whose name is not unique: another of them has it, or a packet in the archive folder.

    `existing` are names in the archive folder, perhaps numbered ones; they are not reused. `previous` are numbers that were
    chosen before, perhaps by another run; they are kept. Every other archive gets the number of the first archive before it that
    has the same content key, else an unused number.
    """
    names = Counter(path.name for path in archives)
    repeated_names = {unnumbered(name) for name in existing} | {name for name, count in names.items() if count > 1}
    used_names = {*existing, *(kth_name(path.name, k) for path, k in previous.items())}
    numbers: dict[Path, int] = {}
    number_of: dict[ContentKey, int] = {}
    last_numbers: dict[str, int] = {}
    for path, content in archives.items():
        name = path.name
        k = previous.get(path) or number_of.get(content)
        if k is None:
            k = last_numbers[name] = _first_free(name, used_names, names, last_numbers.get(name, 1))
        number_of.setdefault(content, k)
        used_names.add(kth_name(name, k))
        if k > 1 or name in repeated_names:
            numbers[path] = k
    return numbers


def _first_free(name: str, used_names: Collection[str], names: Collection[str], k: int) -> int:
    """Return the first number from `k` whose name is neither in use nor the plain name of another archive."""
    while kth_name(name, k) in used_names or (k > 1 and kth_name(name, k) in names):
        k += 1
    return k


def _archives(inbox: Path) -> Iterator[Path]:
    for folder, _, files in walk(inbox):
        paths = (Path(folder, name) for name in files if name.lower().endswith(ENDINGS))
        yield from (path for path in paths if os.path.isfile(path))  # noqa: PTH113 - Path.is_file raises where it may not look
