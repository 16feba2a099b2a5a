"""Values of sidecar fields and of dataset_description.json, checked by their definitions in the BIDS schema."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from qxbatch.bids.schema.names import Schema

_WORDS = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
}
_LIMITS: tuple[tuple[str, str, Callable[[float, float], bool]], ...] = (
    ("minimum", "of at least", lambda value, limit: value >= limit),
    ("exclusiveMinimum", "above", lambda value, limit: value > limit),
    ("maximum", "of at most", lambda value, limit: value <= limit),
)
"""Limits of numbers: the key in a definition, the words before the limit in a text, and whether a value is within the limit."""


def unmet_requirement(schema: Schema, field: str, value: Any) -> str:
    """Return in words which values a field can have, if `value` is not one of them; else an empty text.

    Types, enumerations and limits of numbers are checked, and those of the items of lists. Other requirements of the schema are
    not, such as lengths of lists, the content of tables, and formats. Null and values that JSON cannot represent (a date, NaN) are
    never valid; other values are valid for a field that the schema does not define.
    """
    definition = schema.field_definition(field)
    if not _is_valid(value, definition):
        return _text(definition) if definition else "a text, a number, true or false, a list or a table"
    return ""


def _is_valid(value: Any, definition: Mapping[str, Any]) -> bool:
    if not _is_json(value):
        return False
    choices = definition.get("anyOf")
    if choices:
        return any(_is_valid(value, choice) for choice in choices)
    kind = definition.get("type")
    if kind is not None and not _has_type(value, kind):
        return False
    if "enum" in definition and value not in definition["enum"]:
        return False
    if isinstance(value, int | float):
        return all(accept(value, definition[name]) for name, _word, accept in _LIMITS if name in definition)
    return not isinstance(value, list) or all(_is_valid(item, definition.get("items", {})) for item in value)


def _has_type(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    types: Mapping[str, Any] = {"string": str, "number": (int, float), "integer": int, "array": list, "object": dict}
    return isinstance(value, types.get(kind, ()))


def _is_json(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(map(_is_json, value.values()))
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _text(definition: Mapping[str, Any]) -> str:
    """Return the values of a definition in words: `a number above 0`."""
    choices = definition.get("anyOf")
    if choices:
        return ", or ".join(dict.fromkeys(_text(choice) for choice in choices))
    if "enum" in definition:
        return f"one of: {', '.join(map(str, definition['enum']))}"
    kind = str(definition.get("type", ""))
    if kind == "array" and definition.get("items"):
        return f"a list in which each item is {_text(definition['items'])}"
    limits = " and ".join(f"{word} {definition[name]}" for name, word, _accept in _LIMITS if name in definition)
    return f"{_WORDS.get(kind, 'a value of JSON')} {limits}".strip()
