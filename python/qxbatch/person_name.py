"""Names of people in headers and file names: their parts, and whether two names can belong to one person."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import NamedTuple

SEPARATORS = r"\s^=,._+~;:/\\'’\"·・()\[\]-"
"""Characters that separate the parts of a name, as in `Doe^Jane`, `DOE_JANE`, `O'Brien`: the inside of a character class."""
UNSPACED = (
    "\u0e00-\u0e7f\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Characters of scripts without spaces between words: the inside of a character class."""
PLACEHOLDER = re.compile(
    r"anonym|phantom|fantom|unknown|deident|noname|(last|first) ?name|test(s|ing|er)?(?![^\W\d_])", re.IGNORECASE
)
"""A name that contains one of these is not a person's."""
PLACEHOLDER_WORDS = frozenset(
    {"anon", "none", "null", "name", "demo", "dummy", "removed", "redacted", "qa", "qc", "unnamed", "nobody"}
)
"""A name with one of these as a part is not a person's."""
PARTICLES = frozenset(
    {"van", "von", "vom", "zum", "zur", "der", "den", "del", "della", "dello", "dos", "das", "des", "dal", "ter", "ten"}
    | {"bin", "ibn", "abu", "ben", "san", "mac", "the", "dr", "prof", "mr", "mrs", "ms", "herr", "frau", "med", "phd"}
    | {"msc", "jun", "sen", "patient", "subject", "sub", "volunteer", "vol", "control", "proband"}
)
"""Parts of many names, and titles: they do not identify a person."""
_TEST_WORD = re.compile(r"(test(s|ing|er)?|demo|qa|qc|dummy)\d*", re.IGNORECASE)
_FILLERS = frozenset("x0")
"""Characters that replace a name: `XXXX`."""
_SPLIT = re.compile(f"[{SEPARATORS}]+")
_MARKS = re.compile("[\u0300-\u036f]")
_SIMPLE_LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ß": "ss"}
    | {"Ø": "O", "Æ": "AE", "Œ": "OE", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "ẞ": "SS"}
)
_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_FIRST_TITLE = 3
"""Index of the first component of a DICOM name that is a prefix or suffix (PS3.5 6.2.1)."""
_SHORTEST_DIGRAPH = 4
"""Minimum length of a part whose `ae`, `oe` and `ue` can be digraphs: `Mueller` is also Muller."""
_LONGEST_INITIALS = 4
"""Maximum length of a part that can be the initials of all parts of another name."""
_SHORTEST_JOINED = 4
"""Minimum length of a part that can consist of several parts: `OBrien`. In scripts without spaces it is 2."""
_MOST_JOINED = 12
"""Maximum number of parts of a name that are tried as pieces of a joined part; with more, the search could take minutes."""
_REMEMBERED = 1 << 12
"""Number of names whose parts and spellings are cached: a packet can have hundreds, each of which is compared with others."""


class PersonName(NamedTuple):
    """A name with one or several component groups (alphabetic, ideographic, phonetic)."""

    full_name: str
    """The name as in the header, without spaces around it."""
    parts: tuple[str, ...]
    """Parts of all groups, without prefix and suffix."""
    titles: tuple[str, ...] = ()
    """Prefix and suffix."""

    @property
    def is_real(self) -> bool:
        """Return whether it can be the name of a person: it is no placeholder, and not the name of a phantom or a test."""
        if PLACEHOLDER.search(self.full_name) or PLACEHOLDER_WORDS & {part.casefold() for part in self.parts}:
            return False
        return any(set(part.casefold()) - _FILLERS for part in self.identifying_parts)

    @property
    def is_code(self) -> bool:
        """Return whether it contains a digit: more likely a code than a name."""
        return any(character.isdigit() for character in self.full_name)

    @property
    def identifying_parts(self) -> tuple[str, ...]:
        """Return the parts that identify a person: no initials, particles or titles; numbers only if there is no word."""
        parts = [part for part in self.parts if part.casefold() not in PARTICLES]
        words = tuple(part for part in parts if _has_letter(part) and (len(part) > 1 or is_unspaced(part)))
        return words or tuple(part for part in parts if part.isdigit())

    @property
    def scripts(self) -> frozenset[str]:
        """Return the scripts of the letters of its identifying parts, for example LATIN and CJK; LATIN where they have none."""
        letters = {character for part in self.identifying_parts for character in unicodedata.normalize("NFKC", part)}
        return frozenset(
            unicodedata.name(letter, "").split(" ")[0] for letter in letters if letter.isalpha()
        ) or frozenset({"LATIN"})


class _Forms(NamedTuple):
    """The facts of a name that comparisons need."""

    identifying: frozenset[str]
    """The spellings of its identifying parts."""
    initials: frozenset[str]
    """The first letters of the spellings of all parts and titles."""
    scripts: frozenset[str]


@lru_cache(_REMEMBERED)
def _forms(name: PersonName) -> _Forms:
    all_spellings = (spelling for part in (*name.parts, *name.titles) for spelling in spellings(part))
    return _Forms(
        frozenset(spelling for part in name.identifying_parts for spelling in spellings(part)),
        frozenset(spelling[:1] for spelling in all_spellings),
        name.scripts,
    )


@lru_cache(_REMEMBERED)
def parse_name(value: str) -> PersonName:
    """Return the parts of a name; supports component groups, `Doe^Jane`, `Doe, Jane` and `Jane Doe`."""
    parts: list[str] = []
    titles: list[str] = []
    for group in unicodedata.normalize("NFC", value).split("="):
        components = group.split("^")
        parts += split_parts(" ".join(components[:_FIRST_TITLE]))
        titles += split_parts(" ".join(components[_FIRST_TITLE:]))
    return PersonName(value.strip(), tuple(dict.fromkeys(parts)), tuple(dict.fromkeys(titles)))


