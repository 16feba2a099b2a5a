"""An export: brings the files of a data set to the planned state of its sessions."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from qxbatch.bids.files.changes import Action, Change, entries_after, planned_changes
from qxbatch.bids.files.dataset_folder import DatasetFolder
from qxbatch.bids.files.export_cache import ExportCache
from qxbatch.bids.files.planned_files import PlannedFile
from qxbatch.bids.files.record import RECORD, Record, record_text, refuse_long_record, sessionsfolders_after
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.write.apply import Applier
from qxbatch.bids.write.export_options import ExportOptions
from qxbatch.bids.write.exportable_sessions import ExportableSessions
from qxbatch.bids.write.journal import Journal
from qxbatch.bids.write.messages import hard_link_warnings, user_file_warnings
from qxbatch.bids.write.planned_contents import PlannedContents
from qxbatch.bids.write.result import ExportResult, SessionOutcome
from qxbatch.bids.write.session_results import KeptFiles, SessionResults

SharedFilesOf = Callable[[Sequence[ExportPlan]], Iterable[PlannedFile]]
"""Returns the files that the exported sessions share."""


class Exporter:
    """Compares a data set with the planned files and changes it. The caller has locked the data set, unless `test` is set."""

    def __init__(
        self, options: ExportOptions, dataset_folder: DatasetFolder, record: Record, cache: ExportCache
    ) -> None:
        self._options, self._record, self._cache = options, record, cache
        self._last_record = record
        """The record as read. In `_record`, the `journal_files` also have the existing tables that were merged (`_changes`)."""
        self._dataset_folder = dataset_folder
        self._results = SessionResults()
        self._kept = KeptFiles(record, self._results)
        self._planned = PlannedContents(self._dataset_folder, record, options.link_mode, self._results, self._kept)
        self._plans: dict[str, ExportPlan] = {}
        self.tables_have_failed_sessions = False
        """Whether shared tables have rows of a session whose files then could not be placed. Then no shared file was written."""

    def export(self, plans: Sequence[ExportPlan], shared_files_of: SharedFilesOf) -> ExportResult:
        """Export sessions, and the files that the exported sessions share (`shared_files_of`).

        Raises LinkRefusedError, and OSError where the data set cannot be written.
        """
        self._plans = {plan.session.id: plan for plan in plans}
        sessions = ExportableSessions(self._options, self._record, self._dataset_folder, self._cache, self._results)
        files_by_session = sessions.files(plans)
        for files in files_by_session.values():
            self._planned.add(files)
        self._planned.add(shared_files_of([plan for plan in plans if plan.session.id in files_by_session]))
        self._planned.add_tables_without_sessions()
        changes = self._changes()
        if self._options.test:
            return self._export_result(changes, {change.path for change in changes}, failed={})
        return self._apply(changes)

    def _changes(self) -> list[Change]:
        """Return the changes of the data set. Add warnings about files of users that may belong to another image than before."""
        planned = self._planned
        self._record = planned.record
        for name, warning in user_file_warnings(
            planned.entries, planned.cells, self._record, self._dataset_folder, self._kept.is_kept
        ):
            self._results.warn(name, warning)
        changes = planned_changes(planned.entries, self._record, self._dataset_folder.file_at, self._kept.is_kept)
        return [_without_expected_edit(change, planned.editable_paths) for change in changes]

    def _apply(self, changes: Sequence[Change]) -> ExportResult:
        """Write the journal, apply the changes, and write the record, also if applying them fails; return the results."""
        dataset, shift_table = self._options.dataset, self._options.shift_table
        journal = Journal(self._dataset_folder, self._last_record, self._options.sessionsfolder, shift_table)
        to_write = [change for change in changes if change.action in (Action.ADD, Action.REPLACE)]
        removals = [change for change in changes if change.action is Action.REMOVE]
        if to_write or removals:
            self._refuse_long_record(changes)
            journal.begin(to_write, self._record)
        applier = Applier(self._dataset_folder, self._cache, self._record, self._options.link_mode, self._was_replaced)
        applied = applier.applied
        try:
            applier.apply(changes, self._planned.contents)
        finally:
            entries = entries_after(changes, lambda change: change.path in applied.paths, self._record)
            before = [entry for _path, entry in sorted(self._record.files.items())]
            folders = sessionsfolders_after(
                entries, self._record, self._results.exported(), dataset, self._options.sessionsfolder
            )
            if (
                entries != before
                or folders != self._record.sessionsfolders
                or self._record.shift_table != shift_table
                or self._last_record.journal_files  # the folders and table of shifts of the journal are not in the record
                or not (dataset / RECORD).exists()
            ):
                self._dataset_folder.replace_text(RECORD, record_text(entries, folders, shift_table))
        exported = set(self._results.exported()) - applied.failed_sessions.keys()
        journal.end(exported, self._results)
        self.tables_have_failed_sessions = bool(applied.failed_sessions)
        return self._export_result(changes, applied.paths, applied.failed_sessions, applied.changed_during_run)

    def _refuse_long_record(self, changes: Sequence[Change]) -> None:
        """Raise UsageError if the record would be too long to be read again, before the export changes a file."""
        entries = entries_after(changes, lambda _change: True, self._record)
        text = record_text(entries, self._record.sessionsfolders, self._options.shift_table)
        refuse_long_record(text, self._options.dataset / RECORD)

    def _was_replaced(self, session: str) -> bool:
        """Return whether an import replaced a session since it was read; False for sessions that are not exported."""
        return self._results.is_exported(session) and self._plans[session].session.was_replaced

    def _export_result(
        self,
        changes: Iterable[Change],
        applied_paths: set[str],
        failed: Mapping[str, str],
        changed_during_run: Iterable[str] = (),
    ) -> ExportResult:
        """Return the results of the export.

        `applied_paths` are the paths of the changes that were applied (with `test`, of all changes), `failed` has the problem of
        each session whose files could not be placed.
        """
        for change, text in hard_link_warnings(changes, self._planned.contents, self._record):
            self._results.warn(change.session, text)
        for name, problem in failed.items():
            self._results.set_not_exported(name, SessionOutcome.FAILED, [f"{problem}."])
        final_changes = [
            change._replace(action=Action.EDITED) if change.path in changed_during_run else change for change in changes
        ]
        reported_changes = tuple(
            change
            for change in final_changes
            if change.path in applied_paths or change.action in (Action.EDITED, Action.FOREIGN)
        )
        return ExportResult(self._results.final(), reported_changes)


def _without_expected_edit(change: Change, editable_paths: set[str]) -> Change:
    """Return the change; an edit of a file that users are meant to edit counts as unchanged."""
    if change.path in editable_paths and change.action in (Action.EDITED, Action.FOREIGN):
        return change._replace(action=Action.UNCHANGED)
    return change
