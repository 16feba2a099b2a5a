"""Regular expressions that find the parts of a person's name in text."""

import contextlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from qxbatch.person_name import PARTICLES, SEPARATORS, UNSPACED, PersonName, is_unspaced, spellings

SHORTEST_WORD = 3
"""Minimum length of a part that is replaced as a separate word."""
SHORTEST_UNSPACED = 2
"""The same for scripts without spaces, in which a character is a syllable or a word."""
SHORTEST_JOINED = 4
"""Minimum length of a part that is joined to other text, with capitals at both borders: `ZagarS`, `KZagar`, `T1wZagar`."""
SHORTEST_INSIDE = 5
"""The same with a capital only at its beginning: `WIPZagarscan`."""
_LONGEST_RUN = 12
"""Maximum number of adjacent parts in one match; it limits the time of a search."""
_CONTEXT = 16
"""Number of characters around a part that must match in a text without spaces."""
_ENCODINGS = ("utf-8", "iso2022_jp", "shift_jis", "euc_kr", "gb18030", "cp874", *(f"iso8859-{k}" for k in range(2, 10)))
"""The encodings of SpecificCharacterSet except Latin-1."""
_ESCAPE = re.compile(rb"\x1b[$()]+[@-Z]")
_LATIN_1 = "\u0080-\u00ff"
"""Characters that bytes of other character sets become when read as Latin-1. They need no word boundary."""
_LETTER = rf"(?-i:[^\W\d_{UNSPACED}])"
"""Case-sensitive: to compile this class with IGNORECASE takes 5 ms."""
_NO_EDGE = f"(?-i:[{UNSPACED}{_LATIN_1}])"
_CAMEL = "(?-i:(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ]))"
"""The place between two words that are joined as in `T1wDoeJane`."""
_ACRONYM = "(?-i:(?<=[A-ZÀ-ÖØ-Þ])(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]))"
"""The place between capitals and a word, as in `KZagar` and `WIPZagar`."""
_BETWEEN = f"[{SEPARATORS}]{{0,3}}"


def run_patterns(names: Sequence[PersonName]) -> Iterator[str]:
    """Yield the patterns of adjacent parts of names, in any order.

    Initials, particles such as `van`, titles and numbers match only next to another part: alone, `PA` is a direction.
    """
    parts = [part for name in names for part in name.parts]
    core = _alternatives(part for part in parts if not _is_minor(part))
    minor = _alternatives([*filter(_is_minor, parts), *(title for name in names for title in name.titles)])
    if not core:
        return
    part = f"(?:{core}|{minor})" if minor else f"(?:{core})"
    runs = [f"(?:{core})(?:{_BETWEEN}{part}){{1,{_LONGEST_RUN}}}"]
    if minor:
        runs.append(f"(?:(?:{minor}){_BETWEEN}){{1,{_LONGEST_RUN}}}(?:{core})(?:{_BETWEEN}{part}){{0,{_LONGEST_RUN}}}")
    start = rf"(?:(?={_NO_EDGE})|(?<!{_LETTER})|{_CAMEL})"
    end = rf"(?:(?<={_NO_EDGE})|(?!{_LETTER})|{_CAMEL})"
    yield from (f"{start}{run}{end}" for run in runs)


def word_patterns(names: Sequence[PersonName]) -> Iterator[str]:
    """Yield the patterns of long parts of names as separate words, also next to a digit.

    In scripts without spaces they match anywhere.
    """
    long = [part for name in names for part in name.parts if _is_long(part)]
    spaced = sorted({text for part in long if not is_unspaced(part) for text in _written(part)}, key=_longest_first)
    unspaced = sorted({text for part in long if is_unspaced(part) for text in _written(part)}, key=_longest_first)
    if spaced:
        yield rf"(?<!{_LETTER})(?:{'|'.join(map(re.escape, spaced))})(?!{_LETTER})"
    if unspaced:
        yield f"(?:{'|'.join(map(re.escape, unspaced))})"


def joined_patterns(names: Sequence[PersonName]) -> Iterator[str]:
    """Yield the patterns of long parts of names that are joined to initials or other text.

    A capital must mark the beginning of the part. `Ann` does not match in `planned` and `Hannover`, nor `Yamada` in
    `Yamadas`.
    """
    parts = [part for name in names for part in name.parts if not _is_minor(part) and not is_unspaced(part)]
    joined = _alternatives(part for part in parts if len(part) >= SHORTEST_JOINED)
    inside = _alternatives(part for part in parts if len(part) >= SHORTEST_INSIDE)
    if joined:
        yield rf"(?:(?<!{_LETTER})|{_CAMEL}|{_ACRONYM})(?:{joined})(?:(?!{_LETTER})|{_CAMEL})"
    if inside:
        yield rf"(?:{_CAMEL}|{_ACRONYM})(?:{inside})"


def without_joints(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[str]:
    """Yield patterns that find the spans of a text in the same text without spaces, as converters write it.

    >>> list(without_joints("WIP Doe scan", [(4, 7)]))
    ['(?<=WIP)Doe(?=scan)']
    """
    for start, end in spans:
        before, part, behind = (
            re.sub(r"[\W_]+", "", segment) for segment in (text[:start], text[start:end], text[end:])
        )
        if len(part) < SHORTEST_WORD or not (before or behind):
            continue
        left = f"(?<={re.escape(before[-_CONTEXT:])})" if before else f"(?<!{_LETTER})"
        right = f"(?={re.escape(behind[:_CONTEXT])})" if behind else f"(?!{_LETTER})"
        yield f"{left}{re.escape(part)}{right}"


def _alternatives(parts: Iterable[str]) -> str:
    """Return the parts as alternatives of a pattern; empty when there are none."""
    texts = {text for part in parts for text in _written(part)}
    return "|".join(map(_edged, sorted(texts, key=_longest_first)))


def _edged(text: str) -> str:
    """Return the pattern of a part; a digit at its end must not be followed by another digit."""
    before = r"(?<!\d)" if text[0].isdigit() else ""
    behind = r"(?!\d)" if text[-1].isdigit() else ""
    return f"{before}{re.escape(text)}{behind}"


def _is_minor(part: str) -> bool:
    """Return whether a part alone does not identify a person."""
    short = len(part) == 1 and not is_unspaced(part)
    return short or part.casefold() in PARTICLES or not any(character.isalpha() for character in part)


def _is_long(part: str) -> bool:
    return not _is_minor(part) and len(part) >= (SHORTEST_UNSPACED if is_unspaced(part) else SHORTEST_WORD)


def _written(part: str) -> set[str]:
    """Return a part as files and programs write it: composed, decomposed, without diacritics, in ASCII, as bytes."""
    texts = {unicodedata.normalize(form, part) for form in ("NFC", "NFD", "NFKC")} | {part}
    # a short spelling, such as initials, would match in other words
    texts |= {text for text in spellings(part) if len(text) >= min(len(part), SHORTEST_WORD)}
    return texts | set(_misread(part))


def _misread(part: str) -> Iterator[str]:
    """Yield a part as dcm2niix writes it: bytes of another encoding, read as Latin-1."""
    if part.isascii():
        return
    for encoding in _ENCODINGS:
        with contextlib.suppress(UnicodeEncodeError):
            text = _ESCAPE.sub(b"", part.encode(encoding)).decode("latin-1")
            if len(text) > 1:
                yield text


def _longest_first(text: str) -> tuple[int, str]:
    return -len(text), text
