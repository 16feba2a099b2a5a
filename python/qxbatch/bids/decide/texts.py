"""Rules, series and sessions as text."""

from qxbatch.bids.images.facts import ImageFacts
from qxbatch.bids.model import Rule
from qxbatch.protocol.model import literal_glob
from qxbatch.protocol.values import toml_string


def rule_text(rule: Rule) -> str:
    """Return the place of a rule, and its conditions if it is a rule for all sessions.

    Examples are `rule in line 12: name = "rest"`, and `[session.S012], line 30` for the rule of one session. For a path that is
    only in the table of --plan, the text is `the table of --plan`.
    """
    keys = ", ".join(f"{key} = {toml_value(value)}" for key, value in rule.match.items())
    if rule.session:
        return f"[session.{toml_key(rule.session)}], line {rule.line}"
    return f"rule in line {rule.line}: {keys}" if rule.line else "the table of --plan"


def toml_value(value: object) -> str:
    """Return a value as it is written in TOML. A whole number is written without `.0`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return toml_string(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {toml_value(item)}' for key, item in value.items())} }}"
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def series_text(facts: ImageFacts) -> str:
    """Return number and name of a series: `series 7 (rest)`."""
    return f"{series_number_text(facts)} ({facts.name})"


def series_number_text(facts: ImageFacts) -> str:
    """Return `series 7` for SeriesNumber 7. Without a SeriesNumber, return `series n90010` for the series in `dicom/90010`."""
    return f"series {facts.series_number if facts.series_number is not None else f'n{facts.image.series.n}'}"


def rule_advice(facts: ImageFacts) -> str:
    """Return which rule to add for a series that no rule matches."""
    name = toml_string(literal_glob(facts.name))
    return f'Add to the rule file: [[rule]] match = {{ name = {name} }} and as = "...", or ignore = "the reason".'


def toml_key(session: str) -> str:
    """Return a session id as a key of TOML, with quotes if it needs them."""
    is_bare = session.isascii() and session.replace("_", "a").replace("-", "a").isalnum()
    return session if is_bare else toml_string(session)
