"""Sessions that need a path of the data set which is of another session."""

from collections.abc import Iterator, Mapping, Sequence

from qxbatch.bids.files.disk import Disk
from qxbatch.bids.files.planned_files import SOURCEDATA, PlannedFile
from qxbatch.bids.files.record import Entry, Record, subject_or_session_folder
from qxbatch.bids.write.session_results import SessionResults


class PathConflicts:
    """Finds sessions that this run exports to paths of sessions that it does not export."""

    def __init__(self, record: Record, disk: Disk, results: SessionResults, *, includes_all_sessions: bool) -> None:
        """`includes_all_sessions` is whether the plans include all sessions of the study."""
        self._record, self._disk, self._results, self._includes_all_sessions = (
            record,
            disk,
            results,
            includes_all_sessions,
        )

    def problems(self, files_by_session: Mapping[str, Sequence[PlannedFile]]) -> Iterator[tuple[str, str]]:
        """Yield each session with such a conflict, and its problem.

        It is a conflict, too, if the folder of a session, or that of its DICOM, has images or DICOM of another session: an
        interrupted export may have left them, or a user may have deleted only the images.
        """
        others: dict[str, list[Entry]] = {}
        for entry in (*self._record.files.values(), *self._interrupted_files()):
            if entry.session and not self._results.is_exported(entry.session):
                others.setdefault(subject_or_session_folder(entry.path), []).append(entry)
        for name, files in files_by_session.items():
            paths = {file.path for file in files}
            folders = set(map(subject_or_session_folder, paths))
            folders |= {f"{SOURCEDATA}/{folder}" for folder in folders}
            for entry in (entry for folder in sorted(folders) for entry in others.get(folder, ())):
                is_needed = entry.path in paths or entry.is_image or entry.path.startswith(f"{SOURCEDATA}/")
                if entry.session != name and is_needed and self._disk.file_at(entry.path) is not None:
                    yield name, self._problem(entry.path, entry.session)
                    break

    def _interrupted_files(self) -> Iterator[Entry]:
        """Yield the entries of existing files that interrupted exports wrote."""
        for path, entries in self._record.journal_files.items():
            existing = self._disk.file_at(path)
            yield from (entry for entry in entries if existing is not None and existing.matches(entry))

    def _problem(self, path: str, owner: str) -> str:
        """Return why a session cannot use a path, and what to do."""
        if self._includes_all_sessions and owner not in self._results:
            return (
                f"{path} is of session {owner}, which no longer exists. Delete the files of {owner} from the data set and run "
                "again, or give the session another label."
            )
        return f"{path} is of session {owner}, which is not exported now. Export both in one run."
