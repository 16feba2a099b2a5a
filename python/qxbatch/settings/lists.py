"""Comma-separated lists as users write them."""

import re
from fnmatch import translate

_GLOB_PART = re.compile(r"\[(?:!(?P<others>.[^\]]*)|(?P<set>[^!][^\]]*))\]|.", re.DOTALL)
"""A set of characters (`set`, or all but `others`), a wildcard or another character of a glob."""
_OPENING = {"(": ")", "[": "]", "{": "}"}


def split_list(text: str) -> tuple[str, ...]:
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


def split_labels(text: str, prefix: str) -> tuple[str, ...]:
    """Split BIDS labels at commas and white space, and remove `sub-` or `ses-`."""
    return tuple(word.removeprefix(prefix) for word in text.replace(",", " ").split())


def regex_of_glob(glob: str) -> str:
    """Return a regular expression that matches (`re.fullmatch`) the same names as the glob, if they contain no line feed.

    >>> regex_of_glob("AP-*"), regex_of_glob("?.x"), regex_of_glob("[!AB]1"), regex_of_glob("AP{1,2}*")
    ('AP-.*', '.\\\\.x', '[^AB]1', 'AP1.*|AP2.*')
    """
    expanded = expand_braces(glob)
    regex = "|".join(_GLOB_PART.sub(_regex_of_part, each) for each in expanded)
    try:
        re.compile(regex)
    except re.error:  # a range like [z-a], which is empty in a glob
        return "|".join(map(translate, expanded))
    return regex


def _regex_of_part(part: re.Match[str]) -> str:
    text = part[0]
    if text == "*":
        return ".*"
    if text == "?":
        return "."
    members, others = part["set"], part["others"]
    if members is None and others is None:
        return text if text == "-" else re.escape(text)
    escaped = re.sub(r"([\\\]\[^&~|])", r"\\\1", members or others)
    return f"[{'^' if others else ''}{escaped}]"


def expand_braces(glob: str) -> list[str]:
    """Expand `{a,b}`, also nested; braces without a comma are literal."""
    for start, end in _brace_pairs(glob):
        inner = glob[start + 1 : end]
        items = _brace_items(inner)
        if len(items) > 1:
            return [expanded for item in items for expanded in expand_braces(glob[:start] + item + glob[end + 1 :])]
    return [glob]


def _brace_pairs(glob: str) -> list[tuple[int, int]]:
    """Return the positions of the innermost pairs of braces, from the left."""
    return [(match.start(), match.end() - 1) for match in re.finditer(r"\{[^{}]*\}", glob)]


def _brace_items(inner: str) -> list[str]:
    """Split at commas outside of sets of characters."""
    items = [""]
    for part in _GLOB_PART.finditer(inner):
        if part[0] == ",":
            items.append("")
        else:
            items[-1] += part[0]
    return items
