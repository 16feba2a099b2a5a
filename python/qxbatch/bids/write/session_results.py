"""The results of the sessions of one export, while it runs."""

from collections.abc import Iterable

from qxbatch.bids.files.record import Record, RecordEntry, parent_folders
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.write.result import SessionOutcome, SessionResult


class SessionResults:
    """The result of each session of the export, by session id.

    A session counts as exported until `set_not_exported` is called for it.
    """

    def __init__(self) -> None:
        self._results: dict[str, SessionResult] = {}

    def __contains__(self, session: str) -> bool:
        return session in self._results

    def add(self, plan: ExportPlan) -> None:
        """Add the session of a plan, which counts as exported until `set_not_exported` is called."""
        session, images, ignored = plan.session.id, len(plan.placed_images), len(plan.ignored_items)
        self._results[session] = SessionResult(
            session, plan.subject_label, plan.session_label, SessionOutcome.EXPORTED, images, ignored
        )

    def set_not_exported(self, session: str, state: SessionOutcome, problems: Iterable[str]) -> None:
        """Record that a session is not exported, and why."""
        self._results[session] = self._results[session]._replace(state=state, problems=tuple(problems))

    def warn(self, session: str, *texts: str) -> None:
        """Add warnings to a session."""
        result = self._results[session]
        self._results[session] = result._replace(warnings=(*result.warnings, *texts))

    def warn_session_or_first(self, session: str, text: str) -> None:
        """Add a warning to a session, or to the first one if the session is not among the results; to none if there are none."""
        for name in [session] if session in self else list(self._results)[:1]:
            self.warn(name, text)

    def warn_subject(self, folders: Iterable[str], text: str) -> None:
        """Add a warning to the first session of a subject whose folder is in `folders`, else to the first of all, if any."""
        names = [name for name, result in self._results.items() if f"sub-{result.subject}" in set(folders)]
        for name in (names or list(self._results))[:1]:
            self.warn(name, text)

    def is_exported(self, session: str) -> bool:
        """Return whether this run exports a session; False for the empty id of files that sessions share."""
        result = self._results.get(session)
        return result is not None and result.state is SessionOutcome.EXPORTED

    def exported(self) -> list[str]:
        """Return the ids of the exported sessions."""
        return [name for name in self._results if self.is_exported(name)]

    def final(self) -> tuple[SessionResult, ...]:
        """Return the results in the order in which the sessions were added."""
        return tuple(self._results.values())


class KeptFiles:
    """Which files of the last exports stay, although this one does not plan them."""

    def __init__(self, record: Record, results: SessionResults) -> None:
        self._results = results
        self._sessions_below: dict[str, set[str]] = {}
        """The sessions with files in a folder or below it, by its path; that of the data set is empty."""
        for entry in (
            entry for path in (*record.files, *record.journal_files) for entry in record.possible_entries(path)
        ):
            for folder in parent_folders(entry.path) if entry.session else ():
                self._sessions_below.setdefault(folder, set()).add(entry.session)

    def is_kept(self, entry: RecordEntry) -> bool:
        """Return whether a file of the record or of the journal that is not planned is kept.

        A file of a session is kept if the session is not exported in this run. A file that sessions share is kept if a file of a
        session below its folder is kept.
        """
        if entry.session:
            return not self._results.is_exported(entry.session)
        sessions = self._sessions_below.get(entry.path.rpartition("/")[0], ())
        return not all(map(self._results.is_exported, sessions))
