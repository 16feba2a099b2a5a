"""Decides the path of every image of the sessions, or why it has none, by the rules. Writes nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from qxbatch.bids.decide.acquisitions import MatchedImage
from qxbatch.bids.decide.entities import NamedImage
from qxbatch.bids.decide.groups import group_images
from qxbatch.bids.decide.hints import conflict_hint, ignore_hint, images_text, plan_remarks, remarks_on_unknown_sessions
from qxbatch.bids.decide.image_target import target_of
from qxbatch.bids.decide.labels import SessionLabels, label_conflicts, labels_of
from qxbatch.bids.decide.texts import rule_advice, rule_text
from qxbatch.bids.images.facts import ImageFacts, SessionFactsError, facts_of_images
from qxbatch.bids.model import ExportPlan, IgnoredItem, PlacedImage, Rule, RuleFile, UndecidedSeries
from qxbatch.bids.rules.matching import first_match
from qxbatch.bids.schema.names import Schema, load_schema
from qxbatch.bids.schema.target import TargetError
from qxbatch.model import State
from qxbatch.session.folder import SessionFolder


def decide(sessions: Sequence[SessionFolder], rule_file: RuleFile) -> list[ExportPlan]:
    """Return the plan of each session, in the order of `sessions`.

    A plan has a `problem` if the images or facts of the session are missing or cannot be read, or if its labels are not valid or
    conflict with those of another session.
    """
    schema = load_schema()
    labels = [(session, labels_of(session, rule_file)) for session in sessions]
    conflicts = label_conflicts(labels)
    remarks = remarks_on_unknown_sessions(sessions, rule_file)
    plans = [
        _session_plan(session, session_labels, conflicts.get(session.id), rule_file, schema)
        for session, session_labels in labels
    ]
    return [replace(plan, remarks=(*plan.remarks, *remarks.get(plan.session.id, ()))) for plan in plans]


def _session_plan(
    session: SessionFolder, labels: SessionLabels, conflict: tuple[str, str] | None, rule_file: RuleFile, schema: Schema
) -> ExportPlan:
    problem, hint = conflict or (labels.problem, labels.hint)  # a conflict is a pair of problem and hint
    if problem:
        return ExportPlan(session, labels.subject, labels.session, problem=problem, hint=hint)
    try:
        facts = facts_of_images(session)
    except SessionFactsError as error:
        return ExportPlan(session, labels.subject, labels.session, problem=error.message.rstrip("."), hint=error.hint)
    session_rules = rule_file.session_tables[session.id].rules if session.id in rule_file.session_tables else ()
    return _SessionDecision(session, labels, schema).plan(facts, (*session_rules, *rule_file.rules), session_rules)


class _SessionDecision:
    """Decides the images of one session."""

    def __init__(self, session: SessionFolder, labels: SessionLabels, schema: Schema) -> None:
        self._session = session
        self._labels = labels
        self._schema = schema
        self._placed_images: list[PlacedImage] = []
        self._ignored_items: list[IgnoredItem] = []
        self._undecided_series: list[UndecidedSeries] = []

    def plan(self, facts: Sequence[ImageFacts], rules: Sequence[Rule], session_rules: Sequence[Rule]) -> ExportPlan:
        """Return the plan. `rules` are all rules for the session, and `session_rules` those that only this session has."""
        self._ignore_series_without_images()
        matched_images = [matched for image_facts in facts if (matched := self._match(image_facts, rules))]
        groups = group_images(matched_images, self._schema)
        for matched, reason in groups.excluded:
            self._ignored_items.append(IgnoredItem(matched.facts.image, matched.match.rule, reason))
        for matched, reason, hint in groups.orphans:  # images such as an SBRef whose run does not exist
            full_hint = f"{hint} {ignore_hint(self._session, matched.facts)}."
            self._add_undecided(matched.facts, reason, full_hint, {"repeat": "last"})
        self._place(groups.images)
        return ExportPlan(
            self._session,
            self._labels.subject,
            self._labels.session,
            self._labels.subject_name,
            tuple(sorted(self._placed_images, key=lambda placed: placed.image.number)),
            tuple(sorted(self._ignored_items, key=_ignored_sort_key)),
            tuple(sorted(self._undecided_series, key=lambda undecided: undecided.series.n)),
            remarks=(*groups.remarks, *plan_remarks(self._session, facts, session_rules, matched_images)),
        )

    def _ignore_series_without_images(self) -> None:
        for series in self._session.series:
            if series.images:
                continue
            reason = "no image: its conversion failed" if series.state is State.FAILED else "no image"
            self._ignored_items.append(IgnoredItem(None, None, reason, series))

    def _match(self, facts: ImageFacts, rules: Sequence[Rule]) -> MatchedImage | None:
        """Return an image with its target. If it has no target, add it to the ignored or undecided ones and return None."""
        match = first_match(rules, facts)
        if match is None:
            self._add_undecided(facts, "no rule matches it", rule_advice(facts))
            return None
        if match.rule.ignore:
            reason = f"{match.rule.ignore}; {rule_text(match.rule)}"
            self._ignored_items.append(IgnoredItem(facts.image, match.rule, reason))
            return None
        try:
            return MatchedImage(facts, match, target_of(match, facts, self._schema))
        except TargetError as error:
            reason = f"no valid name from {rule_text(match.rule)}: {error.message.rstrip('.')}"
            self._add_undecided(facts, reason, error.hint)
            return None

    def _place(self, images: Iterable[NamedImage]) -> None:
        """Add each image to the placed ones, or its series to the undecided ones if its name is not valid or not unique."""
        valid_images = []
        for image in images:
            if image.problem:
                target = f"{image.target.datatype}/{image.target.suffix}"
                self._add_undecided(image.matched.facts, f"{target}: {image.problem}", image.hint)
            else:
                valid_images.append(image)
        paths = {id(image): image.target.path(self._labels.subject, self._labels.session) for image in valid_images}
        counts = Counter(path.casefold() for path in paths.values())
        for image in valid_images:
            path = paths[id(image)]
            if counts[path.casefold()] > 1:
                self._add_path_conflict(
                    image, path, [other for other in valid_images if paths[id(other)].casefold() == path.casefold()]
                )
                continue
            rule = image.matched.match.rule
            reason = "; ".join([rule_text(rule), *image.notes])
            self._placed_images.append(PlacedImage(image.matched.facts.image, path, rule, reason))

    def _add_path_conflict(self, image: NamedImage, path: str, same: Sequence[NamedImage]) -> None:
        facts, all_facts = image.matched.facts, [other.matched.facts for other in same]
        image_counts = Counter(each.image.series.n for each in all_facts)
        # an option can choose among series, but not among the parts of one series
        rule_options = {"copies": "complete"} if len(image_counts) > 1 and 1 in image_counts.values() else {}
        self._add_undecided(
            facts,
            f"{images_text(all_facts)} would have one path, {path}: nothing distinguishes them",
            conflict_hint(self._session, facts, rule_options),
            rule_options,
        )

    def _add_undecided(
        self, facts: ImageFacts, reason: str, hint: str, rule_options: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        series = facts.image.series
        if not any(undecided.series is series and undecided.reason == reason for undecided in self._undecided_series):
            self._undecided_series.append(UndecidedSeries(series, reason, hint, rule_options))


def _ignored_sort_key(ignored: IgnoredItem) -> tuple[int, int]:
    if ignored.image is not None:
        return ignored.image.series.n, ignored.image.number
    return (ignored.series.n if ignored.series else 0), 0
