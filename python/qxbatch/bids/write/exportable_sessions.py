"""Which sessions an export can write, and their files."""

from collections.abc import Collection, Mapping, Sequence

from qxbatch.bids.files.dataset_folder import DatasetFolder
from qxbatch.bids.files.export_cache import ExportCache
from qxbatch.bids.files.planned_files import PlannedFile, planned_session_files
from qxbatch.bids.files.record import Record
from qxbatch.bids.files.sources import SourceError, Sources
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.tables.dates_in_paths import path_with_date
from qxbatch.bids.write.export_options import ExportOptions
from qxbatch.bids.write.messages import doubt_warnings, paths_with_long_names, undecided_reasons
from qxbatch.bids.write.other_studies import OtherStudies
from qxbatch.bids.write.path_conflicts import PathConflicts
from qxbatch.bids.write.result import SessionOutcome
from qxbatch.bids.write.session_results import SessionResults
from qxbatch.bids.write.subject_names import SubjectNames

_ANOTHER_LABEL = "Give the session another label with [labels] or [session.ID], or change `as` of the rule."


class ExportableSessions:
    """Decides which sessions are exported. The result of each other session says why not."""

    def __init__(
        self,
        options: ExportOptions,
        record: Record,
        dataset_folder: DatasetFolder,
        cache: ExportCache,
        results: SessionResults,
    ) -> None:
        self._file_options, self._results = options.file_options, results
        self._sources = Sources(
            cache, lambda file: options.compares_new_images and not dataset_folder.has_content_of(file)
        )
        self._subject_label_of = options.subject_label_of
        self._other_studies = OtherStudies(record, options.dataset, options.sessionsfolder)
        self._subject_names = SubjectNames(record, options.dataset)
        self._conflicts = PathConflicts(record, dataset_folder, results, self._other_studies, options)

    def files(self, plans: Sequence[ExportPlan]) -> Mapping[str, Sequence[PlannedFile]]:
        """Return the files of each session that is exported, by session id. Raises OSError."""
        session_ids = {plan.session.id for plan in plans if self._is_subject_compared(plan)}
        return self._without_conflicts({plan.session.id: self._files_of(plan, session_ids) for plan in plans})

    def _files_of(self, plan: ExportPlan, session_ids: Collection[str]) -> Sequence[PlannedFile]:
        """Return the files of a session; empty if it cannot be exported (its result has the reason) or has no image to export.

        `session_ids` are those of the sessions whose subjects were compared (`_is_subject_compared`).
        """
        name = plan.session.id
        self._results.add(plan)
        long_names = (
            f"the name of {path} is too long for a file. {_ANOTHER_LABEL}" for path in paths_with_long_names(plan)
        )
        other_problem = self._other_studies.problem(name) or self._subject_names.problem(plan, session_ids)
        if problem := next(long_names, other_problem):
            return self._failed(name, problem)
        if not plan.is_ready:
            self._results.set_not_exported(name, SessionOutcome.UNDECIDED, undecided_reasons(plan))
            return ()
        if self._file_options.shifts and (path := path_with_date(plan)):
            text = f"{path} contains the date of its acquisition, which --shift-dates changes. {_ANOTHER_LABEL}"
            return self._failed(name, text)
        self._sources.warnings.clear()
        try:
            files = planned_session_files(plan, self._file_options, self._sources)
        except SourceError as error:
            return self._failed(name, f"{error}.")
        if problem := self._other_studies.problem_of_files(name, files.files):
            return self._failed(name, problem)
        self._results.warn(name, *plan.remarks, *doubt_warnings(plan), *files.warnings, *self._sources.warnings)
        return files.files

    def _is_subject_compared(self, plan: ExportPlan) -> bool:
        """Return whether the rules compared the subject that the data set has for a session with the other subjects.

        The subject is not known, for example, while an import replaces the session. If the data set has a session of this name
        of another study, its subject was not compared either.
        """
        name = plan.session.id
        is_known = not plan.problem or self._subject_label_of(name) != ""
        return is_known and self._other_studies.folder_of(name) is None

    def _failed(self, session: str, problem: str) -> Sequence[PlannedFile]:
        self._results.set_not_exported(session, SessionOutcome.FAILED, [problem])
        return ()

    def _without_conflicts(
        self, files_by_session: Mapping[str, Sequence[PlannedFile]]
    ) -> Mapping[str, Sequence[PlannedFile]]:
        """Return the files of the sessions that can be exported.

        The search for conflicts is repeated: a session that fails is not exported, so its files stay where other sessions may need
        the path or folder.
        """
        remaining = {name: files for name, files in files_by_session.items() if files}
        while problems := dict(self._conflicts.problems(remaining)):
            for name, problem in problems.items():
                self._results.set_not_exported(name, SessionOutcome.FAILED, [problem])
                del remaining[name]
        return remaining
