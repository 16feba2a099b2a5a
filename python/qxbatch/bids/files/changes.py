"""The changes that bring a data set to its planned state. This module only compares.

A file is ours if its bytes, or the target of a link, are those of the record or of the journal of an interrupted run. All other
files belong to users and are not changed. A table that users edited is ours, but it is not removed, and is replaced only by a
table that was merged with it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from qxbatch.bids.files.dataset_folder import FileOnDisk
from qxbatch.bids.files.record import Record, RecordEntry
from qxbatch.bids.schema.image_path import SCANS_SUFFIX

FileAt = Callable[[str, Collection[RecordEntry]], FileOnDisk | None]
"""Returns what exists at a path, and whether it is the file of one of these entries (`DatasetFolder.file_at`)."""


class Action(StrEnum):
    """What the export does with a path."""

    ADD = "add"
    REPLACE = "replace"
    REMOVE = "remove"
    UNCHANGED = "unchanged"
    """The file is the planned one, or a kept one."""
    EDITED = "edited"
    """A user edited the file; it is not changed."""
    FOREIGN = "foreign"
    """The planned path has a file that no export wrote; it is not changed."""
    FORGET = "forget"
    """The file no longer exists; its entry in the record is removed."""


class Change(NamedTuple):
    """The change of one path."""

    path: str
    action: Action
    entry: RecordEntry | None
    """The entry in the record after the change; None if the record then has none."""
    session: str = ""
    """The id of the session of the file; empty for files that sessions share."""
    would_change: bool = False
    """Of an edited file: whether the export would write other content than the last time, or would remove the file."""
    is_of_other_image: bool = False
    """Of an edited file: whether it was written for another image than the one that has this path now."""


def planned_changes(
    planned: Mapping[str, RecordEntry],
    record: Record,
    file_at: FileAt,
    is_kept: Callable[[RecordEntry], bool],
) -> list[Change]:
    """Return the changes of planned files, then those of other files that exports wrote or may have written.

    `is_kept` returns whether a file of the record or of the journal that is not planned is kept.
    """
    changes = [
        _planned_change(entry, record, file_at(path, (entry, *record.possible_entries(path))))
        for path, entry in sorted(planned.items())
    ]
    unplanned_paths = sorted({*record.files, *record.journal_files} - set(planned))
    changes += [change for path in unplanned_paths if (change := _unplanned_change(path, record, file_at, is_kept))]
    return changes


def _planned_change(entry: RecordEntry, record: Record, existing: FileOnDisk | None) -> Change:
    """Return the change of a planned path. `entry` is that of the planned file, `existing` what exists at the path."""
    path, session = entry.path, entry.session
    if existing is None:
        return Change(path, Action.ADD, entry, session)
    is_link_of_export = any(
        recorded.link and recorded.link == existing.link for recorded in record.possible_entries(path)
    )
    # A link of the user to the same bytes (git-annex) is unchanged; a link that an export wrote becomes the planned file.
    if existing.matches(entry) and (entry.link or not is_link_of_export):
        return Change(path, Action.UNCHANGED, entry, session)
    matching = [recorded for recorded in record.possible_entries(path) if existing.matches(recorded)]
    # an edited table has values of users; only an entry that is edited, too, was merged with it
    if is_link_of_export or (matching and (entry.edited or not all(recorded.edited for recorded in matching))):
        return Change(path, Action.REPLACE, entry, session)
    last = record.files.get(path)
    if last is None:
        return Change(path, Action.FOREIGN, None, session)
    same = (last.sha256, last.size, last.link) == (entry.sha256, entry.size, entry.link)
    is_of_other_image = (last.session, last.image) != (entry.session, entry.image)
    # the scans.tsv says whose folder this is (`sessions_by_folder`), also if users edited it so that it is no table
    is_scans = path.endswith(SCANS_SUFFIX)
    after = last._replace(session=session, subject_name=entry.subject_name) if is_scans else last
    return Change(path, Action.EDITED, after, session, would_change=not same, is_of_other_image=is_of_other_image)


def _unplanned_change(
    path: str, record: Record, file_at: FileAt, is_kept: Callable[[RecordEntry], bool]
) -> Change | None:
    """Return the change of a path that is not planned.

    A file that an interrupted export wrote for a session that is not exported now is kept: the session may no longer have it.
    A kept file that sessions share gets the entry of the export that wrote it; with another entry it would count as edited.
    The result is None for a file of users at a path where only an interrupted export may have written.
    """
    entries = record.possible_entries(path)
    last = record.files.get(path)
    if last is not None and last.session and is_kept(last):
        return Change(path, Action.UNCHANGED, last, last.session)
    existing = file_at(path, entries)
    if last is not None and is_kept(last):
        written = (entry for entry in entries if existing is not None and existing.matches(entry))
        return Change(path, Action.UNCHANGED, next(written, last))
    if existing is None:
        return Change(path, Action.FORGET, None, entries[0].session)
    matching = [entry for entry in entries if existing.matches(entry)]
    kept = next(filter(is_kept, matching), None)
    if kept is not None:
        return Change(path, Action.UNCHANGED, kept, kept.session)
    if not all(entry.edited for entry in matching):
        return Change(path, Action.REMOVE, None, entries[0].session)
    return None if last is None else Change(path, Action.EDITED, last, last.session, would_change=True)


def entries_after(changes: Iterable[Change], is_applied: Callable[[Change], bool], record: Record) -> list[RecordEntry]:
    """Return the entries of the record after a run, sorted by path; `is_applied` returns whether a change was applied."""
    entries = {}
    for change in changes:
        entry = change.entry if is_applied(change) else record.files.get(change.path)
        if entry is not None:
            entries[change.path] = entry
    return [entry for _path, entry in sorted(entries.items())]
