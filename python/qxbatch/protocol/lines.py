"""The line of each key of a TOML document, which tomllib does not return."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

KeyPath = tuple[str | int, ...]
"""Keys from the top, and the index in a list of tables: `("series", 0, "name")`."""

_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' + r"|'''.*?'{3,5}" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'",
    re.DOTALL,
)
"""A string of TOML: multi-line basic, multi-line literal, basic, literal (TOML 1.0, String)."""
_OPENING, _CLOSING = "[{", "]}"


def lines_of_keys(text: str) -> Mapping[KeyPath, int]:
    """Return the line, from 1, of each table and key; not of keys in inline tables and arrays. `text` is valid TOML.

    >>> lines_of_keys('[a]\\nb.c = 1 # d\\n[[e]]\\nf = "g"')[("e", 0, "f")]
    4
    """
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    last_indexes: dict[KeyPath, int] = {}
    for line, statement in _statements(text):
        if statement.startswith("["):
            table = _table_path(statement, last_indexes)
            key_path = table
        else:
            key_path = (*table, *_keys(f"{_key_of(statement)} = 0"))
        for end in range(1, len(key_path) + 1):
            lines.setdefault(key_path[:end], line)
    return lines


def line_of(lines: Mapping[KeyPath, int], key_path: KeyPath) -> int:
    """Return the line of a key; in an inline table or array, that of the nearest enclosing key; 1 if there is none."""
    return next((lines[key_path[:end]] for end in range(len(key_path), 0, -1) if key_path[:end] in lines), 1)


def line_of_invalid_statement(text: str) -> int:
    """Return the line in which the first invalid statement begins; the last line if each statement alone is valid."""
    for line, statement in _statements(text):
        try:
            tomllib.loads(statement)
        except ValueError:
            return line
    return text.count("\n") + 1


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield the first line and the text of each header of a table and each `key = value`, without comments."""
    line, start, depth, position = 1, 1, 0, 0
    tokens: list[str] = []
    while position < len(text):
        letter = text[position]
        string = _STRING.match(text, position) if letter in "\"'" else None
        token = string[0] if string else letter
        if letter == "#":
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
            continue
        if letter == "\n" and depth == 0:
            if tokens:
                yield start, "".join(tokens).rstrip()
            tokens = []
        elif tokens or not letter.isspace():
            if not tokens:
                start = line
            tokens.append(token)
            depth += (letter in _OPENING) - (letter in _CLOSING) if not string else 0
        line += token.count("\n")
        position += len(token)
    if tokens:
        yield start, "".join(tokens).rstrip()


def _key_of(statement: str) -> str:
    """Return the text before the `=` of a statement."""
    position = 0
    while position < len(statement) and statement[position] != "=":
        string = _STRING.match(statement, position) if statement[position] in "\"'" else None
        position += len(string[0]) if string else 1
    return statement[:position]


def _table_path(statement: str, last_indexes: dict[KeyPath, int]) -> KeyPath:
    """Return the key path of the table that a header begins.

    `last_indexes` has the index of the last table of each list of tables; for a header such as `[[a]]` it is updated.
    """
    is_list = statement.startswith("[[")
    inner = statement[2:-2] if is_list else statement[1:-1]
    key_path: KeyPath = ()
    keys = list(_keys(f"{inner} = 0"))
    for k, key in enumerate(keys):
        key_path = (*key_path, key)
        if is_list and k == len(keys) - 1:
            last_indexes[key_path] = last_indexes.get(key_path, -1) + 1
        if key_path in last_indexes:
            key_path = (*key_path, last_indexes[key_path])
    return key_path


def _keys(statement: str) -> Iterator[str]:
    """Yield the keys of the dotted key of a statement: a and b of `a.b = 0`."""
    value: Any = tomllib.loads(statement)
    while isinstance(value, dict):
        ((key, value),) = value.items()
        yield key
