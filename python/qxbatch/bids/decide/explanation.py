"""Explains which rule decides a series, and why the others do not."""

from collections import Counter
from collections.abc import Iterator, Sequence

from qxbatch.bids.decide.decision import decide
from qxbatch.bids.decide.texts import rule_text, series_text, toml_value
from qxbatch.bids.images.facts import ImageFacts, SessionFactsError, facts_of_images
from qxbatch.bids.model import ExportPlan, Rule, RuleFile
from qxbatch.bids.rules.matching import Mismatch, match_conditions
from qxbatch.nearest import nearest_name
from qxbatch.problems import UsageError
from qxbatch.protocol.values import actual_text
from qxbatch.record.names import description, series_number
from qxbatch.session.folder import SessionFolder
from qxbatch.visible import one_line


def explain(sessions: Sequence[SessionFolder], rule_file: RuleFile, session: str, series: str) -> str:
    """Return why a series is exported or not.

    `session` is an id, `series` a SeriesNumber, or `n70` for the series in `dicom/70`. Raises UsageError.
    """
    folder = next((candidate for candidate in sessions if candidate.id == session), None)
    if folder is None:
        near = nearest_name(session, [candidate.id for candidate in sessions])
        raise UsageError(f"there is no session {session}.", f"Did you mean {near}?" if near else "")
    try:
        images = [facts for facts in facts_of_images(folder) if _has_number(facts, series)]
    except SessionFactsError as error:
        raise UsageError(f"session {session}: {error.message}", error.hint) from None
    plan = next(plan for plan in decide(sessions, rule_file) if plan.session.id == session)
    if not images and (reason := _reason_without_images(plan, series)):
        return reason
    if not images:
        raise UsageError(f"session {session} has no images of a series {series}.", _existing_series(plan))
    lines = [line for facts in images for line in _image_lines(facts, plan, rule_file)]
    return "\n".join(map(one_line, lines))


def _has_number(facts: ImageFacts, series: str) -> bool:
    return _is_named(series, facts.series_number, facts.image.series.n)


def _is_named(name: str, number: int | None, n: int) -> bool:
    """Return whether a name, such as `7` or `n70`, is that of the series with this SeriesNumber and this folder `dicom/<n>`."""
    return name == f"n{n}" or (number is not None and name == str(number))


def _reason_without_images(plan: ExportPlan, series: str) -> str:
    """Return why a series without images is not exported; empty if `series` names no such series."""
    for ignored in plan.ignored_items:
        if ignored.series is not None and _is_named(series, series_number(ignored.series.header), ignored.series.n):
            name = description(ignored.series.header)
            return f"series {series} ({name}) of session {plan.session.id} is not exported: {ignored.reason}. It needs no rule."
    return ""


def _existing_series(plan: ExportPlan) -> str:
    """Return a hint that lists the series with images.

    If several series have one SeriesNumber, the text of each ends with the name by its folder, such as `n70` for `dicom/70`.
    """
    by_n = {facts.image.series.n: facts for facts in facts_of_images(plan.session)}
    counts = Counter(facts.series_number for facts in by_n.values())
    shared_numbers = {number for number, count in counts.items() if number is not None and count > 1}
    texts = (
        f"{series_text(by_n[n])}{f' n{n}' if by_n[n].series_number in shared_numbers else ''}" for n in sorted(by_n)
    )
    return f"It has: {', '.join(texts)}."


def _image_lines(facts: ImageFacts, plan: ExportPlan, rule_file: RuleFile) -> Iterator[str]:
    """Yield the decision on one image, its facts, and for each rule whether it matches the image."""
    image = facts.image.summary
    yield f"{series_text(facts)} of session {plan.session.id}, image {image.number} ({image.name}):"
    yield from (f"  {line}" for line in _decision(facts, plan))
    yield f"  facts: {', '.join(_facts(facts))}"
    session_rules = (
        rule_file.session_tables[plan.session.id].rules if plan.session.id in rule_file.session_tables else ()
    )
    has_decided = False
    for rule in (*session_rules, *rule_file.rules):
        result = match_conditions(rule.conditions, facts)
        if isinstance(result, Mismatch):
            yield f"  no match: {rule_text(rule)}: {_mismatch(result)}"
        else:
            verb = "also matches, but is later" if has_decided else "decides"
            yield f"  {verb}: {rule_text(rule)} -> {_outcome(rule)}"
            has_decided = True


def _decision(facts: ImageFacts, plan: ExportPlan) -> Iterator[str]:
    number = facts.image.number
    if plan.problem:
        yield f"the session is not exported: {plan.problem}. {plan.hint}"
    yield from (f"{item.path}: {item.reason}" for item in plan.placed_images if item.image.number == number)
    yield from (f"ignored: {item.reason}" for item in plan.ignored_items if item.image and item.image.number == number)
    for item in plan.undecided_series:
        if item.series.n == facts.image.series.n:
            yield f"undecided: {item.reason}. {item.hint}"


def _facts(facts: ImageFacts) -> Iterator[str]:
    """Yield some of the facts that rules can match, as in a rule; those that are not known are omitted."""
    values = {
        "name": facts.name,
        "kind": facts.kind,
        "guess": facts.guess,
        "volumes": facts.volumes,
        "te_ms": facts.te_ms,
        "tr_ms": facts.tr_ms,
        "image_type": list(facts.image_type),
        "verdict": facts.verdict,
    }
    yield from (f"{name} = {toml_value(value)}" for name, value in values.items() if value not in (None, "", []))


def _mismatch(mismatch: Mismatch) -> str:
    if mismatch.key == "not":
        return f"not = {toml_value(mismatch.expected)} excludes it"
    has = "is not known" if mismatch.actual is None else f"is {_actual_text(mismatch.actual)}"
    return f"{mismatch.key} {has}, expected {toml_value(mismatch.expected)}"


def _actual_text(value: object) -> str:
    """Return the value of an image as text. The numbers of a list are rounded; b-values have their numbers of volumes."""
    if isinstance(value, tuple) and not all(isinstance(item, str) for item in value):
        return actual_text(value) or ""
    return toml_value(list(value) if isinstance(value, tuple) else value)


def _outcome(rule: Rule) -> str:
    return f"ignore ({rule.ignore})" if rule.ignore else rule.target
