"""An export: brings the files of a data set to the planned state of its sessions."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from qxbatch.bids.files.changes import Action, Change, entries_after, planned_changes
from qxbatch.bids.files.disk import Disk
from qxbatch.bids.files.planned_files import FileOptions, PlannedFile, session_files
from qxbatch.bids.files.record import (
    JOURNAL,
    RECORD,
    Entry,
    Record,
    folder_of_labels,
    folders_after,
    is_of_other_image,
    other_folder,
    sessions_by_folder,
    write_record,
)
from qxbatch.bids.files.sources import Source, SourceError, Sources
from qxbatch.bids.files.stamps import Stamps
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.tables.dates_in_paths import path_with_date
from qxbatch.bids.tables.table_text import (
    PARTICIPANT,
    Cells,
    Table,
    cells_of,
    merge_edited,
    merge_tables,
    read_table,
    rows_with_edits,
    stale_cells,
)
from qxbatch.bids.write.apply import Applier, Content
from qxbatch.bids.write.messages import hard_link_warnings, undecided_reasons, user_file_warnings
from qxbatch.bids.write.placing import LinkMode, symbolic_target
from qxbatch.bids.write.result import Export, SessionOutcome, SessionResult
from qxbatch.textfile import read_text


class Destination(NamedTuple):
    """Where an export goes, and how."""

    dataset: Path
    sessionsfolder: Path
    link: LinkMode = LinkMode.AUTO
    options: FileOptions = FileOptions()
    all_sessions: bool = True
    """Whether the plans include all sessions of the study. If not, files that sessions share are not removed."""
    test: bool = False
    """Whether the changes are only computed, and nothing is written."""


_ANOTHER_LABEL = "Give the session another label with [labels] or [session.ID], or change `as` of the rule."
SharedFilesOf = Callable[[Sequence[ExportPlan]], Iterable[PlannedFile]]
"""Returns the files of the whole data set for the sessions that are exported."""


class Exporter:
    """Compares a data set with the planned files and changes it. The caller has locked the data set."""

    def __init__(self, destination: Destination, record: Record, stamps: Stamps) -> None:
        self._destination, self._record, self._stamps = destination, record, stamps
        self._disk = Disk(destination.dataset, stamps)
        self._sources = Sources(stamps)
        self._contents: dict[str, Content] = {}
        self._planned_entries: dict[str, Entry] = {}
        self._editable_paths: set[str] = set()
        self._results: dict[str, SessionResult] = {}
        self._plans: dict[str, ExportPlan] = {}
        self.tables_have_failed_sessions = False
        """Whether shared tables have rows of a session whose files then could not be placed. Then no shared file was written."""

    def export(self, plans: Sequence[ExportPlan], shared_files_of: SharedFilesOf) -> Export:
        """Export sessions, and the files that the exported sessions share (`shared_files_of`).

        Raises LinkRefusedError, and OSError where the data set cannot be written.
        """
        self._plans = {plan.session.id: plan for plan in plans}
        files_by_session = {plan.session.id: files for plan in plans if (files := self._files_of(plan))}
        while conflicts := self._conflicts(files_by_session):
            for name, problem in conflicts.items():
                self._results[name] = self._results[name]._replace(state=SessionOutcome.FAILED, problems=(problem,))
                del files_by_session[name]
        for files in files_by_session.values():
            self._add(files)
        for file in shared_files_of([plan for plan in plans if plan.session.id in files_by_session]):
            self._editable_paths |= {file.path} if file.is_editable else set()
            self._add([file])
        for name, warning in user_file_warnings(self._planned_entries, self._record, self._disk, self._is_kept):
            self._add_warning(name, warning)
        changes = planned_changes(self._planned_entries, self._record, self._disk.file_at, self._is_kept)
        changes = [_without_expected_edit(change, self._editable_paths) for change in changes]
        if self._destination.test:
            return self._export_result(changes, {change.path for change in changes}, failed={})
        return self._apply(changes)

    def _files_of(self, plan: ExportPlan) -> Sequence[PlannedFile]:
        """Return the files of a session; empty if it cannot be exported, with the reason in its result."""
        name = plan.session.id
        result = SessionResult(
            name,
            plan.subject,
            plan.session_label,
            SessionOutcome.EXPORTED,
            len(plan.placed_images),
            len(plan.ignored_items),
        )
        self._results[name] = result
        if other := other_folder(name, self._record, self._destination.dataset, self._destination.sessionsfolder):
            problem = (
                f"the data set contains session {name} of {other}. Export to another data set, or rename the session."
            )
            self._results[name] = result._replace(state=SessionOutcome.FAILED, problems=(problem,))
            return ()
        if not plan.is_ready:
            self._results[name] = result._replace(
                state=SessionOutcome.UNDECIDED, problems=tuple(undecided_reasons(plan))
            )
            return ()
        if self._destination.options.shifts and (path := path_with_date(plan)):
            problem = f"{path} contains the date of its acquisition, which --shift-dates changes. {_ANOTHER_LABEL}"
            self._results[name] = result._replace(state=SessionOutcome.FAILED, problems=(problem,))
            return ()
        try:
            files = session_files(plan, self._destination.options, self._sources)
        except SourceError as error:
            self._results[name] = result._replace(state=SessionOutcome.FAILED, problems=(f"{error}.",))
            return ()
        self._results[name] = result._replace(warnings=(*plan.remarks, *files.warnings, *self._sources.warnings))
        self._sources.warnings.clear()
        return files.files

    def _conflicts(self, files_by_session: Mapping[str, Sequence[PlannedFile]]) -> dict[str, str]:
        """Return the sessions that need a path of another session which this run does not export, and the problem.

        A session also needs its folder, in which an interrupted export may have left images of another session.
        """
        others: dict[str, list[Entry]] = {}
        for entry in self._record.files.values():
            if entry.session and not self._is_exported(entry):
                others.setdefault(folder_of_labels(entry.path), []).append(entry)
        problems = {}
        for name, files in files_by_session.items():
            paths = {file.path for file in files}
            for entry in (entry for folder in set(map(folder_of_labels, paths)) for entry in others.get(folder, ())):
                is_needed = entry.path in paths or entry.is_image
                if entry.session != name and is_needed and self._disk.file_at(entry.path) is not None:
                    problems[name] = self._conflict(entry.path, entry.session)
        return problems

    def _conflict(self, path: str, owner: str) -> str:
        """Return why a session cannot use a path, and what to do."""
        if self._destination.all_sessions and owner not in self._results:
            return (
                f"{path} is of session {owner}, which no longer exists. Delete the files of {owner} from the data set and run "
                "again, or give the session another label."
            )
        return f"{path} is of session {owner}, which is not exported now. Export both in one run."

    def _is_exported(self, entry: Entry) -> bool:
        return self._is_session_exported(entry.session)

    def _is_session_exported(self, session: str) -> bool:
        result = self._results.get(session)
        return result is not None and result.state is SessionOutcome.EXPORTED

    def _is_kept(self, entry: Entry) -> bool:
        """Return whether a recorded file that is not planned is kept.

        A file of a session is kept if the session is not exported in this run. A file that sessions share is kept if a file of a
        session below its folder is kept, or if the plans do not include all sessions.
        """
        if entry.session:
            return not self._is_exported(entry)
        folder = entry.path.rpartition("/")[0]
        below = (
            recorded
            for recorded in self._record.files.values()
            if recorded.session and recorded.path.startswith(f"{folder}/".lstrip("/"))
        )
        return not self._destination.all_sessions or any(map(self._is_kept, below))

    def _add(self, files: Iterable[PlannedFile]) -> None:
        for file in files:
            content, edited, rows = (
                self._merge(file, file.content) if isinstance(file.content, Table) else (file.content, False, {})
            )
            self._contents[file.path] = content
            entry = Entry(file.path, *_size_and_hash(content), **file.owner._asdict(), edited=edited, rows=rows)
            if self._destination.link is LinkMode.SYMLINK and isinstance(content, Source):
                entry = entry._replace(link=symbolic_target(content.path, self._destination.dataset / file.path))
            self._planned_entries[file.path] = entry

    def _merge(self, file: PlannedFile, ours: Table) -> tuple[bytes, bool, Cells]:
        """Return a table merged with the existing one, whether users edited the existing one, and the cells for the record."""
        path = file.path
        existing_file = self._disk.file_at(path)
        if existing_file is None or not existing_file.sha256:
            return ours.text().encode("utf-8", "backslashreplace"), False, cells_of(ours)
        entries = self._record.possible_entries(path)
        edited = any(entry.edited for entry in entries) or not any(existing_file.matches(entry) for entry in entries)
        text = read_text(self._destination.dataset / path)
        existing = read_table(text)
        if existing is None or ours.key_column not in existing.columns:
            return ours.text().encode("utf-8", "backslashreplace"), False, cells_of(ours)
        ours = self._without_partial_subjects(ours, existing)
        folder = path.rpartition("/")[0]

        def is_kept(name: str) -> bool:
            return self._is_row_kept(folder, ours.key_column, name, edited=edited)

        # the existing table, into which ours is merged, counts as written by an export, so that `planned_changes` replaces it
        # a row of the record replaces that of the journal
        previous = {name: row for entry in reversed(entries) for name, row in entry.rows.items()}
        existing_entry = Entry(path, existing_file.size, existing_file.sha256, edited=edited, rows=previous)
        self._record = replace(self._record, journal_files={**self._record.journal_files, path: existing_entry})
        if edited:
            merged, cells = self._merge_edited(file, ours, text, previous, is_kept)
            return merged.encode("utf-8", "surrogateescape"), True, cells
        cells = {name: row for name, row in previous.items() if is_kept(name)} | cells_of(ours)
        return merge_tables(existing, ours, is_kept).text().encode("utf-8", "backslashreplace"), False, cells

    def _merge_edited(
        self, file: PlannedFile, ours: Table, text: str, previous: Cells, is_kept: Callable[[str], bool]
    ) -> tuple[str, Cells]:
        """Return the text of an edited table with our new rows, and the cells for the record; warn of rows that no longer fit."""
        existing = read_table(text)
        assert existing is not None
        our_names, folder = cells_of(ours).keys(), file.path.rpartition("/")[0]
        rows = rows_with_edits(existing, ours.key_column, previous)
        for name in rows:
            if name in our_names and self._has_other_owner(folder, ours.key_column, name):
                owner = "image" if file.owner.session else "session"
                self._warn_of_edit(
                    file, name, f"its row {name} stays, but that is another {owner} now. Correct the row."
                )
        edited_rows = {name for name in rows if name not in our_names and not is_kept(name)}
        cells = {name: row for name, row in previous.items() if name in edited_rows or is_kept(name)} | cells_of(ours)
        for name in sorted(edited_rows):
            advice = "Copy what you added to another row, and delete this one."
            self._warn_of_edit(file, name, f"its row {name} stays, but that is no longer exported. {advice}")
        for stale in stale_cells(existing, ours, previous):
            cells[stale.row] = {**cells[stale.row], stale.column: previous[stale.row][stale.column]}
            value = f"{stale.column} of {stale.row} stays {stale.existing or 'empty'}, but it is now {stale.value}."
            self._warn_of_edit(file, stale.row, f"{value} Correct the row, or delete it and run again.")
        return merge_edited(text, existing.columns, ours, lambda name: name in edited_rows or is_kept(name)), cells

    def _without_partial_subjects(self, ours: Table, existing: Table) -> Table:
        """Return the table without existing rows of subjects some of whose sessions are not exported now.

        Age and sex of a subject are those of its first session, which may be among these.
        """
        if ours.key_column != PARTICIPANT:
            return ours
        names = {row.get(PARTICIPANT) for row in existing.rows}
        partial = {
            path.partition("/")[0]
            for path, entry in self._record.files.items()
            if entry.session and not self._is_exported(entry)
        }
        return ours._replace(rows=tuple(row for row in ours.rows if row[PARTICIPANT] not in names & partial))

    def _warn_of_edit(self, file: PlannedFile, row: str, text: str) -> None:
        """Add a warning to the session of an edited table, else to the first session of the subject of the row, or of all."""
        folders = (row, file.path.partition("/")[0])
        names = [file.owner.session] if file.owner.session else list(self._results)
        name = next((name for name in names if f"sub-{self._results[name].subject}" in folders), names[0])
        self._add_warning(name, f"{file.path} was edited, so {text}")

    def _add_warning(self, session: str, text: str) -> None:
        result = self._results[session]
        self._results[session] = result._replace(warnings=(*result.warnings, text))

    def _has_other_owner(self, folder: str, key: str, name: str) -> bool:
        """Return whether the file of a table row is of another image, or its folder only of other sessions, than before."""
        path = "/".join(filter(None, (folder, name)))
        if key == "filename":
            return is_of_other_image(self._planned_entries.get(path), self._record.files.get(path))
        before, after = self._sessions_by_folder
        kept = {session for session in before.get(path, ()) if not self._is_session_exported(session)}
        return path in before and before[path].isdisjoint(after.get(path, set()) | kept)

    @cached_property
    def _sessions_by_folder(self) -> tuple[Mapping[str, set[str]], Mapping[str, set[str]]]:
        """The sessions with files in each folder at the last export, and in this one; read after all sessions were added."""
        return sessions_by_folder(self._record.files.values()), sessions_by_folder(self._planned_entries.values())

    def _is_row_kept(self, folder: str, key: str, name: str, *, edited: bool) -> bool:
        """Return whether the file or folder of a table row will exist, or a user added the row."""
        path = "/".join(filter(None, (folder, name)))
        if path in self._planned_entries:
            return True
        entry = self._record.files.get(path)
        if key == "filename" and entry is not None:
            return self._is_kept(entry)
        if key != "filename" and any(recorded.path.startswith(f"{path}/") for recorded in self._record.files.values()):
            kept_paths = (
                *self._planned_entries,
                *(recorded.path for recorded in self._record.files.values() if self._is_kept(recorded)),
            )
            return any(kept_path.startswith(f"{path}/") for kept_path in kept_paths)
        return edited or os.path.lexists(self._destination.dataset / path)

    def _apply(self, changes: Sequence[Change]) -> Export:
        dataset, has_shifted_dates = self._destination.dataset, self._destination.options.shifts is not None
        to_write = [change for change in changes if change.action in (Action.ADD, Action.REPLACE)]
        removals = [change for change in changes if change.action is Action.REMOVE]
        if to_write or removals:
            journal_files = {
                **self._record.journal_files,
                **{change.path: change.entry for change in to_write if change.entry},
            }
            write_record(dataset / JOURNAL, journal_files.values(), {}, has_shifted_dates=has_shifted_dates)
        applier = Applier(self._disk, self._stamps, self._record, self._destination.link, self._was_replaced)
        applied = applier.applied
        try:
            applier.apply(changes, self._contents)
        finally:
            entries = entries_after(changes, lambda change: change.path in applied.paths, self._record)
            before = [entry for _path, entry in sorted(self._record.files.items())]
            exported = [name for name, each in self._results.items() if each.state is SessionOutcome.EXPORTED]
            folders = folders_after(entries, self._record, exported, dataset, self._destination.sessionsfolder)
            if (
                entries != before
                or folders != self._record.folders
                or self._record.has_shifted_dates != has_shifted_dates
                or not (dataset / RECORD).exists()
            ):
                write_record(dataset / RECORD, entries, folders, has_shifted_dates=has_shifted_dates)
        (dataset / JOURNAL).unlink(missing_ok=True)
        self.tables_have_failed_sessions = bool(applied.failed_sessions)
        return self._export_result(changes, applied.paths, applied.failed_sessions, applied.changed_during_run)

    def _was_replaced(self, session: str) -> bool:
        """Return whether an import replaced a session since it was read; False for files of no session, and sessions not read."""
        return session in self._plans and self._plans[session].session.was_replaced

    def _export_result(
        self,
        changes: Iterable[Change],
        applied_paths: set[str],
        failed: Mapping[str, str],
        changed_during_run: Iterable[str] = (),
    ) -> Export:
        """Return the results of the export; it writes nothing.

        `applied_paths` are the paths of the changes that were applied (with `test`, of all changes), `failed` has the problem of
        each session whose files could not be placed.
        """
        results = dict(self._results)
        for change, text in hard_link_warnings(changes, self._contents, self._record):
            result = results[change.session]
            results[change.session] = result._replace(warnings=(*result.warnings, text))
        for name, problem in failed.items():
            results[name] = results[name]._replace(state=SessionOutcome.FAILED, problems=(f"{problem}.",))
        final_changes = [
            change._replace(action=Action.EDITED) if change.path in changed_during_run else change for change in changes
        ]
        reported_changes = tuple(
            change
            for change in final_changes
            if change.path in applied_paths or change.action in (Action.EDITED, Action.FOREIGN)
        )
        return Export(tuple(results.values()), reported_changes)


def _size_and_hash(content: Content) -> tuple[int, str]:
    if isinstance(content, Source):
        return content.size, content.sha256
    from hashlib import sha256

    return len(content), sha256(content).hexdigest()


def _without_expected_edit(change: Change, editable_paths: set[str]) -> Change:
    """Return the change; an edit of a file that users are meant to edit counts as unchanged."""
    if change.path in editable_paths and change.action in (Action.EDITED, Action.FOREIGN):
        return change._replace(action=Action.UNCHANGED)
    return change
