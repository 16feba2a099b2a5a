"""Submits units of a submission again. A unit is the packets of one session."""

from collections import Counter
from collections.abc import Sequence

from qxbatch.cluster.options import restore_settings
from qxbatch.cluster.schedulers import SCHEDULERS
from qxbatch.cluster.state import ImportState, UnitState
from qxbatch.cluster.submission import LOGS, Submission
from qxbatch.cluster.submit import RoundSubmitter, SubmitResult, need_command
from qxbatch.discover.candidates import candidates
from qxbatch.exits import ExitStatus
from qxbatch.model import Verdict
from qxbatch.os_error import error_text
from qxbatch.pipeline.writable import need_writable
from qxbatch.problems import UsageError
from qxbatch.publish.plain_files import refuse_non_folder
from qxbatch.settings.scheduler import SchedulerSpec

MAX_DOUBLINGS = 3
"""Maximum number of times that the retry factor is doubled."""


def submittable_units(submission: Submission, units: Sequence[UnitState]) -> list[UnitState]:
    """Return those of the units that can be submitted again.

    A unit is left out if one of its packets is refused when the whole inbox is judged, or if two or more of `units` have its
    session and still have packets in the inbox. A task sees only the packets of its units. So it would import one of several
    packets of a session, or of several loose files of a study, although they were refused together.

    Raises UsageError if the submission cannot be continued here: its study is a copy, a file that the options name cannot be
    read, or a folder that the import changes cannot be written.
    """
    settings = restore_settings(submission)
    packets = {packet for unit in units for packet in unit.packets}
    found = {each.path.name: each for each in candidates(settings) if each.path.name in packets}
    need_writable(settings, [each for each in found.values() if each.verdict is Verdict.READY])
    refused = {name for name, each in found.items() if each.verdict is Verdict.REFUSED}
    counts = Counter(unit.name for unit in units if not found.keys().isdisjoint(unit.packets))
    return [unit for unit in units if refused.isdisjoint(unit.packets) and counts[unit.name] <= 1]


def resubmit(submission: Submission, units: Sequence[UnitState], spec: SchedulerSpec) -> SubmitResult | None:
    """Submit units again; return None if there are none. Raises UsageError, after restoring the states, and OSError.

    More time and memory are requested after each attempt (`retry_factor_of`).
    """
    if not units:
        return None
    need_command(SCHEDULERS[spec.name])
    set_waiting(submission, units)
    try:
        return RoundSubmitter(submission, spec).submit(
            {unit.number: unit.size for unit in units}, retry_factor_of(units)
        )
    except UsageError:
        for unit in units:
            submission.write_state(unit)
        raise


def prepare_resubmission(submission: Submission, units: Sequence[UnitState], spec: SchedulerSpec) -> str:
    """Set units to waiting, and add a round; return the text of the script that submits the units again.

    Raises UsageError, OSError.
    """
    set_waiting(submission, units)
    return RoundSubmitter(submission, spec).write_scripts(
        {unit.number: unit.size for unit in units}, retry_factor_of(units)
    )


def set_waiting(submission: Submission, units: Sequence[UnitState]) -> None:
    """Set units to waiting. Raises UsageError before that if their jobs would have no place for logs, and OSError."""
    _refuse_file_for_logs(submission)
    for unit in units:
        submission.write_state(unit._replace(state=ImportState.WAITING, reason="", problem=None))


def _refuse_file_for_logs(submission: Submission) -> None:
    """Raise UsageError (exit status 73) if something else has the name of the folder of the logs, such as a file."""
    try:
        refuse_non_folder(submission.folder / LOGS)
    except OSError as error:
        raise UsageError(f"Cannot use {error_text(error)}.", "", ExitStatus.CANNOT_WRITE) from None


def retry_factor_of(units: Sequence[UnitState]) -> int:
    """Return the factor for the estimated time, and for the sizes from which memory is estimated.

    It doubles with each attempt of the unit with most attempts, up to MAX_DOUBLINGS times.
    """
    return 1 << min(MAX_DOUBLINGS, max(unit.attempts for unit in units))
