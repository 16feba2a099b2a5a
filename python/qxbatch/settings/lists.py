"""Comma-separated lists as users write them."""

import re
from collections.abc import Iterable
from fnmatch import translate

from qxbatch.problems import UsageError

LABEL_LISTS = ("participant_label", "session_label")
"""List parameters that are read by `split_labels`."""
LISTS = ("sessions", "add_json_info", "path_map", *LABEL_LISTS)
"""Parameters that may be written as an array."""

_GLOB_PART = re.compile(r"\[(?:!(?P<others>.[^\]]*)|(?P<set>[^!][^\]]*))\]|.", re.DOTALL)
"""A set of characters (`set`, or all but `others`), a wildcard or another character of a glob."""
_OPENING = {"(": ")", "[": "]", "{": "}"}


def split_list(text: str) -> tuple[str, ...]:
    """Split at commas outside of brackets: `AP.{1,3},HQ[,_].*` is two items.

    A backslash escapes the next character. Inside `[]`, only `]` is a bracket. Items are trimmed, and empty ones left out. After a
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


def joined_items(where: str, name: str, items: Iterable[object]) -> str:
    """Return the items of the parameter `name` as one text; `where` names it in the error.

    Raises UsageError if the text would be read as other items.

    >>> joined_items("sessions", "sessions", ["AP.{1,3}", "HQ.*"])
    'AP.{1,3},HQ.*'
    """
    wanted = tuple(item for item in (str(item).strip() for item in items) if item)
    text = ",".join(wanted)
    split = split_labels(text, "") if name in LABEL_LISTS else split_list(text)
    if split != wanted:
        raise UsageError(
            f"{where}: an item of {list(wanted)} has a comma or white space, or a bracket that is not closed.",
            "Write each item separately; in an expression of sessions, [,] stands for a comma and [(] for a bracket.",
        )
    return text


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
        return text if text == "-" else re.escape(text).replace(",", r"\,")  # commas separate the items of a list
    # a hyphen that ends a range is escaped, since Python warns of `--` in a set
    escaped = re.sub(r"([\\\]\[^&~|]|(?<=.-)-)", r"\\\1", members or others)
    return f"[{'^' if others else ''}{escaped}]"


def expand_braces(glob: str) -> list[str]:
    """Expand `{a,b}` as a shell does, also nested; braces without a comma, and those in `[]`, are literal."""
    return _expand([part[0] for part in _GLOB_PART.finditer(glob)])


def _expand(parts: list[str]) -> list[str]:
    for start, part in enumerate(parts):
        items, length = _brace_items(parts[start + 1 :]) if part == "{" else ([], 0)
        if len(items) > 1:
            before, endings = "".join(parts[:start]), _expand(parts[start + 1 + length :])
            return [before + text + ending for item in items for text in _expand(item) for ending in endings]
    return ["".join(parts)]


def _brace_items(parts: list[str]) -> tuple[list[list[str]], int]:
    """Return the items between an opening brace, after which the parts begin, and its closing brace.

    The second value is the number of parts up to and including the closing brace. There are no items if it is missing.
    """
    items: list[list[str]] = [[]]
    depth = 0
    for index, part in enumerate(parts):
        if part == "}" and depth == 0:
            return items, index + 1
        if part == "," and depth == 0:
            items.append([])
            continue
        depth += (part == "{") - (part == "}")
        items[-1].append(part)
    return [], 0
