"""Which sessions an export can write, and their files."""

from collections.abc import Mapping, Sequence

from qxbatch.bids.files.disk import Disk
from qxbatch.bids.files.planned_files import PlannedFile, session_files
from qxbatch.bids.files.record import Record, other_folder
from qxbatch.bids.files.sources import SourceError, Sources
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.tables.dates_in_paths import path_with_date
from qxbatch.bids.write.destination import Destination
from qxbatch.bids.write.messages import undecided_reasons
from qxbatch.bids.write.path_conflicts import PathConflicts
from qxbatch.bids.write.result import SessionOutcome
from qxbatch.bids.write.session_results import SessionResults

_ANOTHER_LABEL = "Give the session another label with [labels] or [session.ID], or change `as` of the rule."


class ExportableSessions:
    """Decides which sessions are exported. The result of each other session says why not."""

    def __init__(
        self, destination: Destination, record: Record, disk: Disk, sources: Sources, results: SessionResults
    ) -> None:
        self._destination, self._record, self._sources, self._results = destination, record, sources, results
        self._conflicts = PathConflicts(record, disk, results, all_sessions=destination.all_sessions)

    def files(self, plans: Sequence[ExportPlan]) -> Mapping[str, Sequence[PlannedFile]]:
        """Return the files of each session that is exported, by session id. Raises OSError."""
        return self._without_conflicts({plan.session.id: self._files_of(plan) for plan in plans})

    def _files_of(self, plan: ExportPlan) -> Sequence[PlannedFile]:
        """Return the files of a session; empty if it cannot be exported, with the reason in its result."""
        name = plan.session.id
        self._results.start(plan)
        if other := other_folder(name, self._record, self._destination.dataset, self._destination.sessionsfolder):
            problem = (
                f"the data set contains session {name} of {other}. Export to another data set, or rename the session."
            )
            self._results.stop(name, SessionOutcome.FAILED, [problem])
            return ()
        if not plan.is_ready:
            self._results.stop(name, SessionOutcome.UNDECIDED, undecided_reasons(plan))
            return ()
        if self._destination.options.shifts and (path := path_with_date(plan)):
            problem = f"{path} contains the date of its acquisition, which --shift-dates changes. {_ANOTHER_LABEL}"
            self._results.stop(name, SessionOutcome.FAILED, [problem])
            return ()
        try:
            files = session_files(plan, self._destination.options, self._sources)
        except SourceError as error:
            self._results.stop(name, SessionOutcome.FAILED, [f"{error}."])
            return ()
        self._results.warn(name, *plan.remarks, *files.warnings, *self._sources.warnings)
        self._sources.warnings.clear()
        return files.files

    def _without_conflicts(
        self, files_by_session: Mapping[str, Sequence[PlannedFile]]
    ) -> Mapping[str, Sequence[PlannedFile]]:
        """Return the files of the sessions that can be exported.

        Repeated, since the paths of a session that fails are then those of a session that is not exported.
        """
        remaining = {name: files for name, files in files_by_session.items() if files}
        while problems := dict(self._conflicts.problems(remaining)):
            for name, problem in problems.items():
                self._results.stop(name, SessionOutcome.FAILED, [problem])
                del remaining[name]
        return remaining
