"""What a user should look at in the rules and names of one session."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from qxbatch.bids.decide.acquisitions import Candidate
from qxbatch.bids.decide.texts import series_text, session_key
from qxbatch.bids.images.facts import ImageFacts
from qxbatch.bids.model import Rule, RuleFile
from qxbatch.bids.rules.matching import first_match
from qxbatch.bids.schema.target import Target
from qxbatch.nearest import nearest
from qxbatch.record.names import scanner_number
from qxbatch.session.folder import SessionFolder

_SHOWN = 4
"""So many series are named in one message."""


def unknown_sessions(sessions: Iterable[SessionFolder], rules: RuleFile) -> Mapping[str, tuple[str, ...]]:
    """Return, by the id of the session that was probably meant, which tables are of sessions that do not exist."""
    known = [session.id for session in sessions]
    found: dict[str, tuple[str, ...]] = {}
    for name, table in rules.sessions.items():
        near = "" if name in known else nearest(name, known)
        if near:
            text = f"[session.{session_key(name)}], line {table.line}: there is no such session. Did you mean {near}?"
            found[near] = (*found.get(near, ()), text)
    return found


def listed(series: Iterable[ImageFacts]) -> str:
    """Return series as a text; the fourth and later ones are counted."""
    known = list(dict.fromkeys(map(series_text, series)))
    shown = known if len(known) <= _SHOWN else [*known[: _SHOWN - 1], f"{len(known) - _SHOWN + 1} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def ignore_hint(session: SessionFolder, facts: ImageFacts) -> str:
    """Return what to write into the rule file to ignore one series of one session."""
    numbers = [scanner_number(each.header) for each in session.series]
    is_own = facts.number is not None and numbers.count(facts.number) == 1
    key = str(facts.number) if is_own else f"n{facts.image.series.n}"
    return f'in [session.{session_key(session.id)}]: "{key}" = {{ ignore = "..." }}'


def remarks(
    session: SessionFolder, facts: Sequence[ImageFacts], own: Sequence[Rule], candidates: Iterable[Candidate]
) -> tuple[str, ...]:
    """Return which of the session's own rules concern nothing, and which names became one label."""
    return (*_without_series(session, facts, own), *_same_names(candidates))


def _without_series(session: SessionFolder, facts: Sequence[ImageFacts], own: Sequence[Rule]) -> Iterator[str]:
    without_images = [each for each in session.series if not each.images]
    numbers = {scanner_number(each.header) for each in without_images} | {each.n for each in without_images}
    for rule in own:
        is_known = rule.match.get("number", rule.match.get("n")) in numbers
        if not is_known and not any(first_match([rule], each) for each in facts):
            yield f"[session.{session_key(session.id)}], line {rule.line}: the session has no such series."


def _same_names(candidates: Iterable[Candidate]) -> Iterator[str]:
    """Yield which series have different names and one target, since a label has no more than letters and digits."""
    found: dict[Target, dict[str, ImageFacts]] = {}
    for each in candidates:
        if "{name}" in each.match.rule.target:
            found.setdefault(each.target, {}).setdefault(each.facts.name.casefold(), each.facts)
    for target, names in found.items():
        if len(names) > 1:
            labels = "_".join(f"{name}-{value}" for name, value in target.entities)
            yield f"{listed(names.values())} have different names and one label, {labels}: they count as runs."
