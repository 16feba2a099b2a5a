"""Finishes, before a run starts, what interrupted runs left; packets whose import is finished are not imported again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qxbatch.exits import ExitStatus
from qxbatch.model import Candidate, SessionReport, Verdict
from qxbatch.open_files import many_open_files
from qxbatch.os_error import error_text
from qxbatch.problems import Code, Problem, UsageError
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings

if TYPE_CHECKING:  # most runs have nothing to recover
    from qxbatch.pipeline.recover import RecoveryResult


def finish_interrupted(
    workspace: Workspace, locks: Locks, settings: Settings, only: Collection[str] | None = None
) -> "RecoveryResult":
    """Finish or clear what killed runs left. Raises UsageError (exit status 73) instead of an OSError, and KeyboardInterrupt.

    A signal stops it, even while it reads a large packet again: the next run does the remaining steps.

    `only`: the names (session ids) of the units to recover, each the packets that were imported together; all units if None.
    """
    from qxbatch.core import Monitor
    from qxbatch.pipeline.recover import recover
    from qxbatch.pipeline.waiting import in_thread

    monitor = Monitor()
    try:
        with many_open_files():
            return in_thread(lambda: recover(workspace, locks, settings, only, monitor), monitor.cancel)
    except OSError as error:
        hint = "Correct this and run again."
        raise UsageError(f"Cannot write {error_text(error, workspace.top)}.", hint, ExitStatus.CANNOT_WRITE) from error


def remove_stale_locks(sessionsfolder: Path) -> None:
    """Remove the locks of killed runs, not those in use, and the folder `.qxbatch` if it is empty then."""
    workspace = Workspace(sessionsfolder)
    Locks(workspace.locks_folder).sweep()
    workspace.tidy()


def candidate_after_recovery(candidate: Candidate, recovery: "RecoveryResult | None") -> Candidate:
    """Return the candidate; it is no longer ready if the recovery finished its import, or could not finish it.

    This also applies with --overwrite=yes. If the recovery finished the import of a packet, other packets of the same session stay
    ready. If it could not, no packet of the session is ready: the report of the recovery contains the reason.
    """
    if recovery is None or candidate.verdict is not Verdict.READY:
        return candidate
    if candidate.packet is not None and candidate.packet.path in recovery.finished_paths:
        note = "finished now, from where an interrupted run stopped"
        return replace(candidate, verdict=Verdict.ALREADY_THERE, note=note)
    if candidate.session is not None and candidate.session.id in recovery.unfinished_units:
        note = "the import of an interrupted run cannot be finished"
        return replace(candidate, verdict=Verdict.REFUSED, note=note)
    return candidate


def judge_again(
    candidate: Candidate, recovery: "RecoveryResult", packets_of_units: Mapping[str, Collection[str]]
) -> Candidate:
    """Return the candidate with the verdict after the recovery, or refused if it now belongs to another unit.

    `packets_of_units` maps the session id of each unit to the names of its packets, as `import_named` gets them.
    """
    recovered = candidate_after_recovery(candidate, recovery)
    if recovered is not candidate or candidate.session is None:
        return recovered
    name, session = candidate.path.name, candidate.session.id
    may_import = candidate.verdict in (Verdict.READY, Verdict.ALREADY_THERE)
    if not may_import or name in packets_of_units.get(session, ()):
        return candidate
    chosen = ", ".join(unit for unit, packets in packets_of_units.items() if name in packets)
    message = f"its session was {chosen} when it was chosen for this import, and is {session} now; nothing was changed."
    hint = "If the table of --logfile is correct now, start the import again."
    problem = Problem(Code.CHANGED, str(candidate.path), message, hint)
    return replace(candidate, verdict=Verdict.REFUSED, packet=None, problem=problem)


def recovery_reports(recovery: "RecoveryResult | None", candidates: Sequence[Candidate]) -> list[SessionReport]:
    """Return the reports of a recovery, without those with the problem `held` about units that this run imports.

    Such a report is about a lock that another run holds or took over. The import takes the same locks, and reports a held one.
    """
    ready = {
        candidate.session.id for candidate in candidates if candidate.session and candidate.verdict is Verdict.READY
    }
    return [
        report
        for report in (() if recovery is None else recovery.reports)
        if report.unit not in ready or not any(problem.code is Code.HELD for problem in report.problems)
    ]
