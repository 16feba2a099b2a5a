"""The record in `code/qxbatch/` of the data set: the files that exports wrote, and the journal of a running or interrupted one."""

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from qxbatch.bids.schema.image_path import SCANS_SUFFIX
from qxbatch.bids.tables.table_text import ABSENT
from qxbatch.core import VERSION
from qxbatch.problems import UsageError
from qxbatch.publish.plain_files import entry_may_exist, read_plain
from qxbatch.session.json_fields import Fields
from qxbatch.session.layout import IMAGE_SUFFIX, QXBATCH_FOLDER

RECORD_FOLDER = f"code/{QXBATCH_FOLDER}"
RECORD = f"{RECORD_FOLDER}/export.json"
"""Path of the record, relative to the data set."""
JOURNAL = f"{RECORD_FOLDER}/journal.json"
"""Path of the journal: the files that an export will write.

It exists while an export changes files, and after an interrupted one.
"""
STAGING = f"{RECORD_FOLDER}/.staging"
"""Path of the folder into which new files are written, before they are renamed to their paths."""
MAX_BYTES = 1 << 28
"""Maximum bytes of a record or journal: about 1.3 million files, or the tables of a logfile with very long texts."""
SCHEMA = 1
"""Version of the format of record and journal."""


class RecordEntry(NamedTuple):
    """A file of the data set that an export wrote or will write, as in the record and the journal."""

    path: str
    """Relative to the data set."""
    size: int
    """In bytes."""
    sha256: str
    session: str = ""
    """Id of the session, which is the name of its folder; empty for files that sessions share."""
    image: int = 0
    """Number in the session; 0 for files of no image."""
    rule: str = ""
    """`as` of the rule; empty for files of no image."""
    subject_name: str = ""
    """Of a scans.tsv: the text that was reduced to the label of the subject; empty if the rule file contains the label."""
    link: str = ""
    """The target of a symbolic link, as written; empty for regular files."""
    edited: bool = False
    """Whether the file is a table that users edited."""
    rows: Mapping[str, Mapping[str, str]] = {}
    """Of a table: the cells that the sessions gave, by row and then by column."""

    @property
    def is_image(self) -> bool:
        """Return whether the file is an image, and not a file beside one."""
        return self.path.endswith(IMAGE_SUFFIX)


@dataclass(frozen=True)
class Record:
    """The files that exports wrote, and files that an interrupted export may have written."""

    files: Mapping[str, RecordEntry] = field(default_factory=dict)
    """The written files, by path."""
    journal_files: Mapping[str, tuple[RecordEntry, ...]] = field(default_factory=dict)
    """Entries of files that interrupted exports may have written, by path; at each path, those of the last export first."""
    has_shifted_dates: bool = False
    """Whether the dates in the data set are shifted."""
    sessionsfolders: Mapping[str, str] = field(default_factory=dict)
    """The sessions folder (not the session folder) from which each session was exported, by session id.

    Paths are relative to the data set. Empty in a record of an earlier version.
    """
    shift_table: str = ""
    """The table of shifts, relative to the data set; empty without shifted dates, and in a record of an earlier version."""

    def possible_entries(self, path: str) -> tuple[RecordEntry, ...]:
        """Return the entries of all files that exports wrote or may have written at a path, first that in `files`."""
        recorded = self.files.get(path)
        return (*(() if recorded is None else (recorded,)), *self.journal_files.get(path, ()))

    @property
    def interrupted_sessions(self) -> set[str]:
        """Return the sessions whose files an interrupted export may have written, or replaced by those of other sessions."""
        entries = [entry for path in self.journal_files for entry in self.possible_entries(path)]
        return {entry.session for entry in entries} - {""}


def read_record(dataset: Path) -> Record:
    """Return the record of a data set, with the journal of an interrupted export; empty if neither file exists.

    Raises UsageError if one of them is damaged or of a later version of qxbatch, and OSError.
    """
    record, journal = _read(dataset / RECORD), _read(dataset / JOURNAL)
    journal_files: dict[str, tuple[RecordEntry, ...]] = {}
    for entry in journal.entries:
        journal_files[entry.path] = (*journal_files.get(entry.path, ()), entry)
    return Record(
        {entry.path: entry for entry in record.entries},
        journal_files,
        record.has_shifted_dates or journal.has_shifted_dates,
        {**record.sessionsfolders, **journal.sessionsfolders},
        record.shift_table or journal.shift_table,
    )


class _Content(NamedTuple):
    """The content of a record or journal."""

    entries: Sequence[RecordEntry] = ()
    has_shifted_dates: bool = False
    sessionsfolders: Mapping[str, str] = {}
    shift_table: str = ""


def _read(path: Path) -> _Content:
    """Return the content of a record or journal; empty if the file does not exist. Raises UsageError and OSError."""
    text = read_plain(Path(os.path.realpath(path)), MAX_BYTES + 1)  # git-annex and DataLad replace the file by a link
    if text is None and os.path.lexists(path):
        hint = "Get it (`git annex get`), restore it, or move the data set away and export again."
        raise UsageError(f"The record of the export {path} cannot be read: it is not a file, or a link to none.", hint)
    if text is None:
        return _Content()
    hint = "Restore it, or move the data set away and export again."
    if len(text) > MAX_BYTES:
        raise UsageError(
            f"The record of the export {path} cannot be read: it has more than {MAX_BYTES >> 20} MiB.", hint
        )
    try:
        fields = Fields(json.loads(text))
        schema = fields.integer("schema")
        if schema > SCHEMA:
            raise UsageError(
                f"{path} has schema {schema}, this version of qxbatch reads up to {SCHEMA}.", "Update qxbatch."
            )
        return _content(fields)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The record of the export {path} cannot be read: {error}.", hint) from None


