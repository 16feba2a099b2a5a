"""Which share's files are nearest to a file in the folders of a packet."""

from bisect import bisect_left
from collections.abc import Iterable

_JOINT = "\0"
"""Stands for `/` and for the `!` of an archive, before any character of a name; ledger paths have none of their own."""


class Neighbours:
    """Paths that belong to shares, sorted: folders are found in the order, as each may have a long path of its own."""

    def __init__(self, owned: Iterable[tuple[str, int]]) -> None:
        pairs = sorted((_key(path), share) for path, share in owned)
        self._paths = [path for path, _ in pairs]
        self._shares = [share for _, share in pairs]
        self._ends = list(range(1, len(pairs) + 1))
        """Where the run of paths of one share ends."""
        for i in range(len(pairs) - 2, -1, -1):
            if self._shares[i] == self._shares[i + 1]:
                self._ends[i] = self._ends[i + 1]

    def share_of(self, path: str) -> int:
        """Return the share that alone owns files below the nearest folder above a path; the first one where several do."""
        key = _key(path)
        at = bisect_left(self._paths, key)
        folder = max((_folder(key, other) for other in self._paths[max(at - 1, 0) : at + 1]), key=len, default="")
        first = bisect_left(self._paths, folder)
        behind = bisect_left(self._paths, f"{folder[:-1]}\1") if folder else len(self._paths)
        return self._shares[first] if first < behind <= self._ends[first] else 0


def _key(path: str) -> str:
    return path.replace("!", _JOINT).replace("/", _JOINT)


def _folder(one: str, other: str) -> str:
    """Return the deepest folder above both, with the joint behind it."""
    length = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[: one.rfind(_JOINT, 0, length) + 1]
