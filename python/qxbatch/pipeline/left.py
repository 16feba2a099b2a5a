"""What an interrupted run left is finished before a run begins, and is not imported once more."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from qxbatch.exits import ExitStatus
from qxbatch.model import Candidate, SessionReport, Verdict
from qxbatch.os_error import error_text
from qxbatch.problems import UsageError
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace


def finish_left(workspace: Workspace, locks: Locks, only: Collection[str] | None = None) -> list[SessionReport]:
    """Finish what killed runs left, with `only` of these units. Raises UsageError (73) when nothing can be written there."""
    from qxbatch.pipeline.recover import recover

    try:
        return recover(workspace, locks, only)
    except OSError as error:
        hint = "Correct this and run again."
        raise UsageError(f"Cannot write {error_text(error, workspace.top)}.", hint, ExitStatus.CANNOT_WRITE) from error


def without_finished(candidate: Candidate, recovered: Sequence[SessionReport]) -> Candidate:
    """A session that was finished a moment ago is not rebuilt at once, though --overwrite=yes asks for it."""
    if candidate.verdict is not Verdict.READY or candidate.session is None:
        return candidate
    for report in recovered:
        same = report.session is not None and report.session.id == candidate.session.id
        if (
            same
            and report.folder is not None
            and not (candidate.path.is_file() and report.packet != candidate.path.name)
        ):
            note = "finished now, from where an interrupted run stopped"
            return replace(candidate, verdict=Verdict.ALREADY_THERE, note=note)
    return candidate
