"""Acquisition facts of a series as JSON, as the summary has them (docs/summary.md)."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, get_args

from qxbatch.acquisition import Acquisition, ImageKind, Orientation
from qxbatch.session.json_fields import FieldError, Fields

AXES = 3


def acquisition_value(acquisition: Acquisition) -> dict[str, Any]:
    """Return the known facts as JSON values."""
    known = ((field.name, getattr(acquisition, field.name)) for field in fields(acquisition))
    return {name: _value(value) for name, value in known if value is not None}


def _value(value: object) -> object:
    return [_value(item) for item in value] if isinstance(value, tuple) else value


def read_acquisition(given: Fields) -> Acquisition:
    """Return the facts of a JSON object. Raises FieldError; unknown fields are ignored."""
    known: dict[str, Any] = {name: read(given, name) for name, read in _FIELD_READERS.items() if name in given}
    return Acquisition(**known)


def _three(numbers: Callable[[Fields, str], tuple[float, ...]]) -> Callable[[Fields, str], object]:
    def read(given: Fields, key: str) -> tuple[float, ...]:
        found = numbers(given, key)
        if len(found) != AXES:
            raise FieldError(f"{given.place(key)} has {len(found)} numbers, not {AXES}")
        return found

    return read


def _pairs(given: Fields, key: str) -> tuple[tuple[float, int], ...]:
    pairs = []
    for item in given.items(key):
        if not isinstance(item, list) or len(item) != 2:  # noqa: PLR2004 - a pair
            raise FieldError(f"{given.place(key)} is not a list of pairs")
        pairs.append((given.number_value(item[0], key), given.whole_value(item[1], key)))
    return tuple(pairs)


def _kinds(given: Fields, key: str) -> tuple[ImageKind, ...]:
    return tuple(given.member_value(text, ImageKind, key) for text in given.texts(key))


_READERS: Mapping[object, Callable[[Fields, str], object]] = {
    str: Fields.text,
    int: Fields.whole,
    float: Fields.number,
    Orientation: lambda given, key: given.member(key, Orientation),
    tuple[float, ...]: Fields.numbers,
    tuple[int, int, int]: _three(Fields.wholes),
    tuple[float, float, float]: _three(Fields.numbers),
    tuple[tuple[float, int], ...]: _pairs,
    tuple[ImageKind, ...]: _kinds,
}
"""Type of a field of Acquisition, without None, to what reads it."""
_FIELD_READERS = {field.name: _READERS[get_args(field.type)[0]] for field in fields(Acquisition)}
