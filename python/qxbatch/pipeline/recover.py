"""Recovers from killed runs: finishes units with a journal, clears other staging. A locked unit belongs to a live run.

A unit is the packets that are imported together.
"""

import contextlib
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from qxbatch.core import CancelledError, Monitor
from qxbatch.model import SessionId, SessionReport
from qxbatch.os_error import error_text, machine_error
from qxbatch.pipeline.abandoned_files import has_replaced_files, keep_abandoned_files
from qxbatch.pipeline.finish import finish
from qxbatch.pipeline.recovery_redaction import journal_reason_without_names, path_redaction, report_without_names
from qxbatch.pipeline.unit_locks import LockHeldError, lost_lock_error, packet_lock_name, take_lock, unit_lock_name
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.publish.journal import Journal, read_journal, run_of_journal
from qxbatch.publish.locks import Lock, Locks
from qxbatch.publish.orphans import end_orphans
from qxbatch.publish.workspace import Workspace
from qxbatch.report.outcome import has_failed
from qxbatch.settings.model import Settings

log = logging.getLogger("qxbatch")


class RecoveryResult(NamedTuple):
    """The result of a recovery."""

    reports: Sequence[SessionReport] = ()
    """One for each session of a journal, each unit that failed, and each unit without a journal whose replaced files were kept.

    Also one for each unit that could not be recovered because another run holds the lock of one of its packets, or of a session
    into which it was split. If another run holds the lock of the unit itself, there is no report.
    """
    finished_paths: Collection[Path] = ()
    """The paths in the inbox of the packets whose sessions all exist now, even if a later step such as archiving remains.

    In folder mode (`--masterinbox=none`), the inboxes of these sessions.
    """
    unfinished_units: Collection[str] = ()
    """The units that failed and keep their journal or staging: this run does not try them again."""


def recover(
    workspace: Workspace, locks: Locks, settings: Settings, only: Collection[str] | None, monitor: Monitor
) -> RecoveryResult:
    """Finish or clear each unit that no live run holds; return what was finished, and what failed.

    `only`: the names (session ids) of the units to recover; all units if None.

    Raises OSError when the folder `.qxbatch` cannot be read, no lock can be taken, or the folder may lead out of the study, and
    CancelledError when `monitor` is cancelled: the next run does the remaining steps.
    """
    workspace.refuse_non_folders()
    reports: list[SessionReport] = []
    finished_paths: set[Path] = set()
    unfinished_units: list[str] = []
    for unit in sorted(
        {*workspace.units(), *workspace.units_with_journal()} if only is None else _unfinished_units(workspace, only)
    ):
        if monitor.cancelled:
            raise CancelledError
        lock_name = unit_lock_name(unit)
        lock = locks.take(lock_name)
        if lock is None:
            continue
        try:
            check_lock = partial(_need_lock, locks, lock, unit)
            recovery = recover_unit(workspace, locks, unit, check_lock, settings, [lock_name], monitor)
            reports += recovery.reports
            finished_paths.update(recovery.finished_paths)
            unfinished_units += recovery.unfinished_units
        except LockHeldError as error:
            reports.append(_lock_report(unit, error.problem))
        finally:
            locks.release(lock)
    if only is None:
        locks.sweep()
    return RecoveryResult(reports, finished_paths, unfinished_units)


def _lock_report(unit: str, problem: Problem) -> SessionReport:
    """Return the report of a unit if another run holds the lock of one of its sessions or packets."""
    message = (
        f"is held by another run, so the remaining steps of an interrupted import of session {unit} were not done now."
    )
    return SessionReport(problem.subject, None, None, (replace(problem, message=message),), unit=unit)


def _unfinished_units(workspace: Workspace, units: Collection[str]) -> list[str]:
    """Return the units that have staging or a journal."""
    return [unit for unit in units if workspace.has_remains_of(unit)]


def _need_lock(locks: Locks, lock: Lock, unit: str) -> None:
    if not locks.holds(lock):
        raise lost_lock_error(unit)


