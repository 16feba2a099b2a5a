"""Remarks on rules that match nothing, unknown sessions, and names that become one label; what to write to ignore a series."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from qxbatch.bids.decide.acquisitions import MatchedImage
from qxbatch.bids.decide.texts import series_text, toml_key, toml_value
from qxbatch.bids.images.facts import ImageFacts
from qxbatch.bids.model import Rule, RuleFile
from qxbatch.bids.rules.matching import first_match
from qxbatch.bids.schema.target import Target
from qxbatch.nearest import nearest_name
from qxbatch.record.names import series_number
from qxbatch.session.folder import SessionFolder

_MAX_NAMES = 4
"""Largest number of series or images that one message names. If there are more, it names one less and counts the others."""


def remarks_on_unknown_sessions(
    sessions: Iterable[SessionFolder], rule_file: RuleFile
) -> Mapping[str, tuple[str, ...]]:
    """Return remarks on tables `[session.ID]` for sessions that do not exist, by the id of the session that was probably meant.

    A table whose ID is not similar to any session id gets no remark.
    """
    ids = [session.id for session in sessions]
    texts: dict[str, tuple[str, ...]] = {}
    for name, table in rule_file.session_tables.items():
        near = "" if name in ids else nearest_name(name, ids)
        if near:
            text = f"[session.{toml_key(name)}], line {table.line}: there is no such session. Did you mean {near}?"
            texts[near] = (*texts.get(near, ()), text)
    return texts


def series_list_text(images: Iterable[ImageFacts]) -> str:
    """Return numbers and names of the series of images as text; if there are more than four series, only three are named.

    An example is `series 2 (rest) and series 3 (rest)`.
    """
    return _list_text(list(dict.fromkeys(map(series_text, images))))


def images_text(images: Iterable[ImageFacts]) -> str:
    """Return the series of images as text, like `series_list_text`, and the numbers of the images if a series has several of them.

    An example is `series 2 (rest) and images 31 and 32 of series 3 (rest)`.
    """
    by_n: dict[int, list[ImageFacts]] = {}
    for image in images:
        by_n.setdefault(image.image.series.n, []).append(image)
    return _list_text(
        [
            f"images {_list_text([str(each.image.number) for each in same])} of {series_text(same[0])}"
            if len(same) > 1
            else series_text(same[0])
            for same in by_n.values()
        ]
    )


def _list_text(names: Sequence[str]) -> str:
    visible = names if len(names) <= _MAX_NAMES else [*names[: _MAX_NAMES - 1], f"{len(names) - _MAX_NAMES + 1} more"]
    return " and ".join([", ".join(visible[:-1]), visible[-1]]) if len(visible) > 1 else visible[0]


def ignore_hint(session: SessionFolder, facts: ImageFacts) -> str:
    """Return what to write into the rule file to ignore one series of one session."""
    return f'in [session.{toml_key(session.id)}]: "{_series_key(session, facts)}" = {{ ignore = "..." }}'


def conflict_hint(session: SessionFolder, facts: ImageFacts, rule_options: Mapping[str, str]) -> str:
    """Return what to do about an image that would have the same path as others.

    `rule_options` are options of its rule that choose one of the images; empty if there are none, as for parts of one series.
    """
    if rule_options:
        options = " and ".join(f"{name} = {toml_value(value)}" for name, value in rule_options.items())
        return (
            f"Keep one by {options} in the rule, or give one of them its own rule with another rec- or acq- label,"
            f" or write {ignore_hint(session, facts)}."
        )
    image_key = f"{_series_key(session, facts)}.{facts.image.summary.k}"
    return (
        "They are parts of one series, which can be incomplete: look at them. Then ignore the series, "
        f'{ignore_hint(session, facts)}, or all but one of them, for example "{image_key}" = {{ ignore = "..." }}.'
    )


def _series_key(session: SessionFolder, facts: ImageFacts) -> str:
    """Return the key of a series in `[session.ID]`: its SeriesNumber if it has one and no other series has the same.

    Otherwise the key is `n70` for the series in `dicom/70`.
    """
    numbers = [series_number(series.header) for series in session.series]
    is_unique = facts.series_number is not None and numbers.count(facts.series_number) == 1
    return str(facts.series_number) if is_unique else f"n{facts.image.series.n}"


def plan_remarks(
    session: SessionFolder,
    facts: Sequence[ImageFacts],
    session_rules: Sequence[Rule],
    matched_images: Iterable[MatchedImage],
) -> tuple[str, ...]:
    """Return a remark on each rule of the session that matches nothing, and on different names that become one label."""
    return (*_unmatched_rule_remarks(session, facts, session_rules), *_shared_label_remarks(matched_images))


def _unmatched_rule_remarks(
    session: SessionFolder, facts: Sequence[ImageFacts], session_rules: Sequence[Rule]
) -> Iterator[str]:
    """Yield a remark on each rule of the session that matches no image. A rule for a series without images gets no remark."""
    without_images = [series for series in session.series if not series.images]
    keys_without_images: set[tuple[str, object]] = {
        ("number", series_number(series.header)) for series in without_images
    }
    keys_without_images |= {("n", series.n) for series in without_images}
    for rule in session_rules:
        has_no_images = not keys_without_images.isdisjoint(rule.match.items())
        if not has_no_images and not any(first_match([rule], image) for image in facts):
            yield f"[session.{toml_key(session.id)}], line {rule.line}: the session has no such series."


def _shared_label_remarks(matched_images: Iterable[MatchedImage]) -> Iterator[str]:
    """Yield a remark on series whose different names become one label, since labels contain only letters and digits."""
    names_by_target: dict[Target, dict[str, ImageFacts]] = {}
    for matched in matched_images:
        if "{name}" in matched.match.rule.target:
            names_by_target.setdefault(matched.target, {}).setdefault(matched.facts.name.casefold(), matched.facts)
    for target, names in names_by_target.items():
        if len(names) > 1:
            labels = "_".join(f"{name}-{value}" for name, value in target.entities)
            series = series_list_text(names.values())
            yield f"{series} have different names that become one label, {labels}: they are numbered as runs."
