"""Finishes what interrupted runs left before a run starts; finished sessions are not imported again."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from qxbatch.exits import ExitStatus
from qxbatch.model import Candidate, SessionReport, Verdict
from qxbatch.os_error import error_text
from qxbatch.problems import UsageError
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings


def finish_interrupted(
    workspace: Workspace, locks: Locks, settings: Settings, only: Collection[str] | None = None
) -> list[SessionReport]:
    """Finish what killed runs left, with `only` of these units. Raises UsageError (73) if the folder cannot be written."""
    from qxbatch.pipeline.recover import recover

    try:
        return recover(workspace, locks, settings, only)
    except OSError as error:
        hint = "Correct this and run again."
        raise UsageError(f"Cannot write {error_text(error, workspace.top)}.", hint, ExitStatus.CANNOT_WRITE) from error


def without_finished(candidate: Candidate, recovered: Sequence[SessionReport]) -> Candidate:
    """Return the candidate; a session that recovery just finished is not ready, even with --overwrite=yes."""
    if candidate.verdict is not Verdict.READY or candidate.session is None:
        return candidate
    for report in recovered:
        is_same_session = report.session is not None and report.session.id == candidate.session.id
        if (
            is_same_session
            and report.folder is not None
            and not (candidate.path.is_file() and report.packet != candidate.path.name)
        ):
            note = "finished now, from where an interrupted run stopped"
            return replace(candidate, verdict=Verdict.ALREADY_THERE, note=note)
    return candidate
