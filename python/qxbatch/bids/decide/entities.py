"""Entities that follow from the facts of the images of a run: echo, part, inv, flip, mt; and the suffixes of field maps.

A run can have companions: images such as an SBRef, which get the number of the run (qxbatch.bids.decide.families).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from qxbatch.acquisition import ImageKind
from qxbatch.bids.decide.acquisitions import AcquiredImages, MatchedImage
from qxbatch.bids.decide.families import FIELD_MAP_SUFFIXES
from qxbatch.bids.decide.texts import series_number_text
from qxbatch.bids.images.facts import FIELD_MAP_IN_HZ, ImageFacts
from qxbatch.bids.schema.names import Entity, Schema
from qxbatch.bids.schema.target import Target

_PARTS = {
    ImageKind.MAGNITUDE: "mag",
    ImageKind.PHASE: "phase",
    ImageKind.REAL: "real",
    ImageKind.IMAGINARY: "imag",
}
_INVERSION = re.compile(r"inv[-_ ]?(\d)", re.IGNORECASE)
_ROUNDING_TOLERANCE = 1e-4
"""Values are equal if they differ by at most this fraction of the larger one; a larger one below 1 counts as 1."""


@dataclass(frozen=True)
class NamedImage:
    """An image with its target, including the entities that the export adds."""

    matched: MatchedImage
    """The image with the target that its rule gives it."""
    target: Target
    notes: tuple[str, ...] = ()
    """The source of each added entity, or of a changed suffix."""
    problem: str = ""
    """Why the name is not valid; empty if the name is valid."""
    hint: str = ""
    """What to write into the rule file; empty if the name is valid."""


def named_images(run: AcquiredImages, schema: Schema) -> list[NamedImage]:
    """Return the images of a run with their targets: entities are added, suffixes of field maps corrected.

    `run` contains the images of its companions, too.
    """
    members = run.members
    if members[0].target.datatype == "fmap" and members[0].target.suffix in FIELD_MAP_SUFFIXES:
        return _field_map_images(members)
    return [_with_entities(member, members, schema) for member in members]


def _with_entities(member: MatchedImage, members: list[MatchedImage], schema: Schema) -> NamedImage:
    target = member.target
    allowed = schema.entities(target.datatype, target.suffix)
    same_suffix = [image for image in members if image.target.suffix == target.suffix]
    added: dict[str, str] = {}
    notes: list[str] = []
    for name, find in _FINDERS.items():
        if name in allowed and name not in target.values:
            value, note = find(
                member.facts, [image.facts for image in same_suffix], [image.facts for image in members], allowed
            )
            if value:
                added[name] = value
                notes.append(f"{name}-{value}: {note}")
    full = target.with_entities(schema, added)
    missing = [name for name, entity in allowed.items() if entity.is_required and name not in full.values]
    if not missing:
        return NamedImage(member, full, tuple(notes))
    hint = f"Write {missing[0]}-<label> into `as` of its rule."
    return NamedImage(member, full, tuple(notes), _missing_entity_problem(missing[0], member.facts), hint)


ValueAndSource = tuple[str, str]
"""The value of an entity and its source. The value is empty if the image does not need the entity or has no value for it."""
_NOT_NEEDED: ValueAndSource = ("", "")


def _echo(
    image: ImageFacts, same_suffix: list[ImageFacts], members: list[ImageFacts], allowed: Mapping[str, Entity]
) -> ValueAndSource:
    times = _distinct_values(facts.te_ms for facts in members)
    if len(times) > 1 or allowed["echo"].is_required:
        index = _index(image.te_ms, times)
        if index:
            return index, f"EchoTime {_number_text(image.te_ms)} ms of {', '.join(map(_number_text, times))}"
    numbers = {facts.echo for facts in same_suffix}
    if image.echo is not None and (len(numbers) > 1 or allowed["echo"].is_required) and image.te_ms is None:
        return str(image.echo), "EchoNumber"
    return _NOT_NEEDED


def _part(
    image: ImageFacts, same_suffix: list[ImageFacts], _all: list[ImageFacts], _allowed: Mapping[str, Entity]
) -> ValueAndSource:
    present = {facts.kind for facts in same_suffix} & set(_PARTS)
    if image.kind not in _PARTS or present <= {ImageKind.MAGNITUDE}:
        return _NOT_NEEDED
    return _PARTS[ImageKind(image.kind)], f"its kind is {image.kind}"


def _inversion(
    image: ImageFacts, same_suffix: list[ImageFacts], _all: list[ImageFacts], allowed: Mapping[str, Entity]
) -> ValueAndSource:
    times = _distinct_values(facts.ti_ms for facts in same_suffix)
    by_name = _INVERSION.search(image.name)
    if by_name and len(times) <= 1 and allowed["inv"].is_required:
        return by_name[1], "the name of the series"
    if len(times) > 1 or (allowed["inv"].is_required and times):
        return _index(
            image.ti_ms, times
        ), f"InversionTime {_number_text(image.ti_ms)} ms of {', '.join(map(_number_text, times))}"
    return _NOT_NEEDED


def _flip(
    image: ImageFacts, same_suffix: list[ImageFacts], _all: list[ImageFacts], allowed: Mapping[str, Entity]
) -> ValueAndSource:
    angles = _distinct_values(facts.flip_angle_deg for facts in same_suffix)
    same = [
        facts
        for facts in same_suffix
        if (facts.te_ms, facts.ti_ms, facts.kind) == (image.te_ms, image.ti_ms, image.kind)
    ]
    has_several_angles = len(_distinct_values(facts.flip_angle_deg for facts in same)) > 1
    if angles and (allowed["flip"].is_required or has_several_angles):
        return _index(
            image.flip_angle_deg, angles
        ), f"FlipAngle {_number_text(image.flip_angle_deg)} of {', '.join(map(_number_text, angles))}"
    return _NOT_NEEDED


def _mt(
    image: ImageFacts, _same_suffix: list[ImageFacts], _all: list[ImageFacts], _allowed: Mapping[str, Entity]
) -> ValueAndSource:
    return (image.mt, "MTState") if image.mt else _NOT_NEEDED


_FINDERS: Mapping[
    str, Callable[[ImageFacts, list[ImageFacts], list[ImageFacts], Mapping[str, Entity]], ValueAndSource]
] = {
    "echo": _echo,
    "part": _part,
    "inv": _inversion,
    "flip": _flip,
    "mt": _mt,
}
"""For each short name of an entity, the function that returns the value of the entity and its source.

