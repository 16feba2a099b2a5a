"""The BIDS schema: names of images (data types, suffixes and entities), and definitions of sidecar fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError

_IMAGE = ".nii.gz"
_LEVELS = ("subject", "session")
"""Entities that identify the session, by their long names, as in the rules of the schema."""


class Entity(NamedTuple):
    """An entity that a file name may have."""

    name: str
    """As in file names: `acq`."""
    is_index: bool
    """Whether its value is a number, and not a label."""
    choices: tuple[str, ...]
    """The valid values; empty: any value."""
    is_required: bool


@dataclass(frozen=True)
class Schema:
    """The schema of one version of BIDS."""

    content: Mapping[str, Any]
    """As in the schema.json of BIDS."""

    @property
    def version(self) -> str:
        """Return the version of BIDS."""
        return str(self.content["bids_version"])

    @cached_property
    def _names(self) -> Mapping[tuple[str, str], Mapping[str, bool]]:
        """Return for each data type and suffix of images the possible entities, by long name, and whether an entity is required.

        The schema can have several rules for a suffix: an entity is required if each of them requires it.
        """
        names: dict[tuple[str, str], dict[str, bool]] = {}
        for group in self.content["rules"]["files"]["raw"].values():
            for rule in group.values():
                if _IMAGE not in rule.get("extensions", ()):
                    continue
                for key in ((datatype, suffix) for datatype in rule["datatypes"] for suffix in rule["suffixes"]):
                    entities = {name: _is_required(level) for name, level in rule["entities"].items()}
                    previous = names.get(key, entities)
                    names[key] = {
                        name: previous.get(name, False) and entities.get(name, False) for name in previous | entities
                    }
        return names

    @cached_property
    def datatypes(self) -> tuple[str, ...]:
        """Return the data types that have images."""
        return tuple(dict.fromkeys(datatype for datatype, _suffix in self._names))

    def suffixes(self, datatype: str) -> tuple[str, ...]:
        """Return the suffixes of the images of a data type."""
        return tuple(suffix for candidate, suffix in self._names if candidate == datatype)

    def entities(self, datatype: str, suffix: str) -> Mapping[str, Entity]:
        """Return the entities of an image's name besides `sub` and `ses`, by short name, in the order of file names.

        Raises KeyError if no image of the data type can have the suffix.
        """
        return self._entities[datatype, suffix]

    @cached_property
    def _entities(self) -> Mapping[tuple[str, str], Mapping[str, Entity]]:
        """Return what `entities` returns, for each data type and suffix."""
        order = [name for name in self.content["rules"]["entities"] if name not in _LEVELS]
        return {
            key: {
                entity.name: entity
                for entity in (self._entity(name, entities[name]) for name in order if name in entities)
            }
            for key, entities in self._names.items()
        }

    @cached_property
    def entity_names(self) -> tuple[str, ...]:
        """Return the short names of all entities, in the order of file names."""
        objects = self.content["objects"]["entities"]
        return tuple(str(objects[name]["name"]) for name in self.content["rules"]["entities"])

    @cached_property
    def field_names(self) -> frozenset[str]:
        """Return the names of the fields of sidecars and of dataset_description.json."""
        return frozenset(self._definitions)

    def field_definition(self, field: str) -> Mapping[str, Any]:
        """Return the definition of a field; empty if the schema does not have it."""
        return self._definitions.get(field, {})

    @cached_property
    def _definitions(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the definition of each field, by name; with `anyOf` if the schema defines it several times."""
        definitions: dict[str, list[Mapping[str, Any]]] = {}
        for definition in self.content["objects"]["metadata"].values():
            definitions.setdefault(str(definition["name"]), []).append(definition)
        return {name: same[0] if len(same) == 1 else {"anyOf": same} for name, same in definitions.items()}

    def _entity(self, name: str, required: bool) -> Entity:
        definition = self.content["objects"]["entities"][name]
        return Entity(definition["name"], definition["format"] == "index", tuple(definition.get("enum", ())), required)


def _is_required(level: Any) -> bool:
    return (level if isinstance(level, str) else level["level"]) == "required"


@lru_cache
def load_schema() -> Schema:
    """Return the schema of bidsschematools. Raises UsageError where it is not installed."""
    try:
        from bidsschematools.schema import load_schema as load
    except ImportError as error:
        message = f"the BIDS schema cannot be loaded: {error}."
        hint = "Install it: python -m pip install 'qxbatch[bids]'"
        raise UsageError(message, hint, ExitStatus.UNAVAILABLE) from None
    return Schema(load().to_dict())
