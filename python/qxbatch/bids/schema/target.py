"""The target of a rule: data type, entities and suffix, checked by the BIDS schema."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count

from qxbatch.bids.schema.image_path import session_prefix
from qxbatch.bids.schema.names import Entity, Schema
from qxbatch.nearest import nearest_name

ADDED_ENTITIES = ("run", "echo", "part", "inv", "flip", "mt")
"""Entities that the export adds to the names of images that need them, if `as` does not contain them."""
BUILT_IN = ("name", "task", "protocol", "number", "dir")
"""Names that `as` can have in braces without a capture in `match`."""
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_LABEL = re.compile(r"[0-9a-zA-Z+]+", re.ASCII)
_INDEX = re.compile(r"[0-9]+", re.ASCII)
_MARK = "\ufffc"
"""`check_template` writes a number between two of these in place of each name in braces.

The name itself may contain `_`, which separates entities.
"""
_TEMPLATE_VALUE = re.compile(rf"(?:[0-9a-zA-Z+]|{_MARK}[0-9]+{_MARK})+", re.ASCII)


class TargetError(ValueError):
    """A target is not valid. The message has the reason, the hint the correction."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Target:
    """What an image is in a data set: its path without subject and session, such as `func/task-rest_bold`."""

    datatype: str
    entities: tuple[tuple[str, str], ...]
    """Short name and value, in the order of file names."""
    suffix: str

    @property
    def values(self) -> dict[str, str]:
        """Return the values of the entities by short name."""
        return dict(self.entities)

    def with_entities(self, schema: Schema, entities: Mapping[str, str]) -> "Target":
        """Return the target with these entities added, as far as its suffix can have them.

        An entity that the target already has keeps its value.
        """
        values = {**entities, **self.values}
        order = schema.entities(self.datatype, self.suffix)
        return replace(self, entities=tuple((name, values[name]) for name in order if name in values))

    def path(self, subject: str, session: str) -> str:
        """Return the path in the data set, without extension.

        `subject` and `session` are labels. If `session` is empty, the path has no session level.
        """
        folder, start = session_prefix(subject, session)
        names = [start, *(f"{name}-{value}" for name, value in self.entities), self.suffix]
        return f"{folder}/{self.datatype}/{'_'.join(names)}"


def placeholders(text: str) -> list[str]:
    """Return the names in braces."""
    return _PLACEHOLDER.findall(text)