def recover_unit(
    workspace: Workspace,
    locks: Locks,
    unit: str,
    check_lock: Callable[[], None],
    settings: Settings,
    own_lock_names: Collection[str],
    monitor: Monitor,
) -> RecoveryResult:
    """Finish or clear one unit.

    The caller holds the locks with the names `own_lock_names`; `check_lock` raises PacketError when it lost one of them. The
    patients are not known. So if logs are de-identified, messages contain only session ids and names that qxbatch gives.
    Raises LockHeldError if another run holds the lock of one of its packets, or of a session that its packet was split into, and
    CancelledError when `monitor` is cancelled while files are read again.
    """
    recovery = _finish_or_clear(workspace, locks, unit, check_lock, settings, own_lock_names, monitor)
    if any(map(has_failed, recovery.reports)) and _unfinished_units(workspace, [unit]):
        recovery = recovery._replace(unfinished_units=(unit,))
    if not settings.deidentified:
        return recovery
    redact = path_redaction(workspace, unit, [] if settings.work_dir is None else [settings.work_dir])
    return recovery._replace(reports=[report_without_names(report, redact) for report in recovery.reports])


def _finish_or_clear(
    workspace: Workspace,
    locks: Locks,
    unit: str,
    check_lock: Callable[[], None],
    settings: Settings,
    own_lock_names: Collection[str],
    monitor: Monitor,
) -> RecoveryResult:
    """Finish or clear one unit; an error becomes a report. Raises only LockHeldError and CancelledError."""
    try:
        written_by = run_of_journal(workspace.journal_path(unit))
        runs = [*workspace.runs(unit), *([written_by] if workspace.is_of_study(written_by) else [])]
        end_orphans(unit, runs, workspace.sessionsfolder)
        recovery = RecoveryResult()
        if workspace.has_journal(unit):
            recovery = _finish(workspace, locks, unit, check_lock, settings, own_lock_names, monitor)
        if not workspace.has_journal(unit):
            with contextlib.suppress(PacketError):  # the run that has the lock clears it
                check_lock()
                recovery = _with_problems(recovery, unit, keep_abandoned_files(workspace, unit))
                workspace.clear_all_runs(unit)
    except (LockHeldError, CancelledError):
        raise
    except PacketError as error:
        return _failed_recovery(unit, error.problem)
    except (ValueError, OverflowError, RecursionError) as error:
        return _failed_recovery(unit, _unusable_journal(workspace, unit, f"{error}", settings))
    except Exception as error:
        of_machine = machine_error(error)
        if of_machine is not None:
            message = f"the import of an interrupted run cannot be finished: {error_text(of_machine)}."
            hint = "Correct this and run again: the files of that import are kept until then."
            return _failed_recovery(unit, Problem(Code.CANNOT_WRITE, unit, message, hint))
        log.error("%s: internal error", unit, exc_info=not settings.deidentified)  # noqa: TRY400 - a traceback can have names
        message = f"internal error while the import of an interrupted run was finished: {type(error).__name__}."
        return _failed_recovery(
            unit, Problem(Code.INTERNAL, unit, message, "Please report this with the log (--log-file).")
        )
    return recovery


def clear_own_staging(workspace: Workspace, unit: str) -> None:
    """Remove this run's staging of a unit, unless its journal needs it. If this fails, the next run removes it.

    If replaced files wait in it and the journal is missing, it stays too: the next run keeps these files.
    """
    with contextlib.suppress(OSError):
        is_needed = run_of_journal(workspace.journal_path(unit)) == workspace.run
        if not is_needed and not has_replaced_files(workspace, unit):
            workspace.clear(unit)


