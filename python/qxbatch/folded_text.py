"""Text in other forms, for comparison with names.

Without diacritics and escapes, `M%C3%BCller` and `Müller` are Muller. As bytes, a text in any encoding can be compared.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from qxbatch.person_name import without_marks

_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+|(?:\\x[0-9A-Fa-f]{2})+|\\u[0-9A-Fa-f]{4}|\\[nrt]")
"""Escapes of URLs, and of programs that write names as ASCII."""
_MAX_LEVELS = 3
"""Maximum number of times that escapes are replaced, since escapes can be escaped: `%255E` is `%5E`, which is `^`."""
_BYTES = range(0xDC80, 0xDD00)
"""Characters for bytes that are not UTF-8 (surrogateescape). `folded_text` reads them as Latin-1."""
_BYTE_ZERO = 0xDC00
"""Code of the character for byte 0; that of byte k is k larger."""
_NOT_ASCII = range(0x80, 0x100)


class FoldedText(NamedTuple):
    """A text in another form (`folded_text`, `byte_text`), and where its characters come from."""

    text: str
    offsets: Sequence[int]
    """For each of its characters, the offset in the original at which it begins; the last one is the length of the original."""

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original from which a span of this text comes. It contains whole characters and escapes."""
        stop = self.offsets[end]
        if end > start and self.offsets[end - 1] == stop:
            stop = next(offset for offset in self.offsets[end:] if offset > stop)
        return self.offsets[start], stop


def folded_text(text: str) -> FoldedText | None:
    """Return the text without escapes, and without diacritics as `without_marks` does; None if the text has neither."""
    folded = _without_escapes(text)
    if not folded.text.isascii():
        folded = _joined(((_folded(character), 1) for character in folded.text), folded)
    return None if folded.text == text else folded


def byte_text(text: str) -> FoldedText | None:
    """Return the bytes of a text whose escapes are decoded, each byte as the character with that code; None if all are ASCII.

    They can be compared with names in any encoding, also where bytes in another encoding are valid UTF-8: the bytes of 小 in
    GB18030 are a Cyrillic letter in UTF-8.
    """
    decoded = _without_escapes(text)
    if decoded.text.isascii():
        return None
    return _joined(((_bytes_of(character), 1) for character in decoded.text), decoded)


@cache
def _bytes_of(character: str) -> str:
    """Return the UTF-8 bytes of a character, each as the character with that code; for a byte that is not UTF-8, only this byte."""
    if ord(character) in _BYTES:
        return chr(ord(character) - _BYTE_ZERO)
    return character.encode("utf-8", "replace").decode("latin-1")


def _without_escapes(text: str) -> FoldedText:
    """Return a text with escapes replaced by the characters that they stand for."""
    folded = FoldedText(text, range(len(text) + 1))
    for _ in range(_MAX_LEVELS):
        decoded = _joined(_decoded(folded.text), folded)
        if decoded.text == folded.text:
            break
        folded = decoded
    return folded


def _joined(pieces: Iterator[tuple[str, int]], source: FoldedText) -> FoldedText:
    """Return the joined pieces, and where their characters come from.

    Each piece is a text and the number of characters of `source.text` that it replaces.
    """
    texts: list[str] = []
    offsets: list[int] = []
    position = 0
    for text, length in pieces:
        texts.append(text)
        offsets += [source.offsets[position]] * len(text)
        position += length
    return FoldedText("".join(texts), [*offsets, source.offsets[-1]])


def _decoded(text: str) -> Iterator[tuple[str, int]]:
    """Yield each character of the text without escapes, with the length of its original: 1, or that of its escape."""
    position = 0
    for match in _ESCAPES.finditer(text):
        yield from ((character, 1) for character in text[position : match.start()])
        yield from _unescaped(match[0])
        position = match.end()
    yield from ((character, 1) for character in text[position:])


def _unescaped(escapes: str) -> Iterator[tuple[str, int]]:
    """Yield each character of adjacent escapes, with the length of its escape."""
    if escapes.startswith("\\u"):
        yield chr(int(escapes[2:], 16)), len(escapes)
        return
    if escapes[1] in "nrt" and escapes[0] == "\\":
        yield " ", len(escapes)  # a line end or tab separates words as a space does
        return
    mark = "%" if escapes[0] == "%" else "\\x"
    data = bytes.fromhex(escapes.replace(mark, ""))
    width = len(mark) + 2
    try:
        yield from ((character, width * len(character.encode())) for character in data.decode())
    except UnicodeDecodeError:
        yield from ((chr(byte + _BYTE_ZERO) if byte in _NOT_ASCII else chr(byte), width) for byte in data)


@cache
def _folded(character: str) -> str:
    """Return a letter without diacritics, an empty text for a diacritic, and other characters as they are."""
    if character.isascii():
        return character
    if ord(character) in _BYTES:
        return _folded(chr(ord(character) - _BYTE_ZERO))
    bare = without_marks(character)
    if not bare and unicodedata.combining(character):
        return ""
    return bare if bare.isalpha() else character
