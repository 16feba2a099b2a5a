"""Finds the plan (the index of a session or patient) whose files are nearest to a file in the folders of a packet."""

from bisect import bisect_left
from collections.abc import Iterable

_SEPARATOR = "\0"
"""Replaces `/`. It sorts before any character of a name; paths in the ledger do not contain it."""
_AFTER_SEPARATOR = "\1"
"""The next character: a folder with it in place of the last separator sorts after all paths below that folder."""


class Neighbours:
    """Sorted paths (`row_path.tree_path`) with their plans.

    The files of a folder or archive are a range of these paths, so folders need not be stored.
    """

    def __init__(self, planned: Iterable[tuple[str, int]]) -> None:
        pairs = sorted((_key(path), plan) for path, plan in planned)
        self._paths = [path for path, _ in pairs]
        self._plans = [plan for _, plan in pairs]
        self._ends = list(range(1, len(pairs) + 1))
        """For each path, the index at which the run of consecutive paths with its plan ends."""
        for i in range(len(pairs) - 2, -1, -1):
            if self._plans[i] == self._plans[i + 1]:
                self._ends[i] = self._ends[i + 1]

    def plan_of(self, path: str) -> int:
        """Return the plan of the files below the nearest folder that contains the path and files with plans.

        If these files have several plans, or if no file has a plan, return the first plan, 0.
        """
        return self.only_plan_of(path) or 0

    def only_plan_of(self, path: str) -> int | None:
        """Return the plan as `plan_of` does; None if the files have several plans, or if no file has a plan."""
        key = _key(path)
        index = bisect_left(self._paths, key)
        folder = max((_folder(key, other) for other in self._paths[max(index - 1, 0) : index + 1]), key=len, default="")
        first = bisect_left(self._paths, folder)
        end = bisect_left(self._paths, f"{folder[:-1]}{_AFTER_SEPARATOR}") if folder else len(self._paths)
        return self._plans[first] if first < end <= self._ends[first] else None


def _key(path: str) -> str:
    return path.replace("/", _SEPARATOR)


def _folder(path: str, other: str) -> str:
    """Return the deepest common folder, including the separator after it."""
    length = next(
        (index for index, (a, b) in enumerate(zip(path, other, strict=False)) if a != b), min(len(path), len(other))
    )
    return path[: path.rfind(_SEPARATOR, 0, length) + 1]
