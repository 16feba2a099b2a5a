"""Finds ids and names of patients in text."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from qxbatch.name_search import SHORTEST_WORD, NameSearch, is_letter
from qxbatch.person_name import without_marks
from qxbatch.text_tree import TextTree, lower_same_length

_SEPARATORS = r"\s^=,._-"
"""Any number of these, also none, between the parts of an id: `AP 4`, `AP_4`, `AP4`."""
_GAP = re.compile(r"[\W_]+")
"""Matches characters that are not letters or digits."""
_SEPARATOR_RUN = re.compile(f"[{_SEPARATORS}]+")
_DECIMALS = re.compile(r"\.\d")
_DICOM_COUNT = re.compile(r" DICOM\b", re.IGNORECASE)
LONG_ID_DIGITS = 5
"""An id with this many digits or more is found next to letters, and if a dot and a digit follow; shorter numbers are too common."""
_CONTEXT_LENGTH = 16
"""Number of letters and digits beside an id or name that must match.

It is the maximum number in `JoinedSearch`, and the exact number in `CutSearch`.
"""
_WORD, _NUMBER, _LONG = 1, 2, 4
"""Flags of an id or name: it has a character that is not a digit, it has only digits, it has LONG_ID_DIGITS or more digits."""


class WholeSearch:
    """Ids and names that are found as a whole."""

    def __init__(self) -> None:
        self.tree = TextTree(_SEPARATORS)

    def add(self, value: str, parts: Iterable[str] = ()) -> None:
        """Add a value. `parts` are its parts in another order, or split at other separators; by default, those at _SEPARATORS."""
        parts = [part for part in parts or _SEPARATOR_RUN.split(value) if part]
        flags = _NUMBER if value.isdigit() else _WORD
        flags |= _LONG if sum(map(str.isdigit, value)) >= LONG_ID_DIGITS else 0
        for texts in {tuple(parts), tuple(map(without_marks, parts))}:
            self.tree.add([*map(lower_same_length, texts)], flags)

    def end(self, text: str, folded: str, start: int) -> int:
        """Return the end of the value that begins at `start`; 0 if none begins there. `folded` is the text in lower case."""
        for end, flags in self.tree.matches_at(folded, start):
            if _is_whole(text, start, end, flags) and (flags & _WORD or not _is_in_number(text, start, end, flags)):
                return end
        return 0


def _is_whole(text: str, start: int, end: int, flags: int) -> bool:
    """Return whether a value begins and ends at the edges of a word; a long id, at the edges of its digits."""
    edges = ((text[place - 1], text[place]) for place in (start, end) if 0 < place < len(text))
    if flags & _LONG:
        return not any(before.isdecimal() and behind.isdecimal() for before, behind in edges)
    return not any(before.isalnum() and behind.isalnum() for before, behind in edges)


def _is_in_number(text: str, start: int, end: int, flags: int) -> bool:
    """Return whether an id of digits is part of a UID or a decimal number, or a count of files, as in `301 DICOM`.

    A long id counts as part of a UID or a decimal number only if a digit and a dot precede it.
    """
    is_behind_dot = start > 0 and text[start - 1] == "."
    if flags & _LONG:
        is_behind_dot = is_behind_dot and start > 1 and text[start - 2].isdecimal()
    is_before_dot = not flags & _LONG and _DECIMALS.match(text, end) is not None
    return is_behind_dot or is_before_dot or _DICOM_COUNT.match(text, end) is not None


class JoinedSearch:
    """Ids and names in descriptions, which are found where a converter wrote the description without spaces and separators."""

    def __init__(self) -> None:
        self.tree = TextTree()
        self._contexts: dict[str, set[tuple[str, str]]] = defaultdict(set)

    def add(self, description: str, spans: Iterable[tuple[int, int]]) -> None:
        """Add the ids and names of a description: the text from start to end of each span.

        A text with fewer than SHORTEST_WORD letters and digits, or with no letter or digit beside it, is not added.
        """
        for start, end in spans:
            segments = (description[:start], description[start:end], description[end:])
            before, part, behind = map(_letters_and_digits, segments)
            if len(part) >= SHORTEST_WORD and (before or behind):
                self.tree.add([part], flags=0)
                self._contexts[part].add((before[-_CONTEXT_LENGTH:], behind[:_CONTEXT_LENGTH]))

    def end(self, text: str, folded: str, start: int) -> int:
        """Return the end of the id or name that begins at `start`; 0 if none begins there. `folded` is the text in lower case."""
        return next(
            (end for end, _ in self.tree.matches_at(folded, start) if self._has_context(text, folded, start, end)), 0
        )

    def _has_context(self, text: str, folded: str, start: int, end: int) -> bool:
        """Return whether the text on both sides of a match is that of a description.

        On a side where the description has no letter or digit, the match must be at the edge of a word.
        """
        begins_word = start == 0 or not is_letter(text[start - 1])
        ends_word = end == len(text) or not is_letter(text[end])
        return any(
            (folded.endswith(before, 0, start) if before else begins_word)
            and (folded.startswith(behind, end) if behind else ends_word)
            for before, behind in self._contexts[folded[start:end]]
        )


class CutSearch:
    """Beginnings of ids and names in descriptions, which are found where a converter cut the description inside an id or name."""

    def __init__(self) -> None:
        self.tree = TextTree(r"\W_")
        self._contexts: dict[str, set[str]] = defaultdict(set)

    def add(self, description: str, spans: Iterable[tuple[int, int]]) -> None:
        """Add the ids and names of a description: the text from start to end of each span.

        Those with fewer than _CONTEXT_LENGTH letters and digits before them are not added.
        """
        for start, end in spans:
            before = _letters_and_digits(description[:start])[-_CONTEXT_LENGTH:]
            words = [lower_same_length(word) for word in _GAP.split(description[start:end]) if word]
            if len(before) < _CONTEXT_LENGTH:
                continue
            for count, word in enumerate(words):
                for length in range(1, len(word) + 1):
                    beginning = [*words[:count], word[:length]]
                    self.tree.add(beginning, flags=0)
                    self._contexts["".join(beginning)].add(before)

    def end(self, text: str, folded: str, start: int) -> int:
        """Return the end of the cut id or name that begins at `start`, or 0. `folded` is the text in lower case."""
        ends = (end for end, _ in self.tree.matches_at(folded, start) if end == len(text) or not text[end].isalnum())
        return next((end for end in ends if self._has_context(folded, start, end)), 0)

    def _has_context(self, folded: str, start: int, end: int) -> bool:
        """Return whether the text before a match is that of a description."""
        # up to three of four characters may be separators, which the contexts do not contain
        before = _letters_and_digits(folded[max(0, start - 4 * _CONTEXT_LENGTH) : start])
        return any(before.endswith(context) for context in self._contexts[_letters_and_digits(folded[start:end])])


def _letters_and_digits(text: str) -> str:
    """Return the letters and digits of a text, in lower case."""
    return lower_same_length(_GAP.sub("", text))


class IdentitySearch:
    """Finds the ids and names that the session id replaces.

    A session id in a text does not change, even if it contains an id or a name, unless it is part of a longer id or whole name
    (`WholeSearch`). `names` finds parts of the names of people.
    """

    def __init__(self, wholes: WholeSearch, names: NameSearch, session_id: str) -> None:
        self._cut = CutSearch()
        self._joined = JoinedSearch()
        self._names = names
        self._wholes = wholes
        read_as_latin_1 = session_id.encode("utf-8", "surrogateescape").decode("latin-1")  # as in `byte_text`
        forms = "|".join(map(re.escape, dict.fromkeys([session_id, without_marks(session_id), read_as_latin_1])))
        self._session_id = re.compile(rf"(?<![^\W_])(?:{forms})(?![^\W_])", re.IGNORECASE)

    @property
    def steps(self) -> int:
        """Return the number of tree nodes that all searches visited."""
        return sum(search.tree.steps for search in self._searches)

    @property
    def _searches(self) -> tuple["JoinedSearch | WholeSearch | NameSearch | CutSearch", ...]:
        """Return the searches in the order of their precedence."""
        return self._joined, self._wholes, self._names, self._cut

    def add_description(self, text: str) -> None:
        """Let `spans` also find the ids and names of a description in texts where a converter joined or cut the description."""
        spans = [*self.spans(text)]
        self._joined.add(text, spans)
        self._cut.add(text, spans)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where each id and name begins and ends."""
        folded = lower_same_length(text)
        first_characters = frozenset().union(*(search.tree.first_characters for search in self._searches))
        matches = self._session_id.finditer(text) if first_characters else ()
        session_id_ends = {match.start(): match.end() for match in matches}
        place = 0
        for start, character in enumerate(folded):
            if start < place:
                continue
            if start in session_id_ends and self._wholes.end(text, folded, start) <= session_id_ends[start]:
                place = session_id_ends[start]
            elif character in first_characters and (end := self._end(text, folded, start)):
                yield start, end
                place = end

    def _end(self, text: str, folded: str, start: int) -> int:
        return next((end for search in self._searches if (end := search.end(text, folded, start))), 0)