def split_parts(text: str) -> list[str]:
    """Return the parts of a text that are joined by spaces, carets, hyphens and the like."""
    return [part for part in _SPLIT.split(text) if part]


def without_test_words(name: PersonName) -> PersonName | None:
    """Return the name without `test` and the like, as in `Doe^Jane^test`.

    None if it has no such word, or if what remains is not a person's name of at least two identifying parts.
    """
    parts = tuple(part for part in name.parts if not _TEST_WORD.fullmatch(part))
    remaining = PersonName(" ".join(parts), parts, name.titles)
    return remaining if parts != name.parts and len(remaining.identifying_parts) > 1 and remaining.is_real else None


def _has_letter(part: str) -> bool:
    return any(character.isalpha() for character in part)


def is_unspaced(text: str) -> bool:
    """Return whether a text has a character of a script without spaces between words."""
    return not text.isascii() and _unspaced_pattern().search(text) is not None


@cache
def _unspaced_pattern() -> re.Pattern[str]:
    return re.compile(f"[{UNSPACED}]")  # takes 3 ms


@cache
def spellings(part: str) -> frozenset[str]:
    """Return the folded spellings of a part: `Müller` and `Mueller` both have muller and mueller."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", part).casefold())
    german = without_marks(folded.translate(_DIGRAPHS))
    texts = {without_marks(folded), german}
    if len(german) >= _SHORTEST_DIGRAPH:
        texts.add(re.sub("([aou])e", r"\1", german))
    return frozenset(texts)


def without_marks(text: str) -> str:
    """Return a text without diacritics; ligatures and wide characters are written as simple letters.

    >>> without_marks("Ærøskøbing, Łódź")
    'AEroskobing, Lodz'
    """
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text.translate(_SIMPLE_LETTERS)))
    return unicodedata.normalize("NFC", bare)


def is_spelling(name: PersonName, other: PersonName) -> bool:
    """Return whether two names differ only in spelling: case, order, diacritics, initials, omitted parts."""
    return _covers(name, other) or _covers(other, name)


def have_common_part(name: PersonName, other: PersonName) -> bool:
    """Return whether two names have a part in common, or are spellings of each other."""
    forms, other_forms = _forms(name), _forms(other)
    if not forms.identifying.isdisjoint(other_forms.identifying):
        return True
    if forms.initials.isdisjoint(other_forms.initials):  # then no part consists of others, and none is an initial
        return False
    if any(_is_joined(part, other.parts) for part in name.identifying_parts):
        return True
    return any(_is_joined(part, name.parts) for part in other.identifying_parts) or is_spelling(name, other)


def identifying_spellings(name: PersonName) -> frozenset[str]:
    """Return the spellings of a name's identifying parts. Names with one in common have a common part."""
    return _forms(name).identifying


def are_comparable(name: PersonName, other: PersonName) -> bool:
    """Return whether both names have a script in common."""
    return not _forms(name).scripts.isdisjoint(_forms(other).scripts)


def _covers(full: PersonName, abbreviated: PersonName) -> bool:
    """Return whether `full` has each part of `abbreviated`, except particles, as a part or as an initial.

    A single part of `abbreviated` can also be the initials of all parts of `full`.
    """
    parts = [part for part in abbreviated.parts if part.casefold() not in PARTICLES]
    if not parts:
        return False
    all_parts = (*full.parts, *full.titles)
    if all(_is_part(part, all_parts) or _is_initial(part, all_parts) for part in parts):
        return True
    return len(parts) == 1 and _are_initials(parts[0], full.parts)


def _is_part(part: str, parts: tuple[str, ...]) -> bool:
    """Return whether a part is one of `parts`, also in another spelling, or consists of several of them."""
    return any(spellings(part) & spellings(other) for other in parts) or _is_joined(part, parts)


def _is_joined(part: str, parts: tuple[str, ...]) -> bool:
    """Return whether a part consists of several of the parts without a separator: `AnneMarie`, `OBrien`."""
    shortest = 2 if is_unspaced(part) else _SHORTEST_JOINED
    return len(part) >= shortest and any(_is_chain(text, parts) for text in spellings(part))


def _is_chain(text: str, parts: tuple[str, ...]) -> bool:
    """Return whether a text is a sequence of at least two of the parts, each at most once."""
    pieces = [[spelling for spelling in spellings(part) if spelling and spelling in text] for part in parts]
    pieces = [piece for piece in pieces if piece][:_MOST_JOINED]

    @cache
    def is_completed(at: int, used: int) -> bool:
        """Return whether the unused pieces can form the text from `at` on. The bit k of `used` is set for each used piece k."""
        if at == len(text):
            return used.bit_count() > 1
        return any(
            text.startswith(spelling, at) and is_completed(at + len(spelling), used | 1 << k)
            for k, piece in enumerate(pieces)
            if not used >> k & 1
            for spelling in piece
        )

    return is_completed(0, 0)


def _is_initial(part: str, parts: Iterable[str]) -> bool:
    """Return whether a part is the initial of one of `parts`, or begins with one of `parts` that is an initial."""
    return any(
        spelling[:1] == other[:1]
        for text in parts
        if 1 in (len(part), len(text))
        for spelling in spellings(part)
        for other in spellings(text)
    )


def _are_initials(part: str, parts: tuple[str, ...]) -> bool:
    """Return whether a part consists of the first letters of all `parts`, in any order: `JD` for Doe^Jane."""
    if not 1 < len(part) <= _LONGEST_INITIALS or is_unspaced(part):
        return False
    firsts = sorted(min(spellings(other))[:1] for other in parts)
    return any(sorted(text) == firsts for text in spellings(part))