def fill_placeholders(text: str, values: Mapping[str, str]) -> str:
    """Return the text with values in place of the names in braces; a name without a value is removed."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], ""), text)


def label(text: str) -> str:
    """Return a text reduced to letters and digits.

    >>> label("T1 w/o contrast"), label("n-back")
    ('T1wocontrast', 'nback')
    """
    return re.sub(r"[^0-9A-Za-z]+", "", text)


def check_template(text: str, captures: Iterable[str], schema: Schema) -> None:
    """Check `as`, whose names in braces have no values yet; `captures` are the names that `match` captures. Raises TargetError."""
    allowed = [*captures, *BUILT_IN]
    for name in placeholders(text):
        if name not in allowed:
            hint = f"Write {{{name}}} into `name` of match, or use one of: {', '.join(allowed)}."
            raise TargetError(f"{{{name}}} is not captured by any key of match.", hint)
    if set("{}") & set(_PLACEHOLDER.sub("", text)):
        raise TargetError(f"{text!r} has an unmatched brace.", "Write names in braces: dir-{dir}.")
    numbers = count()
    marked = _PLACEHOLDER.sub(lambda _name: f"{_MARK}{next(numbers)}{_MARK}", text)
    *_pairs_before, suffix = marked.split("_")
    if _MARK in marked.partition("/")[0] + suffix:
        raise TargetError("data type and suffix cannot be in braces.", "Write a rule for each suffix.")
    try:
        read_target(marked, schema, is_template=True)
    except TargetError as error:
        raise TargetError(_restore_names(error.message, text), _restore_names(error.hint, text)) from None


def _restore_names(message: str, template: str) -> str:
    """Return a message with the names in braces of a template in place of their numbers."""
    names = placeholders(template)
    return re.sub(rf"{_MARK}(\d+){_MARK}", lambda match: f"{{{names[int(match[1])]}}}", message)


def read_target(text: str, schema: Schema, *, is_template: bool = False) -> Target:
    """Return the target that a text describes: data type, `/`, entities and suffix, such as `func/task-rest_bold`.

    With `is_template`, values may have the numbers that `check_template` writes in place of names. Raises TargetError.
    """
    datatype, slash, name = text.partition("/")
    if not slash or not name or "/" in name:
        raise TargetError(f"{text!r} is not a data type and a name.", 'Write as = "func/task-rest_bold".')
    if datatype not in schema.datatypes:
        raise _unknown_name_error("data type", datatype, schema.datatypes)
    *pairs, suffix = name.split("_")
    _stem, dot, extension = suffix.partition(".")
    if dot:
        raise TargetError(f"{text} has the extension .{extension}.", f"Write {text.removesuffix(dot + extension)}.")
    known = schema.suffixes(datatype)
    if suffix not in known:
        raise _unknown_suffix_error(suffix, datatype, schema)
    allowed = schema.entities(datatype, suffix)
    entities = _read_entities(pairs, f"{datatype}/{suffix}", allowed, schema, is_template=is_template)
    missing = [name for name, entity in allowed.items() if entity.is_required and name not in entities]
    missing = [name for name in missing if name not in ADDED_ENTITIES]
    if missing:
        raise TargetError(f"{datatype}/{suffix} needs the entity {missing[0]}.", f"Write {missing[0]}-<label>.")
    order = (name for name in allowed if name in entities)
    return Target(datatype, tuple((name, entities[name]) for name in order), suffix)


def _read_entities(
    pairs: Iterable[str], datatype_and_suffix: str, allowed: Mapping[str, Entity], schema: Schema, *, is_template: bool
) -> dict[str, str]:
    entities: dict[str, str] = {}
    for pair in pairs:
        name, dash, value = pair.partition("-")
        if not dash:
            hint = "Write <entity>-<label>, such as task-rest; the suffix is last."
            raise TargetError(f"{pair!r} is not an entity with a label.", hint)
        if name in ("sub", "ses"):
            raise TargetError(f"{name}- is given by the session.", "Leave it out; [labels] changes it.")
        if name not in schema.entity_names:
            raise _unknown_name_error("entity", name, schema.entity_names)
        if name not in allowed:
            raise TargetError(
                f"{datatype_and_suffix} cannot have the entity {name}.", f"It can have: {', '.join(allowed)}."
            )
        if name in entities:
            raise TargetError(f"the entity {name} is given twice.", "Leave one of them out.")
        _check_value(allowed[name], value, is_template=is_template)
        entities[name] = value
    return entities


def _check_value(entity: Entity, value: str, *, is_template: bool) -> None:
    if is_template and _MARK in value:
        if not _TEMPLATE_VALUE.fullmatch(value):
            raise TargetError(f"{entity.name}-{value} is not valid.", "Write only letters, digits and names in braces.")
        return
    pattern = _INDEX if entity.is_index else _LABEL
    if not pattern.fullmatch(value):
        what = "a number" if entity.is_index else "letters and digits"
        raise TargetError(f"{entity.name}-{value} is not valid.", f"Write {what} after {entity.name}-.")
    if entity.choices and value not in entity.choices:
        near = nearest_name(value, entity.choices)
        hint = f"Did you mean {near}?" if near else f"Write one of: {', '.join(entity.choices)}."
        raise TargetError(f"{entity.name}-{value} is not valid.", hint)


def _unknown_name_error(what: str, name: str, choices: Iterable[str]) -> TargetError:
    choices = tuple(choices)
    near = nearest_name(name, choices)
    hint = f"Did you mean {near}?" if near else f"Write one of: {', '.join(choices)}."
    return TargetError(f"the {what} {name!r} is not known.", hint)


def _unknown_suffix_error(suffix: str, datatype: str, schema: Schema) -> TargetError:
    datatypes = [candidate for candidate in schema.datatypes if suffix in schema.suffixes(candidate)]
    if datatypes:
        message = f"the suffix {suffix!r} does not belong to the data type {datatype}."
        return TargetError(message, f"It belongs to {' and '.join(datatypes)}.")
    near = nearest_name(suffix, schema.suffixes(datatype))
    hint = f"Did you mean {near}?" if near else f"{datatype} has: {', '.join(schema.suffixes(datatype))}."
    return TargetError(f"the suffix {suffix!r} is not known.", hint)
