"""What the files of an export will contain, and their entries in the record."""

from collections.abc import Iterable
from dataclasses import replace

from qxbatch.bids.files.dataset_folder import DatasetFolder
from qxbatch.bids.files.planned_files import ColumnDescriptions, Owner, PlannedFile
from qxbatch.bids.files.record import Record, RecordEntry
from qxbatch.bids.files.sources import Source
from qxbatch.bids.tables.rows import SESSIONS_SUFFIX, participants_json, sessions_table
from qxbatch.bids.tables.table_text import Cells, Table, cells_of, read_table
from qxbatch.bids.write.apply import Content
from qxbatch.bids.write.placing import LinkMode, symbolic_target
from qxbatch.bids.write.session_results import KeptFiles, SessionResults
from qxbatch.bids.write.table_merger import TableMerger


class PlannedContents:
    """The contents and entries of the files that were added, by path."""

    def __init__(
        self, dataset_folder: DatasetFolder, record: Record, link: LinkMode, results: SessionResults, kept: KeptFiles
    ) -> None:
        self.contents: dict[str, Content] = {}
        self.entries: dict[str, RecordEntry] = {}
        self.cells: dict[str, Cells] = {}
        """The cells that the sessions give for each table, by path; an edited table can have other ones."""
        self.record = record
        """The record. Existing tables that were merged are added to its `journal_files`, and so count as files of an export."""
        self.editable_paths: set[str] = set()
        """Files that users are meant to edit."""
        self._dataset, self._link = dataset_folder.path, link
        self._tables = TableMerger(dataset_folder, record, self.entries, self.cells, results, kept)

    def add(self, files: Iterable[PlannedFile]) -> None:
        """Add files. Raises OSError."""
        for file in files:
            content, entry = self._content_and_entry(file)
            if entry is None:
                continue
            if self._link is LinkMode.SYMLINK and isinstance(content, Source):
                entry = entry._replace(link=symbolic_target(content.path, self._dataset / file.path))
            self.contents[file.path], self.entries[file.path] = content, entry
            self.editable_paths |= {file.path} if file.is_editable else set()

    def add_tables_without_sessions(self) -> None:
        """Add the sessions.tsv of subjects without exported sessions, to remove rows of sessions that left. Raises OSError."""
        paths = sorted({*self.record.files, *self.record.journal_files} - self.cells.keys())
        self.add(
            PlannedFile(path, Owner(), sessions_table((), None)) for path in paths if path.endswith(SESSIONS_SUFFIX)
        )

    def _content_and_entry(self, file: PlannedFile) -> tuple[Content, RecordEntry | None]:
        """Return what a file will contain, and its entry in the record. A table is merged with the existing one.

        The entry is None if no session has a row in the table.
        """
        if not isinstance(file.content, Table):
            content = (
                self._description(file.content.table) if isinstance(file.content, ColumnDescriptions) else file.content
            )
            return content, RecordEntry(file.path, *_size_and_hash(content), **file.owner._asdict())
        self.cells[file.path] = cells_of(file.content)
        merged = self._tables.merge(file, file.content)
        if not merged.recorded_cells:
            return b"", None
        if merged.existing is not None:
            # even if it was edited: `planned_changes` replaces only files of an export
            earlier = self.record.journal_files.get(file.path, ())
            journal_files = {**self.record.journal_files, file.path: (merged.existing, *earlier)}
            self.record = replace(self.record, journal_files=journal_files)
        size_and_hash = _size_and_hash(merged.content)
        entry = RecordEntry(
            file.path, *size_and_hash, **file.owner._asdict(), edited=merged.is_edited, rows=merged.recorded_cells
        )
        return merged.content, entry

    def _description(self, path: str) -> bytes:
        """Return the description of the columns of a table, also of those that stay from earlier exports; not of users' columns."""
        content, entry = self.contents.get(path, b""), self.entries.get(path)
        table = read_table(content.decode("utf-8", "replace")) if isinstance(content, bytes) else None
        exported = {column for row in entry.rows.values() for column in row} if entry else set()
        return participants_json(column for column in (table.columns if table else ()) if column in exported)


def _size_and_hash(content: Content) -> tuple[int, str]:
    if isinstance(content, Source):
        return content.size, content.sha256
    from hashlib import sha256

    return len(content), sha256(content).hexdigest()
