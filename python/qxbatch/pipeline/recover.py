"""What a killed run left: a unit with a journal is finished, other staging is cleared. What is locked is alive."""

import contextlib
import os
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from qxbatch.model import SessionId, SessionReport
from qxbatch.os_error import error_text
from qxbatch.pipeline.finish import finish
from qxbatch.pipeline.held import lost_lock, unit_lock
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.publish.journal import RUN, journal_run, read_journal
from qxbatch.publish.locks import Lock, Locks
from qxbatch.publish.orphans import end_orphans
from qxbatch.publish.workspace import Workspace
from qxbatch.session.paths import SessionPaths


def recover(workspace: Workspace, locks: Locks, only: Collection[str] | None = None) -> list[SessionReport]:
    """Finish or clear each unit that no live run holds, with `only` of these; return what was finished, and what could not be.

    Raises OSError when no lock can be taken, or the hidden folder leads out of the study.
    """
    workspace.refuse_links()
    reports = []
    for unit in sorted({*workspace.units(), *workspace.journaled()} if only is None else _left(workspace, only)):
        lock = locks.take(unit_lock(unit))
        if lock is None:
            continue
        try:
            reports += recover_unit(workspace, locks, unit, partial(_need, locks, lock, unit))
        finally:
            locks.release(lock)
    if only is None:
        locks.sweep()
    return reports


def _left(workspace: Workspace, units: Collection[str]) -> list[str]:
    """Return those of these units of which a run left something."""
    return [each for each in units if any(map(os.path.lexists, (workspace.unit(each), workspace.journal(each))))]


def _need(locks: Locks, lock: Lock, unit: str) -> None:
    if not locks.holds(lock):
        raise lost_lock(unit)


def recover_unit(workspace: Workspace, locks: Locks, unit: str, need_lock: Callable[[], None]) -> list[SessionReport]:
    """Finish or clear one unit. `need_lock` raises PacketError when the caller does not hold its lock any more."""
    try:
        path = workspace.journal(unit)
        written_by = journal_run(path)
        end_orphans(unit, [*workspace.runs(unit), *([written_by] if RUN.fullmatch(written_by) else [])])
        reports = _finish(workspace, locks, unit, need_lock) if os.path.lexists(path) else []
        if not os.path.lexists(path):
            with contextlib.suppress(PacketError):  # then who has the lock clears it
                need_lock()
                workspace.clear_all(unit)
    except PacketError as error:
        return [SessionReport(unit, None, None, (error.problem,))]
    except (ValueError, OverflowError, RecursionError) as error:
        return [_not_followed(workspace, unit, f"{error}")]
    except OSError as error:
        message = f"what an interrupted run left cannot be finished: {error_text(error)}."
        hint = "Correct this and run again: what was read is kept until then."
        return [SessionReport(unit, None, None, (Problem(Code.CANNOT_WRITE, unit, message, hint),))]
    return reports


def clear_own(workspace: Workspace, unit: str) -> None:
    """Remove this run's staging of a unit, unless its journal tells that it is needed. What fails the next run clears."""
    with contextlib.suppress(OSError):
        if journal_run(workspace.journal(unit)) != workspace.run:
            workspace.clear(unit)


def _finish(workspace: Workspace, locks: Locks, unit: str, need_lock: Callable[[], None]) -> list[SessionReport]:
    path = workspace.journal(unit)
    try:
        journal = read_journal(unit, workspace)
    except ValueError as error:
        return [_not_followed(workspace, unit, f"{error}")]
    ending = finish(journal, workspace.of_run(journal.run), locks, need_lock, verify=True)
    names = journal.names or unit
    left = path.exists()
    done = "an interrupted run had read it; " + ("something is still left." if left else "what was left was done now.")
    note = Problem(Code.RECOVERED, names, done, severity=Severity.WARNING)
    return [
        SessionReport(
            names,
            SessionId(session),
            _there(workspace.sessionsfolder / session),
            (note, *ending.problems) if k == 0 else (note,),
            archived=ending.archived,
        )
        for k, session in enumerate(journal.sessions)
    ]


def _not_followed(workspace: Workspace, unit: str, reason: str) -> SessionReport:
    message = f"what an interrupted run noted cannot be followed: {reason}. Nothing was touched."
    hint = f"Look into {workspace.unit(unit)}, then remove the journal and run again."
    path = str(workspace.journal(unit))
    return SessionReport(unit, None, None, (Problem(Code.RECOVERED, path, message, hint),))


def _there(session: Path) -> Path | None:
    """A session that somebody took away meanwhile is not told as complete."""
    return session if SessionPaths(session).ledger.exists() else None
