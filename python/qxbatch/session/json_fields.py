"""Typed access to the fields of a JSON object; an error names the path of the field."""

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

EnumMember = TypeVar("EnumMember", bound=StrEnum)


class FieldError(ValueError):
    """A field is missing, or has the wrong type or an unknown value."""


class Fields:
    """The fields of one JSON object. Methods that return a value raise FieldError; a field with a default may be missing.

    `path` is the path of the object in the document, for messages. A value that is not an object raises FieldError.
    """

    def __init__(self, values: object, path: str = "") -> None:
        if not isinstance(values, dict):
            raise FieldError(f"{path or 'the document'} is not an object")
        self._values: Mapping[str, object] = values
        self._path = path

    def __contains__(self, key: str) -> bool:
        """Return whether the field exists and is not null."""
        return self._values.get(key) is not None

    def keys(self) -> list[str]:
        """Return the names of the fields in their order, also of fields that are null."""
        return list(self._values)

    def value(self, key: str) -> object:
        """Return the JSON value of a field."""
        if key not in self._values:
            raise FieldError(f"{self.path(key)} is missing")
        return self._values[key]

    def path(self, key: str) -> str:
        """Return the path of a field in the document, for messages: `series[2].n`."""
        return f"{self._path}.{key}" if self._path else key

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text."""
        value = self.value(key) if default is None else self._values.get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "a text")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return a text, or None if the field is missing or null."""
        return self.text(key) if key in self else None

    def integer(self, key: str) -> int:
        """Return a whole number."""
        return self.integer_value(self.value(key), key)

    def number(self, key: str) -> float:
        """Return a finite number."""
        return self.number_value(self.value(key), key)

    def flag(self, key: str, default: bool) -> bool:
        """Return a boolean."""
        value = self._values.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def member(self, key: str, enumeration: type[EnumMember], default: EnumMember | None = None) -> EnumMember:
        """Return a text as the member of an enumeration."""
        return self.member_value(self.text(key, default), enumeration, key)

    def json_array(self, key: str) -> list[object]:
        """Return a list; empty if the field is missing."""
        value = self._values.get(key, [])
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; empty if the field is missing."""
        value = self.json_array(key)
        if not all(isinstance(item, str) for item in value):
            raise self._wrong(key, "a list of texts")
        return tuple(map(str, value))

    def integers(self, key: str) -> tuple[int, ...]:
        """Return a list of whole numbers; empty if the field is missing."""
        return tuple(self.integer_value(item, key) for item in self.json_array(key))

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return a list of finite numbers; empty if the field is missing."""
        return tuple(self.number_value(item, key) for item in self.json_array(key))

    def json_object(self, key: str) -> "Fields":
        """Return an object; an empty one if the field is missing."""
        return Fields(self._values.get(key, {}), self.path(key))

    def texts_by_name(self, key: str) -> dict[str, str]:
        """Return an object whose values are texts; empty if the field is missing."""
        fields = self.json_object(key)
        return {name: fields.text(name) for name in fields.keys()}  # noqa: SIM118 - no mapping

    def json_objects(self, key: str) -> Iterator["Fields"]:
        """Yield the objects of a list, none if the field is missing."""
        for k, item in enumerate(self.json_array(key)):
            yield Fields(item, f"{self.path(key)}[{k}]")

    def member_value(self, value: str, enumeration: type[EnumMember], key: str) -> EnumMember:
        """Return a value of the field as the member of an enumeration."""
        try:
            return enumeration(value)
        except ValueError:
            raise FieldError(f"{self.path(key)} has the unknown value {value!r}") from None

    def integer_value(self, value: object, key: str) -> int:
        """Return a value of the field as a whole number. It must fit into a float: pages and comparisons convert it."""
        if not isinstance(value, int) or isinstance(value, bool) or not is_finite(value):
            raise self._wrong(key, "a whole number")
        return value

    def number_value(self, value: object, key: str) -> float:
        """Return a value of the field as a finite number."""
        if not isinstance(value, int | float) or isinstance(value, bool) or not is_finite(value):
            raise self._wrong(key, "a number")
        return value

    def _wrong(self, key: str, what: str) -> FieldError:
        return FieldError(f"{self.path(key)} is not {what}")


def is_finite(value: float) -> bool:
    """Return whether a number is finite as a float; a whole number can be too large for one."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
