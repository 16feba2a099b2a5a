"""Acquisition facts of a series as JSON in the summary (docs/summary.md)."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, get_args

from qxbatch.acquisition import Acquisition, ImageKind, Orientation
from qxbatch.session.json_fields import FieldError, Fields

_AXES = 3
"""Length of a list with one number for each axis."""


def acquisition_value(acquisition: Acquisition) -> dict[str, Any]:
    """Return the known facts as JSON values."""
    facts = ((field.name, getattr(acquisition, field.name)) for field in fields(acquisition))
    return {name: _value(value) for name, value in facts if value is not None}


def without_facts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a JSON object that are not facts."""
    names = {field.name for field in fields(Acquisition)}
    return {name: value for name, value in values.items() if name not in names}


def _value(value: object) -> object:
    return [_value(item) for item in value] if isinstance(value, tuple) else value


def read_acquisition(values: Fields) -> Acquisition:
    """Return the facts of a JSON object. Raises FieldError; unknown fields are ignored."""
    facts: dict[str, Any] = {name: read(values, name) for name, read in _FIELD_READERS.items() if name in values}
    return Acquisition(**facts)


def _triple_reader(read_numbers: Callable[[Fields, str], tuple[float, ...]]) -> Callable[[Fields, str], object]:
    """Return a function that reads a list with `read_numbers`, and raises FieldError unless it has three numbers."""

    def read(values: Fields, key: str) -> tuple[float, ...]:
        triple = read_numbers(values, key)
        if len(triple) != _AXES:
            raise FieldError(f"{values.path(key)} has {len(triple)} numbers, not {_AXES}")
        return triple

    return read


def _pairs(values: Fields, key: str) -> tuple[tuple[float, int], ...]:
    """Return pairs of a number and a count, such as b-values with the numbers of their volumes."""
    pairs = []
    for item in values.json_array(key):
        if not isinstance(item, list) or len(item) != 2:  # noqa: PLR2004 - a pair
            raise FieldError(f"{values.path(key)} is not a list of pairs")
        number, count = values.number_value(item[0], key), values.integer_value(item[1], key)
        if count < 1:
            raise FieldError(f"{values.path(key)} has the count {count}")
        pairs.append((number, count))
    return tuple(pairs)


def _kinds(values: Fields, key: str) -> tuple[ImageKind, ...]:
    return tuple(values.member_value(text, ImageKind, key) for text in values.texts(key))


_READERS: Mapping[object, Callable[[Fields, str], object]] = {
    str: Fields.text,
    int: Fields.integer,
    float: Fields.number,
    Orientation: lambda values, key: values.member(key, Orientation),
    tuple[float, ...]: Fields.numbers,
    tuple[int, int, int]: _triple_reader(Fields.integers),
    tuple[float, float, float]: _triple_reader(Fields.numbers),
    tuple[tuple[float, int], ...]: _pairs,
    tuple[ImageKind, ...]: _kinds,
}
"""Maps the type of a field of Acquisition, without None, to its reader."""
_FIELD_READERS = {field.name: _READERS[get_args(field.type)[0]] for field in fields(Acquisition)}
