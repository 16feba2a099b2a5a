"""Merges the tables of an export with the existing ones of the data set."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from qxbatch.bids.files.dataset_folder import DatasetFolder
from qxbatch.bids.files.planned_files import PlannedFile
from qxbatch.bids.files.record import Record, RecordEntry, is_of_other_image, parent_folders, sessions_by_folder
from qxbatch.bids.tables.rows import PARTICIPANTS_TSV
from qxbatch.bids.tables.table_text import (
    ABSENT,
    PARTICIPANT_ID,
    Cells,
    Table,
    cells_of,
    merge_edited,
    merge_tables,
    read_table,
    rows_with_edits,
    stale_cells,
)
from qxbatch.bids.write.session_results import KeptFiles, SessionResults
from qxbatch.publish.plain_files import entry_may_exist
from qxbatch.textfile import read_text


class MergedTable(NamedTuple):
    """A table as the export will write it."""

    content: bytes
    recorded_cells: Cells
    """The cells that the sessions gave, for the record."""
    is_edited: bool = False
    """Whether users edited the existing table."""
    existing: RecordEntry | None = None
    """The entry of the existing table; None if there is none, or if it is not a table of this kind."""


class _Marks(NamedTuple):
    """What tells the imports of a session apart."""

    times: set[str]
    """Times of its images; empty if none is known."""
    images: set[str]
    """SHA-256 of its images."""

    def has_common(self, other: "_Marks") -> bool:
        """Return whether both can be of one import: they have a time in common or, if this one has no time, an image."""
        return not (self.times.isdisjoint(other.times) if self.times else self.images.isdisjoint(other.images))


class TableMerger:
    """Merges tables with those that exist in a data set."""

    def __init__(
        self,
        dataset_folder: DatasetFolder,
        record: Record,
        planned_entries: Mapping[str, RecordEntry],
        session_cells: Mapping[str, Cells],
        results: SessionResults,
        kept: KeptFiles,
    ) -> None:
        """`session_cells` are those that the sessions give for each planned table; an edited table can have other ones.

        Both they and `planned_entries` grow during the export: a table is merged after the files that its rows name were added.
        """
        self._dataset_folder, self._record, self._planned_entries = dataset_folder, record, planned_entries
        self._session_cells = session_cells
        self._results, self._kept = results, kept

    def merge(self, file: PlannedFile, ours: Table) -> MergedTable:
        """Return `ours`, the table of a planned file, merged with the existing one. Raises OSError."""
        path = file.path
        existing_file = self._dataset_folder.file_at(path)
        if existing_file is None or not existing_file.sha256:
            return _unmerged(ours)
        entries = self._record.possible_entries(path)
        edited = any(entry.edited for entry in entries) or not any(existing_file.matches(entry) for entry in entries)
        text = read_text(self._dataset_folder.path / path)
        existing = read_table(text)
        if existing is None or ours.key_column not in existing.columns:
            return _unmerged(ours)
        previous = _rows([entry.rows for entry in entries])
        ours = self._without_partial_subjects(ours, existing, previous)
        folder = path.rpartition("/")[0]

        def is_kept(name: str) -> bool:
            return self._is_row_kept(folder, ours.key_column, name, of_user=edited and name not in previous)

        existing_entry = RecordEntry(path, existing_file.size, existing_file.sha256, edited=edited, rows=previous)
        if edited:
            merged, cells = self._merge_edited(file, ours, text, [entry.rows for entry in entries], is_kept)
            return MergedTable(merged.encode("utf-8", "surrogateescape"), cells, True, existing_entry)
        cells = {name: row for name, row in previous.items() if is_kept(name)} | cells_of(ours)
        return MergedTable(_bytes(merge_tables(existing, ours, is_kept)), cells, False, existing_entry)

    def _merge_edited(
        self, file: PlannedFile, ours: Table, text: str, earlier: Sequence[Cells], is_kept: Callable[[str], bool]
    ) -> tuple[str, Cells]:
        """Return the text of an edited table with our new rows, and the cells for the record; warn of rows that no longer fit.

        `earlier` are the cells of the record, and of the journal of an interrupted export.
        """
        previous = _rows(earlier)
        existing = read_table(text)
        assert existing is not None
        our_names = cells_of(ours).keys()
        rows = rows_with_edits(existing, ours.key_column, previous)
        for name in rows:
            if name in our_names and (change := self._change_of_owner(file, ours.key_column, name)):
                self._warn_of_edit(file, name, f"its row {name} stays, but that {change}. Correct the row.")
        edited_rows = {name for name in rows if name not in our_names and not is_kept(name)}
        cells = {name: row for name, row in previous.items() if name in edited_rows or is_kept(name)} | cells_of(ours)
        for name in sorted(edited_rows):
            advice = "Copy what you added to another row, and delete this one."
            self._warn_of_edit(file, name, f"its row {name} stays, but that is no longer exported. {advice}")
        for stale in stale_cells(existing, ours, earlier):
            cells[stale.row] = {**cells[stale.row], stale.column: stale.previous}
            value = f"{stale.column} of {stale.row} stays {stale.existing or 'empty'}, but it is now {stale.value}."
            self._warn_of_edit(file, stale.row, f"{value} Correct the row, or delete it and run again.")
        return merge_edited(text, existing.columns, ours, lambda name: name in edited_rows or is_kept(name)), cells

    def _without_partial_subjects(self, ours: Table, existing: Table, previous: Cells) -> Table:
        """Return our table without the subjects that have both a row in the existing one and a session that is not exported now.

        Age and sex are those of the first session of a subject, which may be the one that is not exported. Tables other than
        participants.tsv are returned unchanged. If the existing row of such a subject has other values than ours, the changed
        sessions of the subject get a warning. `previous` are the cells of earlier exports.
        """
        if ours.key_column != PARTICIPANT_ID:
            return ours
        existing_rows = {row.get(PARTICIPANT_ID, ""): row for row in existing.rows}
        our_rows = cells_of(ours)
        partial = {entry.path.partition("/")[0] for entry in self._other_entries if entry.is_image}
        for name in sorted(partial & existing_rows.keys() & previous.keys()):
            cells = our_rows.get(name, dict.fromkeys(previous[name], ABSENT))
            if any(
                existing_rows[name].get(column, value) not in ("", ABSENT, value) for column, value in cells.items()
            ):
                self._warn_of_changed_sessions(name)
        return ours._replace(
            rows=tuple(row for row in ours.rows if row[PARTICIPANT_ID] not in existing_rows.keys() & partial)
        )

    def _warn_of_changed_sessions(self, subject: str) -> None:
        """Add a warning to each changed session of a subject: the row of the subject can have former values of the session."""
        for session in self._changed_sessions.get(subject, ()):
            text = f"{PARTICIPANTS_TSV}: the row {subject} can have values that this session gave at the last export."
            advice = f"Export the other sessions of {subject}, too, or correct the row."
            self._results.warn(
                session,
                f"{text} The session was imported again since then, has another label, or no exported image. {advice}",
            )

    @cached_property
    def _changed_sessions(self) -> Mapping[str, Sequence[str]]:
        """By folder of the subject: the sessions of earlier exports that left the subject, or have images of another import now.

        Only sessions that this run exports are among them.
        """
        now = _marks(self._planned_entries.values(), self._session_cells)
        interrupted = (entry for entries in self._record.journal_files.values() for entry in entries)
        changed: dict[str, dict[str, None]] = {}
        for last in (_marks(self._record.files.values()), _marks(interrupted)):
            for (subject, session), marks in last.items():
                after = now.get((subject, session), _Marks(set(), set()))
                if self._results.is_exported(session) and not marks.has_common(after):
                    changed.setdefault(subject, {})[session] = None
        return {subject: list(sessions) for subject, sessions in changed.items()}

    def _warn_of_edit(self, file: PlannedFile, row: str, text: str) -> None:
        """Add a warning to the session of an edited table, else to the first session of the subject of the row, or of all."""
        warning = f"{file.path} was edited, so {text}"
        if file.owner.session:
            self._results.warn(file.owner.session, warning)
        else:
            self._results.warn_subject((row, file.path.partition("/")[0]), warning)

    def _change_of_owner(self, file: PlannedFile, key: str, name: str) -> str:
        """Return how the image or the sessions of a row changed since it was written; empty if they did not.

        `file` is the table, `key` its key column, and `name` names the row. A row that the last export kept, since users edited it,
        can have had no image or session.
        """
        path = "/".join(filter(None, (file.path.rpartition("/")[0], name)))
        last_table = self._record.files.get(file.path)
        was_written = last_table is not None and name in last_table.rows
        if key == "filename":
            last, planned = self._record.files.get(path), self._planned_entries.get(path)
            interrupted_entries = filter(self._is_exported, self._record.journal_files.get(path, ()))
            if any(is_of_other_image(planned, entry) for entry in (last, *interrupted_entries)):
                return "is another image now"
            return "had no image at the last export" if was_written and last is None else ""
        before, interrupted, after = (each.get(path, set()) for each in self._sessions_by_folder)
        if (before and before.isdisjoint(after)) or interrupted - after:
            return "is another session now"
        return "had no session at the last export" if was_written and not before else ""

    def _is_exported(self, entry: RecordEntry) -> bool:
        return self._results.is_exported(entry.session)

    @cached_property
    def _sessions_by_folder(self) -> tuple[Mapping[str, set[str]], ...]:
        """The sessions of each folder at the last export, of interrupted ones, and after this one.

        It has to be read after all sessions were added.
        """
        journal = (entry for each in self._record.journal_files.values() for entry in each)
        interrupted = filter(self._is_exported, journal)
        after = (*self._planned_entries.values(), *self._other_entries)
        return tuple(map(sessions_by_folder, (self._record.files.values(), interrupted, after)))

    @cached_property
    def _other_entries(self) -> Sequence[RecordEntry]:
        """The existing files of sessions that this run does not export. Files that a user deleted are not among them."""
        return [
            entry
            for path, entry in self._record.files.items()
            if entry.session
            and not self._results.is_exported(entry.session)
            and entry_may_exist(self._dataset_folder.path / path)
        ]

    @cached_property
    def _recorded_folders(self) -> set[str]:
        """The folders with files of the last export."""
        return {folder for path in self._record.files for folder in parent_folders(path)} - {""}

    @cached_property
    def _folders_after(self) -> set[str]:
        """The folders with planned or kept files. It has to be read after all sessions were added."""
        kept = (path for path, entry in self._record.files.items() if self._kept.is_kept(entry))
        return {folder for path in (*self._planned_entries, *kept) for folder in parent_folders(path)} - {""}

    def _is_row_kept(self, folder: str, key: str, name: str, *, of_user: bool) -> bool:
        """Return whether a row that this export does not write stays: its file or folder will exist.

        `folder` is that of the table, `key` its key column, and `name` names the row. `of_user` is whether no export wrote the row;
        such a row also stays if no export wrote its file or folder.
        """
        path = "/".join(filter(None, (folder, name)))
        if path in self._planned_entries:
            return True
        entry = self._record.files.get(path)
        if key == "filename" and entry is not None:
            return self._kept.is_kept(entry)
        interrupted = self._record.journal_files.get(path, ())
        existing = self._dataset_folder.file_at(path, interrupted) if interrupted else None
        if existing and any(map(existing.matches, interrupted)):
            return False  # only an interrupted export wrote the image, and this export removes it
        if key != "filename" and path in self._recorded_folders:
            return path in self._folders_after
        return of_user or entry_may_exist(self._dataset_folder.path / path)


def _rows(earlier: Sequence[Cells]) -> Cells:
    """Return the rows of earlier exports; a row of the record replaces that of the journal."""
    return {name: row for cells in reversed(earlier) for name, row in cells.items()}


def _marks(
    entries: Iterable[RecordEntry], session_cells: Mapping[str, Cells] = MappingProxyType({})
) -> dict[tuple[str, str], _Marks]:
    """Return what tells imports apart, for each subject and session id with images.

    The times are those of the table in `session_cells`; if the table is not there, those in the rows of its entry.
    """
    marks: dict[tuple[str, str], _Marks] = {}
    for entry in entries:
        if entry.session and (entry.is_image or entry.rows):  # an image, or the scans.tsv
            of_session = marks.setdefault((entry.path.partition("/")[0], entry.session), _Marks(set(), set()))
            of_session.images.update({entry.sha256} if entry.is_image else ())
            rows = session_cells.get(entry.path, entry.rows).values()
            of_session.times.update(row["acq_time"] for row in rows if row.get("acq_time", ABSENT) != ABSENT)
    return marks


def _unmerged(table: Table) -> MergedTable:
    return MergedTable(_bytes(table), cells_of(table))


def _bytes(table: Table) -> bytes:
    return table.text().encode("utf-8", "backslashreplace")
