"""The journal of an export: the files that it will write, and what is left of interrupted exports.

An interrupted export can leave old and new files of a session side by side, or files of two sessions after an exchange of labels.
So the next export has to include all sessions of the journal. The entries of a session that it cannot export stay in the journal.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from qxbatch.bids.files.changes import Action, Change
from qxbatch.bids.files.dataset_folder import DatasetFolder
from qxbatch.bids.files.record import JOURNAL, Record, RecordEntry, record_text, recorded_folder, refuse_long_record
from qxbatch.bids.write.session_results import SessionResults
from qxbatch.problems import UsageError
from qxbatch.publish.plain_files import entry_may_exist


class Journal:
    """The journal of one data set."""

    def __init__(self, dataset_folder: DatasetFolder, record: Record, sessionsfolder: Path, shift_table: str) -> None:
        """`record` has what interrupted exports left, before anything is added to it."""
        self._dataset_folder, self._record, self._shift_table = dataset_folder, record, shift_table
        self._sessionsfolder = recorded_folder(sessionsfolder, dataset_folder.path)

    def begin(self, changes: Iterable[Change], record: Record) -> None:
        """Write the entries of files that will be written, and those of `record.journal_files` that can still be on disk.

        `record` can have more journal files than the record of `__init__`: the existing tables that were merged.
        Raises OSError, and UsageError if they are too many.
        """
        planned = {
            change.path: change.entry
            for change in changes
            if change.entry is not None and change.action in (Action.ADD, Action.REPLACE)
        }
        earlier = [
            entry
            for path, entries in record.journal_files.items()
            for entry in entries
            if path not in planned or self._is_on_disk(entry)
        ]
        sessions = {entry.session for entry in planned.values()} - {""}
        folders = {**self._record.sessionsfolders, **dict.fromkeys(sessions, self._sessionsfolder)}
        text = record_text([*planned.values(), *earlier], folders, self._shift_table)
        refuse_long_record(text, self._dataset_folder.path / JOURNAL)
        self._dataset_folder.replace_text(JOURNAL, text)

    def end(self, exported: Collection[str], results: SessionResults) -> None:
        """Remove the journal, but keep entries of interrupted sessions that are not exported now; warn of these sessions.

        Raises OSError.
        """
        unfinished = unfinished_sessions(self._dataset_folder.path, self._record, exported)
        if not unfinished:
            self._dataset_folder.remove(JOURNAL)
            return
        entries_of_unfinished = (
            entry
            for path, entries in self._record.journal_files.items()
            for entry in entries
            if not set(unfinished).isdisjoint(each.session for each in self._record.possible_entries(path))
        )
        self._write(entries_of_unfinished, self._record.sessionsfolders)
        for session in unfinished:
            text = (
                f"session {session} is not exported now. An interrupted export may have left old and new files of it."
            )
            advice = f"Export it, or delete the files of {session} from the data set and run again."
            results.warn_session_or_first(session, f"{text} {advice}")

    def _is_on_disk(self, entry: RecordEntry) -> bool:
        existing = self._dataset_folder.file_at(entry.path, [entry])
        return existing is not None and existing.matches(entry)

    def _write(self, entries: Iterable[RecordEntry], folders: Mapping[str, str]) -> None:
        self._dataset_folder.replace_text(JOURNAL, record_text(entries, folders, self._shift_table))


def unfinished_sessions(dataset: Path, record: Record, exported: Collection[str]) -> list[str]:
    """Return the interrupted sessions that have files in the data set and are not exported now, in order of their ids."""
    return sorted(
        session
        for session in record.interrupted_sessions - set(exported)
        if any(entry_may_exist(dataset / path) for path in _paths(session, record))
    )


def _paths(session: str, record: Record) -> Iterator[str]:
    """Yield the paths at which exports wrote, or may have written, files of a session; some twice."""
    for path in (*record.files, *record.journal_files):
        if any(entry.session == session for entry in record.possible_entries(path)):
            yield path


def refuse_omitted_interrupted_sessions(dataset: Path, record: Record, sessions: Sequence[str]) -> None:
    """Raise UsageError if an interrupted export had a session that has files in the data set and whose id is not in `sessions`."""
    unfinished = unfinished_sessions(dataset, record, sessions)
    if unfinished:
        count = f" and {len(unfinished) - 1} more" if len(unfinished) > 1 else ""
        raise UsageError(
            f"An export to {dataset} was interrupted. It had session {unfinished[0]}{count}, which this run omits.",
            "Run again with all sessions to complete it.",
        )
