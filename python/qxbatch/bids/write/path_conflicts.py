"""Sessions that need a path or a folder of the data set which is of another session."""

from collections.abc import Iterator, Mapping, Sequence

from qxbatch.bids.files.dataset_folder import DatasetFolder
from qxbatch.bids.files.planned_files import SOURCEDATA, PlannedFile
from qxbatch.bids.files.record import Record, RecordEntry, subject_folder, subject_or_session_folder
from qxbatch.bids.write.export_options import ExportOptions
from qxbatch.bids.write.other_studies import OtherStudies
from qxbatch.bids.write.session_results import SessionResults
from qxbatch.session.contents import is_session


class PathConflicts:
    """Finds sessions that this run exports to paths or folders of sessions that it does not export."""

    def __init__(
        self,
        record: Record,
        dataset_folder: DatasetFolder,
        results: SessionResults,
        other_studies: OtherStudies,
        options: ExportOptions,
    ) -> None:
        self._record, self._dataset_folder, self._results = record, dataset_folder, results
        self._other_studies, self._options = other_studies, options

    def problems(self, files_by_session: Mapping[str, Sequence[PlannedFile]]) -> Iterator[tuple[str, str]]:
        """Yield each session with a conflict, and its problem. A session has a conflict with another one, which is not exported, if

        - it needs a path of the other session
        - its folder, or that of its DICOM, has images or DICOM of the other session: an interrupted export may have left them, or a
          user may have deleted only the images
        - it is new in the folder of a subject, and the other session has images or DICOM there and is, or may be, of another
          subject now

        Case is ignored: on some file systems, labels that differ only in case have one folder.
        """
        others: dict[str, list[RecordEntry]] = {}
        of_other_subjects: dict[str, list[RecordEntry]] = {}
        for entry in (*self._record.files.values(), *self._interrupted_files()):
            if entry.session and not self._results.is_exported(entry.session):
                others.setdefault(subject_or_session_folder(entry.path).casefold(), []).append(entry)
                if _is_data(entry) and self._may_have_other_subject(entry):
                    of_other_subjects.setdefault(subject_folder(entry.path).casefold(), []).append(entry)
        for name, files in files_by_session.items():
            paths = {file.path.casefold() for file in files}
            folders = set(map(subject_or_session_folder, paths))
            folders |= {f"{SOURCEDATA}/{folder}" for folder in folders}
            conflicts = [entry for folder in sorted(folders) for entry in others.get(folder, ())]
            conflicts = [entry for entry in conflicts if entry.path.casefold() in paths or _is_data(entry)]
            for subject in sorted(set(map(subject_folder, paths))):
                if subject in of_other_subjects and not self._is_in_subject(name, subject):
                    conflicts += of_other_subjects[subject]
            for entry in conflicts:
                if entry.session != name and self._dataset_folder.file_at(entry.path, ()) is not None:
                    yield name, self._problem(entry.path, entry.session)
                    break

    def _interrupted_files(self) -> Iterator[RecordEntry]:
        """Yield the entries of existing files that interrupted exports wrote."""
        for path, entries in self._record.journal_files.items():
            existing = self._dataset_folder.file_at(path, entries)
            yield from (entry for entry in entries if existing is not None and existing.matches(entry))

    def _may_have_other_subject(self, entry: RecordEntry) -> bool:
        """Return whether a file is in the folder of a subject other than the one that the rules give its session.

        True also if that subject is not known although the session exists, as while an import replaces it. False for a session that
        was removed, and for one of another study.
        """
        if self._other_studies.folder_of(entry.session) is not None:
            return False
        label = self._options.subject_label_of(entry.session)
        if not label:
            return is_session(self._options.sessionsfolder / entry.session)
        return f"sub-{label}".casefold() != subject_folder(entry.path).casefold()

    def _is_in_subject(self, session: str, subject: str) -> bool:
        """Return whether the last export wrote files of a session into the folder of a subject, whose name is in folded case."""
        return any(
            entry.session == session and subject_folder(entry.path).casefold() == subject
            for entry in self._record.files.values()
        )

    def _problem(self, path: str, owner: str) -> str:
        """Return why a session cannot use a path or its folder, and what to do."""
        if folder := self._other_studies.folder_of(owner):
            return f"{path} is of session {owner} of {folder}. Give the session another label, or export to another data set."
        if self._options.includes_all_sessions and owner not in self._results:
            return (
                f"{path} is of session {owner}, which no longer exists. Delete the files of {owner} from the data set and run "
                "again, or give the session another label."
            )
        return f"{path} is of session {owner}, which is not exported now. Export both in one run."


def _is_data(entry: RecordEntry) -> bool:
    """Return whether a file is an image or a file of sourcedata."""
    return entry.is_image or entry.path.startswith(f"{SOURCEDATA}/")
