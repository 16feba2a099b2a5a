"""Compares rules with images: the first rule that matches decides."""

from collections.abc import Iterable
from typing import NamedTuple

from qxbatch.bids.images.facts import ImageFacts
from qxbatch.bids.model import Captures, Condition, Rule


class Mismatch(NamedTuple):
    """The first key of a rule that does not match an image."""

    key: str
    expected: object
    actual: object
    """The value of the image, None if it is not known; for `not`, the facts of the image."""


class Match(NamedTuple):
    """The rule that decides an image, and what its patterns captured."""

    rule: Rule
    captures: Captures


def match_conditions(conditions: Iterable[Condition], facts: ImageFacts) -> Captures | Mismatch:
    """Return the captures if all conditions are met, else the first mismatch."""
    captures: dict[str, str] = {}
    for condition in conditions:
        actual = condition.value_of(facts)
        captured = None if actual is None else condition.accept(actual)
        if captured is None:
            return Mismatch(condition.key, condition.expected, actual)
        captures.update(captured)
    return captures


def accept_unless(conditions: Iterable[Condition], facts: ImageFacts) -> Captures | None:
    """Return None if all conditions of `not` are met, else empty captures."""
    return {} if isinstance(match_conditions(conditions, facts), Mismatch) else None


def first_match(rules: Iterable[Rule], facts: ImageFacts) -> Match | None:
    """Return the first rule that matches an image, and its captures; None if no rule matches."""
    for rule in rules:
        if rule.session in ("", facts.image.session.id):
            result = match_conditions(rule.conditions, facts)
            if not isinstance(result, Mismatch):
                return Match(rule, result)
    return None
