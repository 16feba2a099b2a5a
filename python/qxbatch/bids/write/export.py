"""One export: what is planned of sessions becomes the files of a data set."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from qxbatch.bids.files.changes import Action, Change, compare, records_after
from qxbatch.bids.files.disk import Disk
from qxbatch.bids.files.record import JOURNAL, RECORD, Entry, Record, write_record
from qxbatch.bids.files.sources import Source, SourceError, Sources
from qxbatch.bids.files.stamps import Stamps
from qxbatch.bids.files.wanted import Form, Wanted, session_files
from qxbatch.bids.model import SessionPlan
from qxbatch.bids.tables.dates_in_paths import path_with_date
from qxbatch.bids.tables.table_text import Table, merged, read_table
from qxbatch.bids.write.apply import Applier, Content
from qxbatch.bids.write.placing import Link, symbolic_target
from qxbatch.bids.write.result import Export, SessionResult, SessionState
from qxbatch.textfile import read_text


class Target(NamedTuple):
    """Where an export goes, and how."""

    dataset: Path
    link: Link = Link.AUTO
    form: Form = Form()
    complete: bool = True
    """All sessions of the study are among the plans. Otherwise nothing of others is removed."""
    test: bool = False


_ANOTHER_LABEL = "Give the session another label with [labels] or [session.ID], or change `as` of the rule."
Shared = Callable[[Sequence[SessionPlan]], Iterable[Wanted]]
"""Returns the files of the whole data set for the sessions that are exported."""


class Exporter:
    """Compares a data set with what is wanted, and changes it. Its lock is held by the caller."""

    def __init__(self, target: Target, record: Record, stamps: Stamps) -> None:
        self._target, self._record, self._stamps = target, record, stamps
        self._disk = Disk(target.dataset, stamps)
        self._sources = Sources(stamps)
        self._contents: dict[str, Content] = {}
        self._wanted: dict[str, Entry] = {}
        self._users: set[str] = set()
        self._results: dict[str, SessionResult] = {}
        self.tables_are_early = False
        """Shared tables were written before one of their sessions turned out to be damaged."""

    def export(self, plans: Sequence[SessionPlan], shared: Shared) -> Export:
        """Export sessions, and the shared files of those that can be exported. Raises OSError where nothing can be written."""
        taken = {plan.session.id: files for plan in plans if (files := self._take(plan))}
        while conflicts := self._conflicts(taken):
            for name, problem in conflicts.items():
                self._results[name] = self._results[name]._replace(state=SessionState.FAILED, problems=(problem,))
                del taken[name]
        for files in taken.values():
            self._want(files)
        for wanted in shared([plan for plan in plans if plan.session.id in taken]):
            self._users |= {wanted.path} if wanted.users else set()
            self._want([wanted])
        changes = compare(self._wanted, self._record, self._disk.look, self._stays)
        changes = [_without_news(change, self._users) for change in changes]
        if self._target.test:
            return self._export(changes, done={change.path for change in changes}, failed={})
        return self._apply(changes)

    def _take(self, plan: SessionPlan) -> Sequence[Wanted]:
        """Return the files of a session; none where it cannot be exported, which is noted."""
        name = plan.session.id
        result = SessionResult(
            name, plan.subject, plan.label, SessionState.EXPORTED, len(plan.placed), len(plan.ignored)
        )
        self._results[name] = result
        if not plan.is_ready:
            self._results[name] = result._replace(state=SessionState.UNDECIDED, problems=tuple(_undecided(plan)))
            return ()
        if self._target.form.shifts and (path := path_with_date(plan)):
            problem = f"{path} contains the date of its acquisition, which --shift-dates changes. {_ANOTHER_LABEL}"
            self._results[name] = result._replace(state=SessionState.FAILED, problems=(problem,))
            return ()
        try:
            files = session_files(plan, self._target.form, self._sources)
        except SourceError as error:
            self._results[name] = result._replace(state=SessionState.FAILED, problems=(f"{error}.",))
            return ()
        self._results[name] = result._replace(warnings=(*plan.remarks, *files.warnings, *self._sources.warnings))
        self._sources.warnings.clear()
        return files.files

    def _conflicts(self, taken: Mapping[str, Sequence[Wanted]]) -> dict[str, str]:
        """Return the sessions that want the place of a file of a session which this run leaves as it is, and why not."""
        problems = {}
        for name, files in taken.items():
            for wanted in files:
                entry = self._record.files.get(wanted.path)
                if entry is None or entry.session in ("", name) or self._is_exported(entry):
                    continue
                if self._disk.look(wanted.path) is not None:
                    problems[name] = self._conflict(wanted.path, entry.session)
        return problems

    def _conflict(self, path: str, owner: str) -> str:
        """Return why a session cannot have a place, and what to do."""
        if self._target.complete and owner not in self._results:
            return (
                f"{path} is of session {owner}, which no longer exists. Delete the files of {owner} from the data set and run "
                "again, or give the session another label."
            )
        return f"{path} is of session {owner}, which is not exported now. Export both in one run."

    def _is_exported(self, entry: Entry) -> bool:
        result = self._results.get(entry.session)
        return result is not None and result.state is SessionState.EXPORTED

    def _stays(self, entry: Entry) -> bool:
        """Return whether a file that nobody wants stays as it is: those of sessions that are not exported now.

        A table that several sessions share stays with their files.
        """
        if entry.session:
            return not self._is_exported(entry)
        folder = entry.path.rpartition("/")[0]
        below = (
            each
            for each in self._record.files.values()
            if each.session and each.path.startswith(f"{folder}/".lstrip("/"))
        )
        return not self._target.complete or any(map(self._stays, below))

    def _want(self, files: Iterable[Wanted]) -> None:
        for wanted in files:
            content, edited = self._merged(wanted) if isinstance(wanted.content, Table) else (wanted.content, False)
            self._contents[wanted.path] = content
            entry = Entry(wanted.path, *_sum(content), **wanted.source._asdict(), edited=edited)
            if self._target.link is Link.SYMLINK and isinstance(content, Source):
                entry = entry._replace(link=symbolic_target(content.path, self._target.dataset / wanted.path))
            self._wanted[wanted.path] = entry

    def _merged(self, wanted: Wanted) -> tuple[bytes, bool]:
        """Return a table with what is in the existing one, and whether people edited it."""
        ours = wanted.content
        assert isinstance(ours, Table)
        path = wanted.path
        found = self._disk.look(path)
        if found is None or not found.sha256:
            return ours.text().encode("utf-8", "backslashreplace"), False
        written = self._record.ours(path)
        edited = any(entry.edited for entry in written) or not any(found.is_of(entry) for entry in written)
        text = read_text(self._target.dataset / path, "replace")
        existing = read_table(text)
        if existing is None or ours.key not in existing.columns:
            return ours.text().encode("utf-8", "backslashreplace"), False
        folder = path.rpartition("/")[0]
        table = merged(
            existing, ours, edited=edited, stays=lambda name: self._stands(folder, ours.key, name, edited=edited)
        )
        known = Entry(path, found.size, found.sha256, edited=edited)
        self._record = replace(self._record, begun={**self._record.begun, path: known})
        same = edited and table == existing
        return (text if same else table.text()).encode("utf-8", "backslashreplace"), edited

    def _stands(self, folder: str, key: str, name: str, *, edited: bool) -> bool:
        """Return whether the file or folder that a row of a table names will exist, or a person added the row."""
        path = "/".join(part for part in (folder, name) if part)
        if path in self._wanted:
            return True
        entry = self._record.files.get(path)
        if key == "filename" and entry is not None:
            return self._stays(entry)
        if key != "filename" and any(each.path.startswith(f"{path}/") for each in self._record.files.values()):
            begins = (*self._wanted, *(each.path for each in self._record.files.values() if self._stays(each)))
            return any(each.startswith(f"{path}/") for each in begins)
        return edited or os.path.lexists(self._target.dataset / path)

    def _apply(self, changes: Sequence[Change]) -> Export:
        dataset, shifted = self._target.dataset, self._target.form.shifts is not None
        to_write = [change for change in changes if change.action in (Action.ADD, Action.REPLACE)]
        removed = [change for change in changes if change.action is Action.REMOVE]
        if to_write or removed:
            begun = {**self._record.begun, **{change.path: change.entry for change in to_write if change.entry}}
            write_record(dataset / JOURNAL, begun.values(), shifted=shifted)
        applier = Applier(self._disk, self._stamps, self._record, self._target.link)
        applied = applier.applied
        try:
            applier.apply(changes, self._contents)
        finally:
            entries = records_after(changes, lambda change: change.path in applied.done, self._record)
            before = [entry for _path, entry in sorted(self._record.files.items())]
            if entries != before or self._record.shifted != shifted or not (dataset / RECORD).exists():
                write_record(dataset / RECORD, entries, shifted=shifted)
        (dataset / JOURNAL).unlink(missing_ok=True)
        self.tables_are_early = bool(applied.failed)
        return self._export(changes, applied.done, applied.failed, applied.late)

    def _export(
        self, changes: Iterable[Change], done: set[str], failed: Mapping[str, str], late: Iterable[str] = ()
    ) -> Export:
        results = dict(self._results)
        for change, text in self._changed_together(changes):
            known = results[change.session]
            results[change.session] = known._replace(warnings=(*known.warnings, text))
        for name, problem in failed.items():
            results[name] = results[name]._replace(state=SessionState.FAILED, problems=(f"{problem}.",))
        left = [change._replace(action=Action.EDITED) if change.path in late else change for change in changes]
        counted = tuple(
            change for change in left if change.path in done or change.action in (Action.EDITED, Action.FOREIGN)
        )
        return Export(tuple(results.values()), counted)

    def _changed_together(self, changes: Iterable[Change]) -> Iterator[tuple[Change, str]]:
        """Yield images that differ from the record in the data set and in the session alike: a hard link was written to."""
        for change in changes:
            content, last = self._contents.get(change.path), self._record.files.get(change.path)
            if change.action is not Action.UNCHANGED or not isinstance(content, Source) or last is None:
                continue
            if (last.size, last.sha256) != (content.size, content.sha256):
                yield (
                    change,
                    (
                        f"{change.path} and {content.path} are one file by a hard link, and it was edited. "
                        "Take the image of the session from a backup, or convert the session again."
                    ),
                )


def _undecided(plan: SessionPlan) -> Iterator[str]:
    """Yield why a session cannot be exported, and what to write."""
    if plan.problem:
        yield f"{plan.problem.rstrip('.')}. {plan.hint}".strip()
    for each in plan.undecided:
        number = each.series.header.get("SeriesNumber")
        name = each.series.header.get("SeriesDescription") or each.series.header.get("ProtocolName") or ""
        series = f"series {number}" if number else f"series n{each.series.n}"
        yield f"{series}{f' ({name})' if name else ''}: {each.reason.rstrip('.')}. {each.hint}".strip()


def _sum(content: Content) -> tuple[int, str]:
    if isinstance(content, Source):
        return content.size, content.sha256
    from hashlib import sha256

    return len(content), sha256(content).hexdigest()


def _without_news(change: Change, users: set[str]) -> Change:
    """A file that people are meant to edit is no news when they did."""
    if change.path in users and change.action in (Action.EDITED, Action.FOREIGN):
        return change._replace(action=Action.UNCHANGED)
    return change