def _finish(
    workspace: Workspace,
    locks: Locks,
    unit: str,
    check_lock: Callable[[], None],
    settings: Settings,
    own_lock_names: Collection[str],
    monitor: Monitor,
) -> RecoveryResult:
    """Do the remaining steps of a unit with a journal. A journal that cannot be used becomes a report.

    Raises LockHeldError, PacketError if this run lost a lock, and OSError, ValueError or CancelledError as `finish`.
    """
    path = workspace.journal_path(unit)
    try:
        journal = read_journal(unit, workspace)
    except ValueError as error:
        return _failed_recovery(unit, _unusable_journal(workspace, unit, f"{error}", settings))
    with _hold_locks(journal, locks, check_lock, own_lock_names) as check_locks:
        result = finish(journal, workspace.of_run(journal.run), locks, check_locks, settings, monitor=monitor)
    label = journal.label or unit
    is_unfinished = path.exists()
    message = "an interrupted run had read it; " + (
        "some steps remain." if is_unfinished else "the remaining steps were done now."
    )
    note = Problem(Code.RECOVERED, label, message, severity=Severity.WARNING)
    reports = [
        SessionReport(
            label,
            SessionId(session),
            _folder_if_exists(workspace, session),
            (note, *result.problems_of(session, journal.sessions)),
            archived=result.first_path_after_archiving,
        )
        for session in journal.sessions
    ]
    return RecoveryResult(reports, _packets(journal) if all(report.folder for report in reports) else ())


def _packets(journal: Journal) -> list[Path]:
    """Return the paths of the packets that a unit was made of; in folder mode, that of the session's inbox."""
    return (
        [entry.packet.path for entry in journal.packets] if journal.session_inbox is None else [journal.session_inbox]
    )


@contextlib.contextmanager
def _hold_locks(
    journal: Journal, locks: Locks, check_lock: Callable[[], None], own_lock_names: Collection[str]
) -> Iterator[Callable[[], None]]:
    """Hold the locks of the packets, and of the sessions that a packet was split into; yield a check of all locks.

    The caller already holds the locks with the names `own_lock_names`. Raises LockHeldError if another run
    holds one of the other locks: it may read that packet, or be about to publish that session.
    """
    sessions = map(unit_lock_name, journal.sessions)
    packets = (
        [packet_lock_name(entry.packet.path) for entry in journal.packets] if journal.session_inbox is None else []
    )
    taken_locks: list[Lock] = []

    def check_locks() -> None:
        check_lock()
        if not all(map(locks.holds, taken_locks)):
            raise lost_lock_error(journal.unit)

    try:
        for name in dict.fromkeys([*sessions, *packets]):
            if name not in own_lock_names:
                taken_locks.append(take_lock(locks, name))
        yield check_locks
    finally:
        for lock in taken_locks:
            locks.release(lock)


def _with_problems(recovery: RecoveryResult, unit: str, problems: Sequence[Problem]) -> RecoveryResult:
    """Return the recovery with a report of further problems, if there are any."""
    if not problems:
        return recovery
    return recovery._replace(reports=[*recovery.reports, SessionReport(unit, None, None, tuple(problems))])


def _failed_recovery(unit: str, problem: Problem) -> RecoveryResult:
    return RecoveryResult([SessionReport(unit, None, None, (problem,), unit=unit)])


def _unusable_journal(workspace: Workspace, unit: str, reason: str, settings: Settings) -> Problem:
    if settings.deidentified:
        reason = journal_reason_without_names(reason)
    message = f"the journal of an interrupted run cannot be used: {reason}. Nothing was changed."
    hint = (
        f"If another version of qxbatch wrote it, run that version. Else look into {workspace.unit_folder(unit)}, then remove the "
        "journal and run again: the new run reports the packets that the interrupted run renamed, and moves the files that the "
        "interrupted run replaced to the archive."
    )
    path = str(workspace.journal_path(unit))
    return Problem(Code.RECOVERED, path, message, hint)


def _folder_if_exists(workspace: Workspace, session: str) -> Path | None:
    """Return the folder of a session if it exists: one that was moved away meanwhile is not reported as written."""
    paths = workspace.session_paths(session)
    return paths.folder if paths.ledger.exists() else None
