"""Proposes a rule file from the sessions of a study. It should decide every series, so that it can be used without changes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path

from qxbatch.bids.decide.decision import decide
from qxbatch.bids.decide.labels import SessionLabels, label_conflicts, labels_of
from qxbatch.bids.decide.texts import toml_key, toml_value
from qxbatch.bids.images.facts import ImageFacts, SessionFactsError, facts_of_images
from qxbatch.bids.model import ExportPlan, RuleFile
from qxbatch.bids.propose.drafts import Draft, drafts_of
from qxbatch.bids.rules.matching import first_match
from qxbatch.bids.rules.rule_file import parse_rules
from qxbatch.bids.schema.names import load_schema
from qxbatch.counted import counted
from qxbatch.problems import UsageError
from qxbatch.protocol.model import literal_glob
from qxbatch.session.folder import SessionFolder

_HEAD = """\
# Rules of the BIDS export, proposed from {sessions}. The first rule that matches decides a series.
# Read and correct them. docs/bids.md explains every key; --plan shows what they give, --explain why.
"""
_WIDTH = 132
_PATH_OR_CLAUSE = re.compile(r", (?=sub-|and )")
"""The comma before the part of a reason that `ignore` leaves out: a path, or a clause that begins with `and`.

Other commas, as in a list, do not match.
"""
_ROUNDS = 3
"""Largest number of times that a proposal is tried and corrected; it may then still leave series undecided."""


def propose(sessions: Sequence[SessionFolder]) -> str:
    """Return the text of a rule file, with rules for the sessions that can be read. Raises UsageError if they have no images."""
    facts: list[ImageFacts] = []
    problems: list[str] = []
    for session in sessions:
        try:
            facts += facts_of_images(session)
        except SessionFactsError as error:
            problems.append(f"{session.id}: {error.message} {error.hint}")
    if not facts:
        hint = problems[0] if problems else "Import sessions first."
        raise UsageError("there are no images to propose rules from.", hint)
    drafts = drafts_of(facts, load_schema())
    session_count = len({image.image.session.id for image in facts})
    tables = tuple(_tables_for_equal_labels(sessions))
    for _round in range(_ROUNDS):
        rule_file = parse_rules(_text(drafts, session_count, tables))
        plans = decide(sessions, rule_file)
        if not any(plan.undecided_series for plan in plans):
            break
        drafts = _corrected_drafts(drafts, rule_file, plans)
    return _text(drafts, session_count, tables)


def _text(drafts: Sequence[Draft], session_count: int, tables: Iterable[str]) -> str:
    return _HEAD.format(sessions=counted(session_count, "session")) + "".join(map(_rule_text, drafts)) + "".join(tables)


def _rule_text(draft: Draft) -> str:
    outcome = f"ignore = {toml_value(draft.ignore)}" if draft.ignore else f"as = {toml_value(draft.target)}"
    options = [f"{name} = {toml_value(value)}" for name, value in draft.options.items()]
    lines = [_rule_header(draft.comment), f"match = {toml_value(dict(draft.match))}", outcome, *options]
    return "".join(f"{line}\n" for line in lines)


def _rule_header(comment: str) -> str:
    line = f"[[rule]]  # {' '.join(comment.split())}"
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."


def _corrected_drafts(drafts: Sequence[Draft], rule_file: RuleFile, plans: Sequence[ExportPlan]) -> list[Draft]:
    """Return drafts corrected for the undecided series.

    A rule that matches such a series gets the options that decide the series. If there are no such options, if the rule already has
    them, or if no rule matches, an added rule ignores the series.
    """
    # index of each draft, by the line of its rule in the text
    by_line = dict(zip((rule.line for rule in rule_file.rules), range(len(drafts)), strict=True))
    corrected = [*drafts]
    ignore_drafts: list[Draft] = []
    for plan in plans:
        undecided_by_n = {undecided.series.n: undecided for undecided in plan.undecided_series}
        for facts in _images_if_undecided(plan):
            undecided = undecided_by_n.get(facts.image.series.n)
            match = first_match(rule_file.rules, facts) if undecided is not None else None
            if undecided is None or (match and match.rule.ignore):
                continue
            k = by_line[match.rule.line] if match else None
            if k is None or undecided.rule_options.keys() <= drafts[k].options.keys():
                ignore_drafts.append(_ignore_draft(facts, undecided.reason))
            else:
                corrected[k] = corrected[k].with_options(undecided.rule_options)
    return [*dict.fromkeys(ignore_drafts), *corrected]


def _ignore_draft(facts: ImageFacts, reason: str) -> Draft:
    """Return a rule that ignores one series. It requires n, since other series of the session can have the same name."""
    match = (
        ("name", literal_glob(facts.name)),
        ("session", literal_glob(facts.image.session.id)),
        ("n", facts.image.series.n),
    )
    return Draft(match, "", _PATH_OR_CLAUSE.split(reason)[0], "no valid name")


def _images_if_undecided(plan: ExportPlan) -> Iterator[ImageFacts]:
    """Return the images of a session that has undecided series; none for other sessions."""
    return iter(facts_of_images(plan.session) if plan.undecided_series else ())


def _tables_for_equal_labels(sessions: Sequence[SessionFolder]) -> Iterator[str]:
    """Yield the lines of tables `[session.ID]` with new labels for subjects and sessions that have the label of another."""
    without_tables = RuleFile(Path(), ())
    labels = [(session, labels_of(session, without_tables)) for session in sessions]
    subjects = _new_subject_labels([session_labels for _, session_labels in labels])
    new = [
        (
            session,
            each._replace(subject=subjects.get((each.subject.casefold(), each.subject_name.casefold()), each.subject)),
        )
        for session, each in labels
    ]
    problems = label_conflicts([(session, each._replace(subject_name="")) for session, each in new])
    used = {each.folder.casefold() for _, each in new}
    for (session, old), (_, each) in zip(labels, new, strict=True):
        lines = [f"subject = {toml_value(each.subject)}\n"] if each.subject != old.subject else []
        if session.id in problems:
            renamed = next(
                other
                for k in count(1)
                if (other := each._replace(session=f"{each.session}{k}")).folder.casefold() not in used
            )
            used.add(renamed.folder.casefold())
            lines.append(f"session = {toml_value(renamed.session)}\n")
        if lines:
            what = "subject" if each.subject != old.subject else "session"
            yield f"[session.{toml_key(session.id)}]  # another {what} has the same label, {old.folder}\n"
            yield from lines


def _new_subject_labels(labels: Sequence[SessionLabels]) -> dict[tuple[str, str], str]:
    """Return new labels for subjects whose names are reduced to the label of another subject.

    The keys are the old label and the name of the subject, both case-folded.
    """
    used = {each.subject.casefold() for each in labels}
    first: dict[str, str] = {}
    new: dict[tuple[str, str], str] = {}
    for each in labels:
        key = (each.subject.casefold(), each.subject_name.casefold())
        if not each.subject_name or first.setdefault(key[0], key[1]) == key[1] or key in new:
            continue
        new[key] = next(text for k in count(2) if (text := f"{each.subject}x{k}").casefold() not in used)
        used.add(new[key].casefold())
    return new
