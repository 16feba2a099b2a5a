"""Finds the owner of the files that are nearest to a file in the folder tree of a packet.

An owner is the index of a session or person.
"""

from bisect import bisect_left
from collections.abc import Iterable

_SEPARATOR = "\0"
"""Replaces `/`. It sorts before any character of a name; paths in the ledger do not contain it."""
_AFTER_SEPARATOR = "\1"
"""The next character: a folder with it in place of the last separator sorts after all paths below that folder."""


class Neighbours:
    """Sorted paths (`row_path.tree_path`) of files, each with its owner.

    The files of a folder or archive are a range of these paths, so folders need not be stored.
    """

    def __init__(self, owned: Iterable[tuple[str, int]]) -> None:
        pairs = sorted((_key(path), owner) for path, owner in owned)
        self._paths = [path for path, _ in pairs]
        self._owners = [owner for _, owner in pairs]
        self._ends = list(range(1, len(pairs) + 1))
        """For each path, the index at which the run of consecutive paths with its owner ends."""
        for i in range(len(pairs) - 2, -1, -1):
            if self._owners[i] == self._owners[i + 1]:
                self._ends[i] = self._ends[i + 1]

    def nearest_owner(self, path: str) -> int:
        """Return the owner of the files below the deepest folder that contains both `path` and files with an owner.

        If these files have several owners, or if no file has an owner, return the first owner, 0.
        """
        return self.sole_nearest_owner(path) or 0

    def sole_nearest_owner(self, path: str) -> int | None:
        """Return the owner as `nearest_owner` does; None if the files have several owners, or if no file has an owner."""
        key = _key(path)
        index = bisect_left(self._paths, key)
        folder = max(
            (_common_folder(key, other) for other in self._paths[max(index - 1, 0) : index + 1]), key=len, default=""
        )
        first = bisect_left(self._paths, folder)
        end = bisect_left(self._paths, f"{folder[:-1]}{_AFTER_SEPARATOR}") if folder else len(self._paths)
        return self._owners[first] if first < end <= self._ends[first] else None


def _key(path: str) -> str:
    return path.replace("/", _SEPARATOR)


def _common_folder(path: str, other: str) -> str:
    """Return the deepest common folder, including the separator after it."""
    length = next(
        (index for index, (a, b) in enumerate(zip(path, other, strict=False)) if a != b), min(len(path), len(other))
    )
    return path[: path.rfind(_SEPARATOR, 0, length) + 1]
