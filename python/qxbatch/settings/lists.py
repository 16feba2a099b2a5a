"""Comma-separated lists as users write them."""

import re

_OPENING = {"(": ")", "[": "]", "{": "}"}


def split(text: str) -> tuple[str, ...]:
    """Split at commas that stand outside of brackets, so that `AP.{1,3},HQ[,_].*` is two items.

    A backslash takes the meaning from the character behind it; inside `[]` only `]` counts. Items are trimmed, and
    empty ones left out. A bracket that is never closed holds the commas behind it.
    """
    items: list[str] = []
    current = ""
    closing: list[str] = []
    characters = iter(text)
    for character in characters:
        if character == "," and not closing:
            items.append(current)
            current = ""
            continue
        current += character
        if character == "\\":
            current += next(characters, "")
        else:
            _follow(character, closing)
    return tuple(item for item in (part.strip() for part in [*items, current]) if item)


def _follow(character: str, closing: list[str]) -> None:
    """Keep the stack of brackets that wait to be closed."""
    if closing and character == closing[-1]:
        closing.pop()
    elif character in _OPENING and closing[-1:] != ["]"]:
        closing.append(_OPENING[character])


def labels(text: str, prefix: str) -> tuple[str, ...]:
    """Split BIDS labels at commas and white space, and take off `sub-` or `ses-`."""
    return tuple(word.removeprefix(prefix) for word in text.replace(",", " ").split())


def of_glob(glob: str) -> str:
    """Return the regular expression that matches what a glob does.

    >>> of_glob("AP-*"), of_glob("?.x")
    ('AP-.*', '.\\\\.x')
    """
    return re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".").replace(r"\-", "-")
