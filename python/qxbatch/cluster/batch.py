"""Submits ready packets to a cluster instead of importing them here."""

from collections.abc import Callable, Mapping, Sequence

from qxbatch.cluster.creation import SUBMIT_LOCK, choose_archive_numbers, make_submission
from qxbatch.cluster.grouping import plan_tasks
from qxbatch.cluster.schedulers import SCHEDULERS
from qxbatch.cluster.submit import query_max_array_size
from qxbatch.cluster.submit_new import submit_new
from qxbatch.counted import counted
from qxbatch.discover.units import units_of
from qxbatch.model import Candidate, Report
from qxbatch.pipeline.ending import end_nothing_submitted, end_submitted
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings
from qxbatch.settings.scheduler import SchedulerSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qxbatch.report.observers import RunObservers


class ClusterSubmitter:
    """Submits ready packets: a Submitter, as qxbatch.pipeline.run needs it."""

    def __init__(self, spec: SchedulerSpec, options: Mapping[str, str], write_script: Callable[[str], object]) -> None:
        """`options` are all given options, also those of a config file. `write_script` receives the script of --print-script."""
        self._spec = spec
        self._options = options
        self._write_script = write_script
        self.submission_id = ""
        """The id of the submission; empty before it is made."""

    def describe(self, settings: Settings, ready: Sequence[Candidate]) -> str:
        """Return a sentence about the sessions and tasks that would be submitted, with the memory and time of the tasks."""
        units = units_of(ready, folder_mode=settings.masterinbox is None)
        scheduler = SCHEDULERS[self._spec.name]
        planned = plan_tasks(
            {k: unit.size for k, unit in enumerate(units)}, self._spec.minutes, query_max_array_size(scheduler)
        )
        requests = "; ".join(
            f"{array.size} with {(self._spec.mem or array.mem) >> 20} MB for {(self._spec.time or array.seconds) // 60} min"
            for array in planned.arrays
        )
        sessions, tasks = counted(len(units), "session"), counted(len(planned.tasks), "task")
        return f"{sessions} in {tasks} would be submitted to {scheduler.name} ({requests})."

    def carry_out(
        self,
        settings: Settings,
        workspace: Workspace,
        locks: Locks,
        ready: Sequence[Candidate],
        report: Report,
        observer: "RunObservers",
    ) -> int:
        """Submit; return the exit status: 75 (HELD) if all packets are submitted already or no longer exist.

        Raises UsageError, OSError and KeyboardInterrupt.
        """
        units = units_of(ready, folder_mode=settings.masterinbox is None)
        try:
            with locks.acquired(SUBMIT_LOCK):
                submission = make_submission(settings, self._options, units, report)
            if submission is None:
                return end_nothing_submitted(settings, report, observer)
            choose_archive_numbers(settings, workspace, locks, units)
            text = submit_new(submission, self._spec, self._write_script if settings.print_script else None)
        finally:
            locks.close()
            workspace.tidy()
        self.submission_id = submission.id
        return end_submitted(settings, report, observer, text)
