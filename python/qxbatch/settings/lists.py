"""Comma-separated lists as users write them."""

import re

_GLOB_PART = re.compile(r"\[!?(?P<set>\]?[^\]]*)\]|.", re.DOTALL)
"""A set of characters, a wildcard or another character of a glob."""
_OPENING = {"(": ")", "[": "]", "{": "}"}


def split(text: str) -> tuple[str, ...]:
    """Split at commas outside of brackets: `AP.{1,3},HQ[,_].*` is two items.

    A backslash escapes the next character; inside `[]` only `]` counts. Items are trimmed, and empty ones left out. After a
    bracket that is never closed, commas do not split.
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
            _update_brackets(character, closing)
    return tuple(item for item in (text.strip() for text in [*items, current]) if item)


def _update_brackets(character: str, closing: list[str]) -> None:
    """Update the stack of the brackets that close the open ones."""
    if closing and character == closing[-1]:
        closing.pop()
    elif character in _OPENING and closing[-1:] != ["]"]:
        closing.append(_OPENING[character])


def labels(text: str, prefix: str) -> tuple[str, ...]:
    """Split BIDS labels at commas and white space, and remove `sub-` or `ses-`."""
    return tuple(word.removeprefix(prefix) for word in text.replace(",", " ").split())


def regex_of_glob(glob: str) -> str:
    """Return the regular expression that matches the same names as a glob.

    >>> regex_of_glob("AP-*"), regex_of_glob("?.x"), regex_of_glob("[!AB]1")
    ('AP-.*', '.\\\\.x', '[^AB]1')
    """
    return _GLOB_PART.sub(_regex_of_part, glob)


def _regex_of_part(part: re.Match[str]) -> str:
    text = part[0]
    if text == "*":
        return ".*"
    if text == "?":
        return "."
    if part["set"] is None:
        return text if text == "-" else re.escape(text)
    negated = "^" if text.startswith("[!") else ""
    members = re.sub(r"([\\\[^&~|])", r"\\\1", part["set"])
    return f"[{negated}{members}]"
