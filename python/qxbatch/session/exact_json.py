"""JSON that is read and written again without a change of its numbers."""

import json
import os
import re
from collections.abc import Mapping
from typing import Any


class _ExactNumber(float):
    """A number that Python would write in another way, with its text."""

    text: str

    @classmethod
    def of(cls, text: str) -> "_ExactNumber":
        number = cls(text)
        number.text = text
        return number


def read_exact(text: str) -> Any:
    """Return the value of a JSON text, from which `write_exact` writes all numbers with the same characters. Raises ValueError."""
    return json.loads(text, parse_float=_float, parse_int=_integer)


def write_exact(content: Mapping[str, Any]) -> str:
    """Return the text of a JSON object, with the indentation and order of keys of a summary."""
    begin, end = f"<{os.urandom(16).hex()}:", ">"  # no text of the object contains it
    text = json.dumps(_with_marks(content, begin, end), indent=1, ensure_ascii=False, sort_keys=True, default=str)
    return re.sub(f'"{begin}([^">]*){end}"', lambda match: match[1], text)


def _float(text: str) -> float:
    number = float(text)
    return number if repr(number) == text else _ExactNumber.of(text)


def _integer(text: str) -> float:
    return _ExactNumber.of(text) if text == "-0" else int(text)


def _with_marks(value: Any, begin: str, end: str) -> Any:
    """Return a value in which each exact number is a text: its characters between two marks."""
    if isinstance(value, _ExactNumber):
        return f"{begin}{value.text}{end}"
    if isinstance(value, dict):
        return {key: _with_marks(item, begin, end) for key, item in value.items()}
    return [_with_marks(item, begin, end) for item in value] if isinstance(value, list | tuple) else value
