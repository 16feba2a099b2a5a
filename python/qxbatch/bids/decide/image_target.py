"""The target of an image: `as` of its rule, with the names in braces replaced by captures and facts."""

from qxbatch.bids.decide.task_names import task_label
from qxbatch.bids.images.facts import ImageFacts
from qxbatch.bids.rules.matching import Match
from qxbatch.bids.schema.names import Schema
from qxbatch.bids.schema.target import Target, fill_placeholders, label, read_target


def target_of(match: Match, facts: ImageFacts, schema: Schema) -> Target:
    """Return the target of an image. Raises TargetError if it is not valid, for example if a label is empty."""
    built_in = {
        "name": facts.name,
        "task": task_label(facts.name),
        "protocol": facts.protocol,
        "number": "" if facts.series_number is None else str(facts.series_number),
        "dir": facts.polarity,
    }
    values = {name: label(text) for name, text in {**built_in, **match.captures}.items()}
    return read_target(fill_placeholders(match.rule.target, values), schema)
