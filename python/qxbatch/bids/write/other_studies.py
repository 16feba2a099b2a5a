"""Sessions in the data set that were exported from another research study, and have the name of a session of this export."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from qxbatch.bids.files.planned_files import PlannedFile
from qxbatch.bids.files.record import Record, RecordEntry
from qxbatch.bids.files.sources import Source
from qxbatch.publish.plain_files import entry_may_exist
from qxbatch.session.contents import has_session_records
from qxbatch.session.layout import IMAGE_SUFFIX


class OtherStudies:
    """Compares the sessions of an export with those of the same names that the data set contains."""

    def __init__(self, record: Record, dataset: Path, sessionsfolder: Path) -> None:
        self._record, self._dataset, self._sessionsfolder = record, dataset, sessionsfolder

    def problem(self, session: str) -> str | None:
        """Return why a session is not the one of this name in the data set: that one still exists in another study. Else None."""
        folder = self.folder_of(session)
        if folder is None or not has_session_records(folder / session) or not any(self._existing_entries(session)):
            return None
        return (
            f"the data set contains session {session} of {folder}. Export to another data set, or rename the session."
        )

    def problem_of_files(self, session: str, files: Iterable[PlannedFile]) -> str | None:
        """Return why these files are probably not of the session that the data set has by this name; None if they can be.

        If the data set or the study was moved, the recorded sessions folder says nothing. Then these files must contain at least
        one of the images that the data set has of the session; its path may differ. If the data set has none, there is no problem.
        """
        folder = self.folder_of(session)
        if folder is None:
            return None
        recorded = {entry.sha256 for entry in self._existing_entries(session) if entry.is_image}
        if not recorded or not recorded.isdisjoint(_image_hashes(files)):
            return None
        return (
            f"the data set contains session {session} of {folder}, which does not exist now, and no image of it is in this "
            f"session. If both are the same session, delete the files of {session} from the data set and run again. If not, "
            "export to another data set, or rename the session."
        )

    def _existing_entries(self, session: str) -> Iterator[RecordEntry]:
        """Yield the entries of a session at whose paths there is a file; some twice."""
        for path in (*self._record.files, *self._record.journal_files):
            for entry in self._record.possible_entries(path):
                if entry.session == session and entry_may_exist(self._dataset / path):
                    yield entry

    def folder_of(self, session: str) -> Path | None:
        """Return the sessions folder from which a session was last exported; None if it is that of this export or not recorded."""
        folder = self._record.sessionsfolders.get(session)
        if folder is None:
            return None
        path = Path(os.path.normpath(self._dataset / folder))
        try:
            return None if path.samefile(self._sessionsfolder) else path
        except OSError:
            return path


def _image_hashes(files: Iterable[PlannedFile]) -> Iterable[str]:
    return (
        file.content.sha256 for file in files if isinstance(file.content, Source) and file.path.endswith(IMAGE_SUFFIX)
    )
