"""The text of one summary.json without the fields that differ between two imports of the same packet. The caller compares texts.

These fields are `qxbatch`, `times`, `host` and `command` (_FORMS). Such a field is left out only if its value has the form in which
an import writes it. Any other value, and any text that an import does not write, is an edit of the user, and remains in the text.
"""

import json
import re
from collections.abc import Callable, Mapping
from itertools import takewhile

from qxbatch.session.summary import summary_text
from qxbatch.shell_words import split_shell_words

VERSION_PATTERN = r"\d{1,6}\.\d{1,6}\.\d{1,6}(?:-(?:alpha|beta|rc|dev)\.?\d{1,6})?"
"""Matches a version of qxbatch."""
_VERSION = re.compile(VERSION_PATTERN, re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SYSTEMS = ("Linux", "Darwin")
_OPTION = re.compile(r"--[a-z][a-z0-9-]*(?:=.*)?", re.DOTALL)
_STAGES = ("sort", "convert")
"""Commands that run only one stage of the import."""


def comparable_text(text: bytes) -> bytes:
    """Return the text of a summary without the fields that differ between two imports.

    A text that no import writes, such as one with a key twice or with other spaces, is returned unchanged.
    """
    try:
        content = json.loads(text.decode("utf-8", "surrogateescape"))
        if not isinstance(content, dict) or _bytes(content) != text:
            return text
        return _bytes({key: value for key, value in content.items() if not (key in _FORMS and _FORMS[key](value))})
    except (ValueError, RecursionError):
        return text


def _bytes(content: Mapping[str, object]) -> bytes:
    return summary_text(content).encode("utf-8", "surrogateescape")


def _is_version(value: object) -> bool:
    return isinstance(value, str) and _VERSION.fullmatch(value) is not None


def _are_times(value: object) -> bool:
    return isinstance(value, dict) and (not value or (value.keys() == {"seconds"} and _is_duration(value["seconds"])))


def _is_duration(value: object) -> bool:
    return isinstance(value, float) and 0 <= value < float("inf") and round(value, 3) == value


def _is_host(value: object) -> bool:
    if not isinstance(value, dict) or not value:
        return value == {}
    name, system = value.get("name"), value.get("system")
    is_named = isinstance(name, str) and _HOST.fullmatch(name) is not None
    return value.keys() == {"name", "system"} and is_named and system in _SYSTEMS


def _is_command(value: object) -> bool:
    """Return whether a value is a command as `qxbatch.settings.command` writes it, quoted for a shell: options are last."""
    if not isinstance(value, str):
        return False
    try:
        words = split_shell_words(value)
    except ValueError:
        return False
    if words[:1] != ["qxbatch"]:
        return False
    positional = [*takewhile(lambda word: not word.startswith("--"), words[1:])]
    return _are_positional_words(positional) and all(map(_OPTION.fullmatch, words[1 + len(positional) :]))


def _are_positional_words(words: list[str]) -> bool:
    """Return whether words name folders by absolute paths, as one of the forms of the command does.

    An import names one folder, a command of one stage at least one, the BIDS-App form two and then `participant`.
    """
    if words[:1] and words[0] in _STAGES:
        words = words[1:]
    elif words[2:] == ["participant"]:
        words = words[:2]
    else:
        words = words if len(words) == 1 else []
    return bool(words) and all(word.startswith("/") for word in words)


_FORMS: Mapping[str, Callable[[object], bool]] = {
    "qxbatch": _is_version,
    "times": _are_times,
    "host": _is_host,
    "command": _is_command,
}
"""Maps each field that differs between two imports to a function that returns whether an import can have written a value."""
