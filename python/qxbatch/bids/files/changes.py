"""What has to be done so that the data set is as wanted. Pure: it compares, and changes nothing.

A file is ours where its bytes are those of the record, or of the journal of a run that was interrupted. All other files are
of people, and are left alone.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from qxbatch.bids.files.disk import Found
from qxbatch.bids.files.record import Entry, Record


class Action(StrEnum):
    """What is done with a path."""

    ADD = "add"
    REPLACE = "replace"
    REMOVE = "remove"
    UNCHANGED = "unchanged"
    EDITED = "edited"
    """Somebody edited it; it is left alone."""
    FOREIGN = "foreign"
    """Somebody else's file has the name; it is left alone."""
    FORGET = "forget"
    """It is in the record alone."""


class Change(NamedTuple):
    """What is done with one path."""

    path: str
    action: Action
    entry: Entry | None
    """What the record has afterwards."""
    session: str = ""
    differs: bool = False
    """Of an edited file: the export would write something else than it wrote last."""
    other_image: bool = False
    """Of an edited file: it was written for another image than the one that has its place now."""


def compare(
    wanted: Mapping[str, Entry],
    record: Record,
    look: Callable[[str], Found | None],
    stays: Callable[[Entry], bool],
) -> list[Change]:
    """Return the changes, by path. `stays` says of a recorded file that is not wanted whether this run leaves it alone."""
    changes = [_wanted(entry, record, look(path)) for path, entry in sorted(wanted.items())]
    known = sorted({*record.files, *record.begun} - set(wanted))
    changes += [change for path in known if (change := _unwanted(path, record, look, stays))]
    return changes


def _wanted(entry: Entry, record: Record, found: Found | None) -> Change:
    path, session = entry.path, entry.session
    if found is None:
        return Change(path, Action.ADD, entry, session)
    placed_as_link = any(written.link and written.link == found.link for written in record.ours(path))
    if found.is_of(entry) and (entry.link or not placed_as_link):
        return Change(path, Action.UNCHANGED, entry, session)
    if placed_as_link or any(found.is_of(written) for written in record.ours(path)):
        return Change(path, Action.REPLACE, entry, session)
    last = record.files.get(path)
    if last is None:
        return Change(path, Action.FOREIGN, None, session)
    same = (last.sha256, last.size, last.link) == (entry.sha256, entry.size, entry.link)
    other_image = (last.session, last.image) != (entry.session, entry.image)
    return Change(path, Action.EDITED, last, session, differs=not same, other_image=other_image)


def _unwanted(
    path: str, record: Record, look: Callable[[str], Found | None], stays: Callable[[Entry], bool]
) -> Change | None:
    entries = record.ours(path)
    last = record.files.get(path)
    if last is not None and stays(last):
        return Change(path, Action.UNCHANGED, last, last.session)
    found = look(path)
    if found is None:
        return Change(path, Action.FORGET, None, entries[0].session)
    if any(found.is_of(entry) and not entry.edited for entry in entries):
        return Change(path, Action.REMOVE, None, entries[0].session)
    return None if last is None else Change(path, Action.EDITED, last, last.session, differs=True)


def records_after(changes: Iterable[Change], done: Callable[[Change], bool], record: Record) -> list[Entry]:
    """Return the entries of the record after a run in which `done` tells which changes were made."""
    entries = {}
    for change in changes:
        entry = change.entry if done(change) else record.files.get(change.path)
        if entry is not None:
            entries[change.path] = entry
    return [entry for _path, entry in sorted(entries.items())]
