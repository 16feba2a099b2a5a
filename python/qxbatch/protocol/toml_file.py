"""A TOML file that a user wrote: its content, and the line of each key for error messages."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from qxbatch.nearest import nearest_name
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.protocol.lines import KeyPath, line_of, line_of_invalid_statement, lines_of_keys
from qxbatch.textfile import open_text

MAX_FILE_BYTES = 1 << 20
"""Limit in bytes; a larger file was named by mistake."""
_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)")
_TWICE = "a key exists twice in one table"
_REPEATED = (_TWICE, "cannot declare", "duplicate")
"""How the messages about a key or table that exists twice begin."""
_MAX_BITS = 1000
"""Largest size of a whole number in bits; no value of a file needs more."""
_LONG_NUMBER = re.compile(rf"[0-9A-Fa-f_]{{{_MAX_BITS // 4},}}")
"""The digits of a number of more bits: hexadecimal ones have 4 bits each, other ones fewer."""
_MAX_VALUE_LENGTH = 60
"""Characters of a value that a message shows."""


class TomlFile(NamedTuple):
    """The content of a file and the line of each of its keys."""

    path: Path
    content: Mapping[str, Any]
    lines: Mapping[KeyPath, int]

    def line(self, key_path: KeyPath) -> int:
        """Return the line of a key, from 1 (see `line_of`)."""
        return line_of(self.lines, key_path)

    def refuse(self, key_path: KeyPath, message: str, hint: str) -> NoReturn:
        """Raise UsageError about a key; the message begins with the path and line."""
        raise UsageError(f"{self.path}:{self.line(key_path)}: {message}", hint)

    def refuse_value(self, key_path: KeyPath, value: Any, expected: str) -> NoReturn:
        """Raise UsageError about the value of a key; `expected` describes valid values, such as `a list of texts`."""
        self.refuse(key_path, f"{key_path[-1]} = {_shorten(value)} cannot be read.", f"Write {expected}.")

    def refuse_unknown_keys(self, key_path: KeyPath, table: Mapping[str, Any], keys: Iterable[str]) -> None:
        """Refuse keys of a table that are not among `keys`. Raises UsageError."""
        keys = tuple(keys)
        for key in table:
            if key not in keys:
                near = nearest_name(key, keys)
                hint = f"Did you mean {near}?" if near else f"Write one of: {', '.join(keys)}."
                self.refuse((*key_path, key), f"the key {key!r} is not known.", hint)

    def texts(self, key_path: KeyPath, value: Any, example: str, *, may_be_empty: bool = False) -> tuple[str, ...]:
        """Return the items of a list of texts; `example` is an item for the message. Raises UsageError."""
        is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
        if not is_list or not (value or may_be_empty):
            self.refuse_value(key_path, value, f'a list of texts, such as ["{example}"]')
        return tuple(value)


def read_toml(path: Path, what: str, file_hint: str, syntax_hint: str) -> TomlFile:
    """Return the content of a file and the lines of its keys. Raises UsageError.

    The other arguments are for messages: `what` is the kind of file, `syntax_hint` the hint if a line of it is not TOML,
    `file_hint` the hint if it is probably another file: if it cannot be read, is too large or is nested too deeply.
    """
    return parse_toml(path, _text(path, what, file_hint), file_hint, syntax_hint)


def parse_toml(path: Path, text: str, file_hint: str, syntax_hint: str) -> TomlFile:
    """Return what `read_toml` returns, from the text of the file; for the other arguments see there. Raises UsageError."""
    try:
        content = tomllib.loads(text)
        _refuse_long_numbers(content.values())
    except tomllib.TOMLDecodeError as error:
        line, message = _toml_error(text, error)
        hint = "Leave one of them out." if message.startswith(_REPEATED) else syntax_hint
        raise UsageError(f"{path}:{line}: this is not TOML: {message}.", hint) from None
    except ValueError:  # of _refuse_long_numbers, or of Python for a very long decimal number
        raise UsageError(
            f"{path}:{_line_of_long_number(text)}: a number is too large.", "Write a smaller one."
        ) from None
    except RecursionError:
        raise UsageError(f"{path}:1: lists are nested too deeply.", file_hint) from None
    return TomlFile(path, content, lines_of_keys(text))


def _text(path: Path, what: str, file_hint: str) -> str:
    """Return the text of a file, with plain line ends; for the other arguments see `read_toml`. Raises UsageError."""
    try:
        with open_text(path) as file:
            data = file.buffer.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {reason_text(error, path)}.", file_hint) from None
    if len(data) > MAX_FILE_BYTES:
        raise UsageError(f"{path}: has more than {MAX_FILE_BYTES} bytes: this is not a {what}.", file_hint)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "Save the file in the encoding UTF-8."
        raise UsageError(f"{path}:{line}: this is not UTF-8.", hint) from None


def _toml_error(text: str, error: ValueError) -> tuple[int, str]:
    """Return the line of an error, and its message in the words of qxbatch."""
    message = str(error)
    message = f"{message[:1].lower()}{message[1:]}".replace("cannot overwrite a value", _TWICE)
    match = _LINE.search(message)
    if match:
        return int(match[1]), _LINE.sub("", message)
    return line_of_invalid_statement(text), message.replace(" (at end of document)", ", and the file ends before it")


def _refuse_long_numbers(values: Iterable[object]) -> None:
    """Raise ValueError for a whole number of more than _MAX_BITS bits. Python itself refuses only much longer decimal ones."""
    for value in values:
        if isinstance(value, Mapping):
            _refuse_long_numbers(value.values())
        elif isinstance(value, list):
            _refuse_long_numbers(value)
        elif isinstance(value, int) and value.bit_length() > _MAX_BITS:
            raise ValueError("a number is too large")


def _line_of_long_number(text: str) -> int:
    match = _LONG_NUMBER.search(text)
    return text.count("\n", 0, match.start()) + 1 if match else 1


def _shorten(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _MAX_VALUE_LENGTH else f"{text[: _MAX_VALUE_LENGTH - 3]}..."
