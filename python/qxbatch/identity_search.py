"""Finds ids and names of patients in text."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from qxbatch.name_search import SHORTEST_WORD, NameSearch, is_letter
from qxbatch.person_name import without_marks
from qxbatch.text_tree import TextTree, lower

_SEPARATORS = r"\s^=,._-"
"""Between the parts of an id: `AP 4`, `AP_4`."""
_PART = re.compile(f"[{_SEPARATORS}]+")
_NUMBER_BEFORE = re.compile(r"[\d.]")
_NUMBER_BEHIND = re.compile(r"\.?\d| DICOM\b", re.IGNORECASE)
"""Digits next to digits and dots belong to a number, a time or a UID; before `DICOM` they count files."""
_CONTEXT = 16
"""Number of characters around a part that must match in a text without spaces."""
_WORD, _NUMBER = 1, 2


class WholeSearch:
    """Ids and names that are found as a whole."""

    def __init__(self) -> None:
        self.tree = TextTree(_SEPARATORS)

    def add(self, value: str, parts: Iterable[str] = ()) -> None:
        """Add a value; `parts` are its parts in another order, or split at other separators."""
        parts = [part for part in parts or _PART.split(value) if part]
        for texts in {tuple(parts), tuple(map(without_marks, parts))}:
            self.tree.add([*map(lower, texts)], _NUMBER if value.isdigit() else _WORD)

    def end(self, text: str, folded: str, start: int) -> int:
        """Return the end of the value that begins at `start`; 0 if none begins there. `folded` is the text in lower case."""
        if start and text[start - 1].isalnum():
            return 0
        for end, flags in self.tree.at(folded, start):
            if end < len(text) and text[end].isalnum():
                continue
            in_number = (start and _NUMBER_BEFORE.match(text, start - 1)) or _NUMBER_BEHIND.match(text, end)
            if flags & _WORD or not in_number:
                return end
        return 0


class JoinedSearch:
    """Parts of descriptions that are found in the same descriptions without spaces, as converters write them."""

    def __init__(self) -> None:
        self.tree = TextTree()
        self._contexts: dict[str, set[tuple[str, str]]] = defaultdict(set)

    def add(self, description: str, spans: Iterable[tuple[int, int]]) -> None:
        """Add the parts of a description: from start to end of each span."""
        for start, end in spans:
            segments = (description[:start], description[start:end], description[end:])
            before, part, behind = (lower(re.sub(r"[\W_]+", "", segment)) for segment in segments)
            if len(part) >= SHORTEST_WORD and (before or behind):
                self.tree.add([part], 1)
                self._contexts[part].add((before[-_CONTEXT:], behind[:_CONTEXT]))

    def end(self, text: str, folded: str, start: int) -> int:
        """Return the end of the part that begins at `start`; 0 if none begins there. `folded` is the text in lower case."""
        return next((end for end, _ in self.tree.at(folded, start) if self._fits(text, folded, start, end)), 0)

    def _fits(self, text: str, folded: str, start: int, end: int) -> bool:
        begins_word = start == 0 or not is_letter(text[start - 1])
        ends_word = end == len(text) or not is_letter(text[end])
        return any(
            (folded.endswith(before, 0, start) if before else begins_word)
            and (folded.startswith(behind, end) if behind else ends_word)
            for before, behind in self._contexts[folded[start:end]]
        )


class IdentitySearch:
    """The ids and names that the session id replaces.

    A session id in a text does not change, even if it contains one of them, except as the beginning of a longer one.
    """

    def __init__(self, wholes: WholeSearch, names: NameSearch, session_id: str) -> None:
        self.joined = JoinedSearch()
        self._names = names
        self._wholes = wholes
        own = "|".join(map(re.escape, dict.fromkeys([session_id, without_marks(session_id)])))
        self._session = re.compile(rf"(?<![^\W_])(?:{own})(?![^\W_])", re.IGNORECASE)

    @property
    def steps(self) -> int:
        """Return the number of steps of all searches."""
        return sum(search.tree.steps for search in (self.joined, self._wholes, self._names))

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where each id and name begins and ends."""
        folded = lower(text)
        starts = self.joined.tree.starts | self._wholes.tree.starts | self._names.tree.starts
        own = {match.start(): match.end() for match in self._session.finditer(text)} if starts else {}
        place = 0
        for start, character in enumerate(folded):
            if start < place:
                continue
            if start in own and self._wholes.end(text, folded, start) <= own[start]:
                place = own[start]
            elif character in starts and (end := self._end(text, folded, start)):
                yield start, end
                place = end

    def _end(self, text: str, folded: str, start: int) -> int:
        searches = (self.joined, self._wholes, self._names)
        return next((end for search in searches if (end := search.end(text, folded, start))), 0)