The arguments are the image, the images of its run with the same suffix, all images of the run and its companions, and the
entities that the suffix can have, by short name.
"""
_FIELDS = {"echo": "EchoTime", "inv": "InversionTime", "flip": "FlipAngle", "mt": "MTState"}


def _missing_entity_problem(name: str, facts: ImageFacts) -> str:
    has_no = f"no header of {series_number_text(facts)} has {_FIELDS[name]}" if name in _FIELDS else "no header has it"
    return f"it needs the entity {name}, and {has_no}"


def _field_map_images(members: list[MatchedImage]) -> list[NamedImage]:
    """Return the images of one field map with their suffixes, which follow from kind, echo and the suffix in the rule."""
    in_hz = [member for member in members if _is_map_in_hz(member)]
    magnitude_kinds = (ImageKind.MAGNITUDE, ImageKind.DERIVED) if in_hz else (ImageKind.MAGNITUDE,)
    phases = [member for member in members if member not in in_hz and member.facts.kind not in magnitude_kinds]
    magnitudes = [member for member in members if member not in in_hz and member not in phases]
    images = [_with_suffix(member, "fieldmap", "it is in Hz") for member in in_hz]
    times = _distinct_values(member.facts.te_ms for member in phases)
    for member in phases:
        suffix = member.target.suffix
        if len(times) > 1:
            suffix = f"phase{_index(member.facts.te_ms, times)}"
        elif suffix not in ("phase1", "phase2"):
            suffix = "phasediff"
        images.append(_with_suffix(member, suffix, _echo_note(member, times)))
    echoes = _distinct_values(member.facts.te_ms for member in magnitudes)
    for member in magnitudes:
        suffix = member.target.suffix
        if in_hz and not phases:
            suffix = "magnitude"
        elif len(echoes) > 1 or suffix not in ("magnitude", "magnitude2"):
            suffix = f"magnitude{_index(member.facts.te_ms, echoes) or '1'}"
        images.append(_with_suffix(member, suffix, _echo_note(member, echoes)))
    return sorted(images, key=lambda image: image.matched.sort_key)


def _is_map_in_hz(member: MatchedImage) -> bool:
    """Return whether an image is a field map in Hz, by its kind or by the suffix `fieldmap` in its rule."""
    is_magnitude = member.facts.kind == ImageKind.MAGNITUDE
    return member.facts.kind == FIELD_MAP_IN_HZ or (member.target.suffix == "fieldmap" and not is_magnitude)


def _with_suffix(member: MatchedImage, suffix: str, note: str) -> NamedImage:
    target = replace(member.target, suffix=suffix)
    notes = (f"{suffix}: {note}",) if suffix != member.target.suffix else ()
    if suffix in FIELD_MAP_SUFFIXES:
        return NamedImage(member, target, notes)
    # for more than two echoes, the suffix is one that BIDS does not have: phase3, magnitude3
    hint = "Ignore the images of all but two echoes; the key te_ms of match selects them."
    return NamedImage(member, target, notes, "its field map has more than 2 echoes", hint)


def _echo_note(member: MatchedImage, times: list[float]) -> str:
    kind = f"its kind is {member.facts.kind}"
    if len(times) <= 1:
        return kind
    return f"{kind}, EchoTime {_number_text(member.facts.te_ms)} ms of {', '.join(map(_number_text, times))}"


def _distinct_values(values: Iterable[float | None]) -> list[float]:
    """Return the distinct values, sorted; of values that differ only by rounding, the smallest."""
    distinct: list[float] = []
    for value in sorted(value for value in values if value is not None):
        if not distinct or value - distinct[-1] > _ROUNDING_TOLERANCE * max(1.0, abs(value)):
            distinct.append(value)
    return distinct


def _index(value: float | None, values: list[float]) -> str:
    """Return the position of the nearest of the values, from 1; empty if the value is not known."""
    if value is None or not values:
        return ""
    nearest = min(range(len(values)), key=lambda k: abs(values[k] - value))
    return str(nearest + 1)


def _number_text(value: float | None) -> str:
    return "?" if value is None else f"{value:g}"