def _content(fields: Fields) -> _Content:
    """Return the content of a record or journal. Raises ValueError if it is damaged."""
    entries = [_entry(table) for table in fields.json_objects("files")]
    folders, shift_table = fields.texts_by_name("folders"), fields.text("shift_table", "")
    if any("\0" in name for name in (shift_table, *folders.values(), *(entry.session for entry in entries))):
        raise ValueError("a name in it has a null character")
    return _Content(entries, fields.flag("shifted", False), folders, shift_table)


def _entry(fields: Fields) -> RecordEntry:
    path = fields.text("path")
    if not {"", ".", ".."}.isdisjoint(path.split("/")) or "\0" in path:
        raise ValueError(f"the path {path!r} is not in the data set")
    return RecordEntry(
        path,
        fields.integer("size"),
        fields.text("sha256"),
        fields.text("session", ""),
        fields.integer("image") if "image" in fields else 0,
        fields.text("rule", ""),
        fields.text("subject_name", ""),
        fields.text("link", ""),
        fields.flag("edited", False),
        {name: rows.texts_by_name(name) for rows in [fields.json_object("rows")] for name in rows.keys()},  # noqa: SIM118 - no mapping
    )


def record_text(entries: Iterable[RecordEntry], sessionsfolders: Mapping[str, str], shift_table: str) -> str:
    """Return the JSON text of a record or a journal, with one entry in each line.

    Entries are sorted by path; those of one path keep their order.
    """
    sorted_entries = sorted(entries, key=lambda entry: entry.path)
    values = ({key: value for key, value in entry._asdict().items() if value} for entry in sorted_entries)
    files = ",\n".join(f"  {json.dumps({'size': 0, **value}, sort_keys=True)}" for value in values)
    head = f' "schema": {SCHEMA},\n "qxbatch": "{VERSION}",\n "shifted": {json.dumps(bool(shift_table))},\n'
    head += f' "shift_table": {json.dumps(shift_table)},\n' if shift_table else ""
    head += f' "folders": {json.dumps(sessionsfolders, sort_keys=True)},\n'
    return f'{{\n{head} "files": [\n{files}\n ]\n}}\n'


def refuse_long_record(text: str, path: Path) -> None:
    """Raise UsageError if a record or journal would be too long to be read again. It has only ASCII characters."""
    if len(text) > MAX_BYTES:
        hint = "Export to several data sets, or without --sourcedata or long columns of the logfile."
        raise UsageError(f"{path} would have more than {MAX_BYTES >> 20} MiB.", hint)


def recorded_folder(sessionsfolder: Path, dataset: Path) -> str:
    """Return the path of a sessions folder for the record, relative to the data set.

    Links in the path are resolved, since they can lead to another study later.
    """
    return os.path.relpath(os.path.realpath(sessionsfolder), dataset)


def sessionsfolders_after(
    entries: Iterable[RecordEntry],
    record: Record,
    exported_sessions: Collection[str],
    dataset: Path,
    sessionsfolder: Path,
) -> dict[str, str]:
    """Return the sessions folder of each session with files in the data set, relative to the data set, after an export.

    Sessions whose folder is not known are omitted.
    """
    here = recorded_folder(sessionsfolder, dataset)
    names = {entry.session for entry in entries} - {""}
    sessionsfolders = {name: here if name in exported_sessions else record.sessionsfolders.get(name) for name in names}
    return {name: folder for name, folder in sessionsfolders.items() if folder is not None}


def is_of_other_image(entry: RecordEntry | None, last: RecordEntry | None) -> bool:
    """Return whether a planned file is of another image than the one that was written at its path; False if one is None."""
    return entry is not None and last is not None and (entry.session, entry.image) != (last.session, last.image)


def sessions_by_folder(entries: Iterable[RecordEntry]) -> dict[str, set[str]]:
    """Return, for each folder of the data set, the sessions whose scans.tsv is in it or in a folder below it.

    Other files are not used: an edited file stays in a folder, and in the record with the session for which it was written.
    """
    sessions: dict[str, set[str]] = {}
    for entry in entries:
        for folder in PurePosixPath(entry.path).parents if entry.path.endswith(SCANS_SUFFIX) else ():
            sessions.setdefault(str(folder), set()).add(entry.session)
    return sessions


def parent_folders(path: str) -> Iterator[str]:
    """Yield the folders of the data set that contain a file; the last one is the data set, whose path is empty."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def subject_or_session_folder(path: str) -> str:
    """Return the folder of the session in which a file is, else that of the subject; the path itself if it is in neither."""
    parts = PurePosixPath(path).parts
    start = next((k for k, part in enumerate(parts) if part.startswith("sub-")), len(parts))
    end = start + 2 if parts[start + 1 : start + 2] and parts[start + 1].startswith("ses-") else start + 1
    return "/".join(parts[:end])


def subject_folder(path: str) -> str:
    """Return the name of the folder of the subject in which a file is, also in sourcedata; empty if it is in none."""
    return next((part for part in PurePosixPath(path).parts if part.startswith("sub-")), "")


def subjects_with_times(dataset: Path, record: Record) -> set[str]:
    """Return the labels of the subjects with acquisition times in a scans.tsv of the data set. Others may have no date shift."""
    paths = {*record.files, *record.journal_files}
    tables = (entry for path in paths if path.endswith(SCANS_SUFFIX) for entry in record.possible_entries(path))
    return {
        entry.path.partition("/")[0].removeprefix("sub-")
        for entry in tables
        if any(cells.get("acq_time", ABSENT) != ABSENT for cells in entry.rows.values())
        and entry_may_exist(dataset / entry.path)
    }
