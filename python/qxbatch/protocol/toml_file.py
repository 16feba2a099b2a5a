"""A TOML file that a user wrote: its content, and the line of each key for error messages."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from qxbatch.nearest import nearest
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.protocol.lines import Place, line_of, line_of_unfinished, lines_of
from qxbatch.textfile import opened

LARGEST = 1 << 20
"""Limit in bytes; a larger file was named by mistake."""
_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)")
_TWICE = "a key exists twice in one table"
_LONGEST = 60
"""Characters of a value in a message."""


class TomlFile(NamedTuple):
    """The content of a file and the place of each of its keys."""

    path: Path
    content: Mapping[str, Any]
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """Return the line of a key."""
        return line_of(self.lines, place)

    def refuse(self, place: Place, message: str, hint: str) -> NoReturn:
        """Raise UsageError about a key."""
        raise UsageError(f"{self.path}:{self.line(place)}: {message}", hint)

    def refuse_value(self, place: Place, value: Any, expected: str) -> NoReturn:
        """Raise UsageError about the value of a key."""
        self.refuse(place, f"{place[-1]} = {_shortened(value)} cannot be read.", f"Write {expected}.")

    def know(self, place: Place, table: Mapping[str, Any], keys: Iterable[str]) -> None:
        """Refuse a key that is not known."""
        keys = tuple(keys)
        for key in table:
            if key not in keys:
                near = nearest(key, keys)
                hint = f"Did you mean {near}?" if near else f"Write one of: {', '.join(keys)}."
                self.refuse((*place, key), f"the key {key!r} is not known.", hint)

    def texts(self, place: Place, value: Any, *, empty: bool = False, example: str = "magnitude") -> tuple[str, ...]:
        """Return a list of texts."""
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value) or not (value or empty):
            self.refuse_value(place, value, f'a list of texts, such as ["{example}"]')
        return tuple(value)


def read_toml(path: Path, what: str, missing: str, quoting: str) -> TomlFile:
    """Return a file. Raises UsageError.

    For messages: `what` is the kind of file, `missing` the hint if the file does not exist, `quoting` shows how texts are
    written.
    """
    return toml_file(path, _text(path, what, missing), missing, quoting)


def toml_file(path: Path, text: str, missing: str, quoting: str) -> TomlFile:
    """Return the file that has this text. Raises UsageError."""
    try:
        content = tomllib.loads(text)
    except ValueError as error:
        line, message = _toml_error(text, error)
        hint = "Leave one of them out." if message == _TWICE else quoting
        raise UsageError(f"{path}:{line}: this is not TOML: {message}.", hint) from None
    except RecursionError:
        raise UsageError(f"{path}:1: lists are nested too deeply.", missing) from None
    return TomlFile(path, content, lines_of(text))


def _text(path: Path, what: str, missing: str) -> str:
    try:
        with opened(path) as file:
            data = file.buffer.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {reason_text(error, path)}.", missing) from None
    if len(data) > LARGEST:
        raise UsageError(f"{path}: has more than {LARGEST} bytes: this is not a {what}.", missing)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "Save the file in the encoding UTF-8."
        raise UsageError(f"{path}:{line}: this is not UTF-8.", hint) from None


def _toml_error(text: str, error: ValueError) -> tuple[int, str]:
    message = str(error).replace("Cannot overwrite a value", _TWICE)
    match = _LINE.search(message)
    if match:
        return int(match[1]), _LINE.sub("", message).lower()
    return line_of_unfinished(text), message.replace(" (at end of document)", ", and the file ends before it").lower()


def _shortened(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
