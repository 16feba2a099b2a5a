"""The sessions that may have files in the folder of a session, or of a subject without session level, before an export."""

from collections.abc import Collection, Iterator, Sequence

from qxbatch.bids.files.changes import Action, Change
from qxbatch.bids.files.planned_files import SOURCEDATA
from qxbatch.bids.files.record import Record, subject_folder, subject_or_session_folder


class LabelFolders:
    """The sessions of the last export and of interrupted ones, by the folder that their labels gave them, such as `sub-01/ses-a`.

    If the planned files of a session are of another subject than before, the session is also in the folder of the earlier subject:
    no other session may get files there before those of this session are removed.
    """

    def __init__(self, changes: Sequence[Change], planned: Collection[str], record: Record) -> None:
        """`planned` are the paths of the planned files, which are among those of the changes."""
        self._sessions: dict[str, dict[str, str]] = {}
        """By folder: the sessions, each with one of its paths."""
        self._members = {(subject_folder(path), entry.session) for path, entry in record.files.items()}
        """Folder of a subject and session id, for each session of which the last export wrote files into the folder."""
        subjects: dict[str, set[str]] = {}
        for change in changes:
            if change.path in planned:
                subjects.setdefault(change.session, set()).add(subject_folder(change.path))
        for change in changes:
            for entry in record.possible_entries(change.path):
                # an edited file does not count for the session of its change
                if not entry.session or (change.action is Action.EDITED and entry.session == change.session):
                    continue
                subject, subjects_now = subject_folder(change.path), subjects.get(entry.session, set())
                left = {subject} if subjects_now and subject not in subjects_now else set()
                for folder in {_folder(change.path), *left}:
                    self._sessions.setdefault(folder, {}).setdefault(entry.session, change.path)

    def earlier_sessions(self, change: Change) -> Iterator[tuple[str, str]]:
        """Yield the earlier sessions of the folder of a change, each with one of its paths there.

        If the session of the change is new in the folder of its subject, also yield the sessions that leave this folder.
        """
        subject = subject_folder(change.path)
        is_new = (subject, change.session) not in self._members
        for folder in {_folder(change.path): None, **({subject: None} if is_new else {})}:
            yield from self._sessions.get(folder, {}).items()


def _folder(path: str) -> str:
    """Return the folder of the session of a path, else of its subject; for a path in sourcedata, that of the images."""
    return subject_or_session_folder(path.removeprefix(f"{SOURCEDATA}/"))
