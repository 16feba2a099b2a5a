"""Finds the parts of people's names in text."""

import contextlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from enum import IntFlag
from functools import cache, lru_cache

from qxbatch.person_name import PARTICLES, SEPARATORS, PersonName, is_unspaced, spellings
from qxbatch.text_tree import TextTree, lower_same_length

SHORTEST_WORD = 3
"""Minimum length of a part that is replaced as a separate word: `PA` is also a direction."""
SHORTEST_UNSPACED = 2
"""The same for scripts without spaces, in which a character is a syllable or a word."""
SHORTEST_JOINED = 4
"""Minimum length of a part that is replaced where it is joined to other text by capitals: `ZagarS`, `KZagar`, `T1wZagar`."""
SHORTEST_INSIDE = 5
"""The same with a capital only at the beginning of the part: `WIPZagarscan`."""
_LONGEST_RUN = 14
"""Maximum number of adjacent parts in one match."""
_SINGLE_BYTE = tuple(f"iso8859-{k}" for k in (*range(1, 10), 15))
_ENCODINGS = (
    *("utf-8", "iso2022_jp_1", "shift_jis", "euc_kr", "gb18030", "cp874", *_SINGLE_BYTE),
    *("cp437", "cp850", "cp852", "cp866", "cp1250", "cp1251", "cp1252", "koi8-r", "mac-roman", "big5", "euc_jp"),
)
"""The encodings of SpecificCharacterSet, and those in which other systems write the names of files."""
_ESCAPE = re.compile(rb"\x1b[$()]+[@-Z]")
"""Matches an escape sequence of ISO 2022, which changes the character set inside a text."""
_LATIN_1 = "".join(map(chr, range(0x80, 0x100)))
"""Characters that bytes of other character sets become when read as Latin-1. They need no word boundary."""
_BETWEEN = re.compile(f"[{SEPARATORS}]{{0,3}}")
"""Matches what may be between two adjacent parts."""
_LETTERS = [*map(chr, range(0x530))]
"""Latin, Greek and Cyrillic."""
_SMALL = frozenset(character for character in _LETTERS if character.islower())
_CAPITAL = frozenset(character for character in _LETTERS if character.isupper())


class _Flag(IntFlag):
    """Where a part is found."""

    CORE = 1
    """Next to another part."""
    MINOR = 2
    """Next to a core part only: initials, particles such as `van`, titles and numbers."""
    JOINED = 4
    """Joined to initials or other text by capitals."""
    INSIDE = 8
    """Behind other text, with a capital at its beginning. `Ann` is not found in `planned` and `Hannover`."""
    WORD = 16
    """As a separate word, also next to a digit."""
    ANYWHERE = 32


class NameSearch:
    """Finds the parts of names: of people, and of tests.

    A name with a word such as `test`, as in `Doe^Jane^test`, is the name of a test; `test_names` are such names without these
    words (`without_test_words`). Their parts are found only next to another part.
    """

    def __init__(self, people: Iterable[PersonName], test_names: Iterable[PersonName] = ()) -> None:
        self.tree = TextTree()
        for name in people:
            self._add(name, single=True)
        for name in test_names:
            self._add(name, single=False)

    def _add(self, name: PersonName, *, single: bool) -> None:
        """Add the parts of a name; `single`: they are found also if no other part is next to them."""
        for part in name.parts:
            flags = _flags(part) if single else _flags(part) & (_Flag.CORE | _Flag.MINOR)
            for text in _written_forms(part):
                self.tree.add([lower_same_length(text)], flags)
        for title in name.titles:
            for text in _written_forms(title):
                self.tree.add([lower_same_length(text)], _Flag.MINOR)

    def end(self, text: str, folded: str, start: int) -> int:
        """Return the end of the parts of a name that begin at `start`; 0 if none begins there.

        `folded` is the text in lower case. Several parts are preferred to one.
        """
        if not self.tree.matches_at(folded, start):
            return 0
        return self._run_end(text, folded, start) or self._single_end(text, folded, start)

    def _run_end(self, text: str, folded: str, start: int) -> int:
        """Return the farthest end of two or more adjacent parts, in any order, with a core part among them; 0 if there is none."""
        if not _can_begin(text, start):
            return 0
        waiting = [(start, 0, False)]
        """For each sequence of parts: its end, the number of parts, whether a core part is among them."""
        seen: set[tuple[int, bool, bool]] = set()
        """For each sequence that was added to `waiting`: its end, whether it has a core part, whether it has several parts."""
        ends: list[int] = []
        while waiting:
            position, count, has_core = waiting.pop()
            if count > 1 and has_core and _can_end(text, position):
                ends.append(position)
            match = _BETWEEN.match(text, position) if count else None
            place = match.end() if match else position
            if place >= len(text) or count >= _LONGEST_RUN:
                continue
            for end, flags in reversed(self._parts(text, folded, place, _Flag.CORE | _Flag.MINOR)):
                with_core = has_core or bool(flags & _Flag.CORE)
                if (end, with_core, count > 0) not in seen:
                    seen.add((end, with_core, count > 0))
                    waiting.append((end, count + 1, with_core))
        return max(ends, default=0)

    def _single_end(self, text: str, folded: str, start: int) -> int:
        """Return the end of the longest part that begins at `start` and is found without another part; 0 if there is none."""
        begins_word = start == 0 or not is_letter(text[start - 1])
        joint = _is_camel(text, start) or _is_acronym(text, start)
        for end, flags in self._parts(text, folded, start, ~_Flag(0)):
            ends_word = end == len(text) or not is_letter(text[end])
            if flags & _Flag.JOINED and (begins_word or joint) and (ends_word or _is_camel(text, end)):
                return end
            if flags & _Flag.INSIDE and joint:
                return end
            if flags & _Flag.WORD and begins_word and ends_word:
                return end
            if flags & _Flag.ANYWHERE:
                return end
        return 0

    def _parts(self, text: str, folded: str, start: int, wanted: _Flag) -> list[tuple[int, int]]:
        """Return the end and the flags of each part at `start` that has a flag of `wanted`, the longest first.

        A part that begins or ends inside a number is left out.
        """
        if start and text[start].isdecimal() and text[start - 1].isdecimal():
            return []
        return [
            (end, flags)
            for end, flags in self.tree.matches_at(folded, start)
            if flags & wanted and not (text[end - 1].isdecimal() and text[end : end + 1].isdecimal())
        ]


