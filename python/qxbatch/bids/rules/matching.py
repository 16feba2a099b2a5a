"""Rules compared with images: the first that matches decides."""

from collections.abc import Iterable
from typing import NamedTuple

from qxbatch.bids.images.facts import ImageFacts
from qxbatch.bids.model import Captures, Condition, Rule


class Mismatch(NamedTuple):
    """The first key of a rule that an image does not fit."""

    key: str
    expected: object
    found: object
    """None where it is not known."""


class Match(NamedTuple):
    """The rule that decides an image, and what its patterns captured."""

    rule: Rule
    captures: Captures


def compare(conditions: Iterable[Condition], facts: ImageFacts) -> Captures | Mismatch:
    """Return the captures where all conditions are met, else the first one that is not."""
    captures: dict[str, str] = {}
    for condition in conditions:
        found = condition.found(facts)
        accepted = None if found is None else condition.accept(found)
        if accepted is None:
            return Mismatch(condition.key, condition.value, found)
        captures.update(accepted)
    return captures


def excludes(conditions: Iterable[Condition], facts: ImageFacts) -> Captures | None:
    """Return no captures where one of the conditions of `not` is not met, None where all are."""
    return {} if isinstance(compare(conditions, facts), Mismatch) else None


def first_match(rules: Iterable[Rule], facts: ImageFacts) -> Match | None:
    """Return the first rule that matches an image."""
    for rule in rules:
        if rule.session in ("", facts.image.session.id):
            found = compare(rule.conditions, facts)
            if not isinstance(found, Mismatch):
                return Match(rule, found)
    return None
