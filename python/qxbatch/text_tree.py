"""Finds which of many search texts begin at a position of a text, in a time that does not depend on the number of search texts."""

import re
from collections.abc import Iterator, Sequence

_FLAGS = "flags"
"""Key of the flags of the text that ends at a node; the other keys are `_GAP` and single characters."""
_GAP = "gap"
"""Key of the node after separators."""

_Node = dict[str, "_Node | int"]
"""Maps characters and `_GAP` to the nodes after them, and `_FLAGS` to flags if a text ends at this node."""


def lower_same_length(text: str) -> str:
    """Return a text in lower case; a character whose lower case is several characters (`İ`) does not change.

    So positions in the result are positions in the text.
    """
    simple = text.lower()
    if len(simple) == len(text):
        return simple
    return "".join(character.lower() if len(character.lower()) == 1 else character for character in text)


class TextTree:
    """Search texts in lower case, each with flags: bits whose meaning only the caller knows.

    In the searched text, separators may be between the pieces of a search text.
    """

    def __init__(self, separators: str = "") -> None:
        r"""`separators` is the inside of a character class of a regular expression, such as `\W_`."""
        self._gap = re.compile(f"[{separators}]*") if separators else None
        self._root: _Node = {}
        self.steps = 0
        """Number of nodes that searches visited."""

    def add(self, pieces: Sequence[str], flags: int) -> None:
        """Add a text in lower case, in pieces. If it was added before, the flags are combined."""
        node = self._root
        for index, piece in enumerate(pieces):
            for key in (*([_GAP] if index else []), *piece):
                node = node.setdefault(key, {})  # type: ignore[assignment] # only _FLAGS has a number
        previous = node.get(_FLAGS, 0)
        assert isinstance(previous, int)
        node[_FLAGS] = previous | flags

    @property
    def first_characters(self) -> frozenset[str]:
        """Return the characters with which the texts begin."""
        return frozenset(self._root)

    def matches_at(self, text: str, start: int) -> list[tuple[int, int]]:
        """Return the end and the flags of each added text that begins at `start` of a text in lower case, the longest first."""
        return sorted(self._walk(text, start), reverse=True) if text[start] in self._root else []

    def _walk(self, text: str, start: int) -> Iterator[tuple[int, int]]:
        """Yield what `matches_at` returns, unsorted."""
        places: list[tuple[_Node, int]] = [(self._root, start)]
        while places:
            node, position = places.pop()
            self.steps += 1
            flags, gap = node.get(_FLAGS), node.get(_GAP)
            if isinstance(flags, int):
                yield position, flags
            if isinstance(gap, dict) and self._gap is not None and (match := self._gap.match(text, position)):
                places.append((gap, match.end()))
            following = node.get(text[position]) if position < len(text) else None
            if isinstance(following, dict):
                places.append((following, position + 1))
