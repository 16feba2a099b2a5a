"""The labels of subject and session in the data set."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.bids.decide.texts import toml_key
from qxbatch.bids.model import RuleFile
from qxbatch.bids.rules.patterns import glob_pattern
from qxbatch.bids.schema.image_path import session_prefix
from qxbatch.bids.schema.target import fill_placeholders, label
from qxbatch.session.contents import has_session_records
from qxbatch.session.folder import SessionFolder


class SessionLabels(NamedTuple):
    """The BIDS labels of one session and its subject, without `sub-` and `ses-`."""

    subject: str
    session: str
    """Empty if the data set has no session level for the session."""
    problem: str = ""
    """Why the session has no valid labels; empty if it has valid ones."""
    hint: str = ""
    """What to write into the rule file; empty if there is no problem."""
    subject_name: str = ""
    """The text that was reduced to the label of the subject; empty if the rule file contains the label."""

    @property
    def folder(self) -> str:
        """Return the folder of the session in the data set, such as `sub-01/ses-a`."""
        folder, _start = session_prefix(self.subject, self.session)
        return folder


def labels_of(session: SessionFolder, rule_file: RuleFile) -> SessionLabels:
    """Return the labels of a session by the rule file, or why it has none."""
    table = rule_file.label_rules
    summary = session.readable_summary
    names = {"subject": session.subject or session.id, "session": (summary.session.session if summary else "") or ""}
    if table.pattern:
        match = glob_pattern(table.pattern).fullmatch(session.id)
        if match is None:
            hint = f'Correct pattern = "{table.pattern}" in [labels], or write [session.{toml_key(session.id)}] subject = "...".'
            return _with_session_table(
                session, rule_file, SessionLabels("", "", "its name does not fit the pattern of [labels]", hint)
            )
        names = {"session": "", **{name: text or "" for name, text in match.groupdict().items()}}
    without_prefix = {name: text.removeprefix(f"{name[:3]}-") for name, text in names.items()}  # `sub-` or `ses-`
    label_in_rules = table.subjects.get(names["subject"])
    text = "" if label_in_rules else fill_placeholders(table.subject, without_prefix)
    subject = label_in_rules or label(text)
    name = names["session"]
    ses = table.sessions[name] if name in table.sessions else label(fill_placeholders(table.session, without_prefix))
    labels = SessionLabels(subject, ses, subject_name=text)
    if not subject:
        hint = f'Write [session.{toml_key(session.id)}] subject = "01".'
        labels = SessionLabels("", ses, "its subject has no letters or digits", hint)
    return _with_session_table(session, rule_file, labels)


def known_subject_label(folder: Path, rule_file: RuleFile) -> str:
    """Return the label of the subject of a session by the rule file; empty if the folder is no session, or the label is not known.

    The label is not known if it depends on the name of the subject and the session does not contain this name, for example while
    an import replaces the session.
    """
    session = SessionFolder(folder)
    if not has_session_records(folder):
        return ""
    labels = labels_of(session, rule_file)
    is_known = session.subject or rule_file.label_rules.pattern or not labels.subject_name
    return labels.subject if is_known else ""


def _with_session_table(session: SessionFolder, rule_file: RuleFile, labels: SessionLabels) -> SessionLabels:
    """Return the labels, replaced by those in the table `[session.ID]` of the session.

    A problem of the labels remains, unless the table has a label of the subject.
    """
    table = rule_file.session_tables.get(session.id)
    if table is None:
        return labels
    subject = labels.subject if table.subject is None else table.subject
    name = labels.session if table.session is None else table.session
    if labels.problem and not table.subject:
        return labels._replace(session=name)
    return SessionLabels(subject, name, subject_name=labels.subject_name if table.subject is None else "")


def label_conflicts(sessions: Sequence[tuple[SessionFolder, SessionLabels]]) -> Mapping[str, tuple[str, str]]:
    """Return problem and hint, by session id, for sessions that cannot be exported because of equal labels.

    These are sessions with the same labels of subject and session, and sessions of different subjects whose names are reduced to
    the same label. Case is ignored.
    """
    return {**_subject_conflicts(sessions), **_session_conflicts(sessions)}


def _subject_conflicts(sessions: Sequence[tuple[SessionFolder, SessionLabels]]) -> dict[str, tuple[str, str]]:
    """Return problem and hint, by session id, for subjects whose names are reduced to the same label."""
    # by label, then by each name that was reduced to it, both case-folded
    by_label: dict[str, dict[str, list[tuple[SessionFolder, SessionLabels]]]] = {}
    for session, labels in sessions:
        if labels.subject and labels.subject_name:
            names = by_label.setdefault(labels.subject.casefold(), {})
            names.setdefault(labels.subject_name.casefold(), []).append((session, labels))
    problems: dict[str, tuple[str, str]] = {}
    for names in by_label.values():
        if len(names) > 1:
            first_of_names = [same[0] for same in names.values()]
            texts = " and ".join(labels.subject_name for _, labels in first_of_names)
            last, labels = first_of_names[-1]
            hint = (
                f'If they are two people, write [session.{toml_key(last.id)}] subject = "..." into the rule file. If they are '
                f'one, write subject = "{labels.subject}" there.'
            )
            problem = (f"subjects {texts} have one label, sub-{labels.subject}", hint)
            problems.update((session.id, problem) for same in names.values() for session, _ in same)
    return problems


def _session_conflicts(sessions: Sequence[tuple[SessionFolder, SessionLabels]]) -> dict[str, tuple[str, str]]:
    """Return problem and hint, by session id, for sessions with the same labels of subject and session."""
    sessions_by_labels: dict[tuple[str, str], list[SessionFolder]] = {}
    for session, labels in sessions:
        if labels.subject:
            # labels that differ only in case would have the same folder on file systems that ignore case
            sessions_by_labels.setdefault((labels.subject.casefold(), labels.session.casefold()), []).append(session)
    problems: dict[str, tuple[str, str]] = {}
    texts = {session.id: labels.folder for session, labels in sessions}
    for same in sessions_by_labels.values():
        if len(same) > 1:
            names = " and ".join(session.id for session in same)
            hint = f'Write [session.{toml_key(same[-1].id)}] session = "2" into the rule file, or [labels] pattern.'
            for session in same:
                problems[session.id] = (f"sessions {names} have one label, {texts.get(session.id, '')}", hint)
    return problems