def _flags(part: str) -> _Flag:
    """Return where a part is found."""
    if _is_minor(part):
        return _Flag.MINOR
    if is_unspaced(part):
        return _Flag.CORE | (_Flag.ANYWHERE if len(part) >= SHORTEST_UNSPACED else _Flag(0))
    lengths = {_Flag.WORD: SHORTEST_WORD, _Flag.JOINED: SHORTEST_JOINED, _Flag.INSIDE: SHORTEST_INSIDE}
    flags = _Flag.CORE
    for flag, length in lengths.items():
        flags |= flag if len(part) >= length else _Flag(0)
    return flags


def _can_begin(text: str, start: int) -> bool:
    """Return whether several adjacent parts can begin at a place: at the edge of a word, or where none is needed."""
    return _needs_no_edge(text[start]) or start == 0 or not is_letter(text[start - 1]) or _is_camel(text, start)


def _can_end(text: str, end: int) -> bool:
    """Return whether several adjacent parts can end at a place: at the edge of a word, or where none is needed."""
    return _needs_no_edge(text[end - 1]) or end == len(text) or not is_letter(text[end]) or _is_camel(text, end)


@cache
def is_letter(character: str) -> bool:
    """Return whether a character belongs to a word of a script with spaces between words."""
    return character.isalnum() and not character.isdecimal() and not is_unspaced(character)


@cache
def _needs_no_edge(character: str) -> bool:
    """Return whether a part with this character at its edge is found inside other text, too."""
    return character in _LATIN_1 or is_unspaced(character)


def _is_camel(text: str, place: int) -> bool:
    """Return whether two words are joined at a place, as in `T1wDoeJane`."""
    return 0 < place < len(text) and text[place - 1] in _SMALL and text[place] in _CAPITAL


def _is_acronym(text: str, place: int) -> bool:
    """Return whether a place is between capitals and a word with a capital, as in `KZagar` and `WIPZagar`."""
    capitals = 0 < place < len(text) - 1 and text[place - 1] in _CAPITAL and text[place] in _CAPITAL
    return capitals and text[place + 1] in _SMALL


def _is_minor(part: str) -> bool:
    """Return whether a part alone does not identify a person."""
    short = len(part) == 1 and not is_unspaced(part)
    return short or part.casefold() in PARTICLES or not any(character.isalpha() for character in part)


@lru_cache(maxsize=1024)
def _written_forms(part: str) -> frozenset[str]:
    """Return a part as files and programs write it: composed, decomposed, without diacritics, in ASCII, as bytes."""
    texts = {unicodedata.normalize(form, part) for form in ("NFC", "NFD", "NFKC")} | {part}
    # a short spelling is left out if the part is longer: `x` for x with a combining mark would match in other words
    texts |= {text for text in (*spellings(part), *_with_digraphs(part)) if len(text) >= min(len(part), SHORTEST_WORD)}
    return frozenset(texts.union(_misread(part)))


def _with_digraphs(part: str) -> Iterator[str]:
    """Yield a part with `ae`, `oe` and `ue` for its vowels, as German names are written: `Muller` can be `Mueller`."""
    for text in spellings(part):
        yield re.sub("([aou])(?!e)", r"\1e", text)
        yield from (f"{text[: match.end()]}e{text[match.end() :]}" for match in re.finditer("[aou](?!e)", text))


def _misread(part: str) -> Iterator[str]:
    """Yield the bytes of a part in each encoding, read as Latin-1, as dcm2niix writes them."""
    if part.isascii():
        return
    for encoding in _ENCODINGS:
        for written in {part, part.lower(), part.upper(), part.title()}:
            with contextlib.suppress(UnicodeEncodeError):
                text = _ESCAPE.sub(b"", written.encode(encoding)).decode("latin-1")
                if len(text) > 1:
                    yield text


def possible_decodings(name: str) -> Iterator[str]:
    """Yield a name, and what it is if UTF-8 was read as a single-byte encoding: some headers do not name their character set."""
    yield name
    for encoding in () if name.isascii() else _SINGLE_BYTE:
        with contextlib.suppress(UnicodeError):
            yield name.encode(encoding).decode()
