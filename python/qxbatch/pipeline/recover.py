"""What a killed run left: a unit with a journal is finished, other staging is cleared. What is locked is alive."""

from pathlib import Path

from qxbatch.model import SessionId, SessionReport
from qxbatch.os_error import error_text
from qxbatch.pipeline.finish import finish
from qxbatch.problems import Code, Problem, Severity
from qxbatch.publish.journal import read_journal
from qxbatch.publish.locks import Locks
from qxbatch.publish.orphans import end_orphans
from qxbatch.publish.workspace import Workspace
from qxbatch.session.paths import SessionPaths


def recover(workspace: Workspace, locks: Locks) -> list[SessionReport]:
    """Finish or clear each unit that no live run holds; return what was finished, and what could not be.

    Raises OSError when no lock can be taken.
    """
    reports = []
    for unit in sorted({*workspace.units(), *workspace.journaled()}):
        lock = locks.take(unit_lock(unit))
        if lock is None:
            continue
        try:
            reports += recover_unit(workspace, locks, unit)
        finally:
            locks.release(lock)
    locks.sweep()
    return reports


def unit_lock(unit: str) -> str:
    """Return the name of a unit's lock."""
    return f"session {unit}"


def recover_unit(workspace: Workspace, locks: Locks, unit: str) -> list[SessionReport]:
    """Finish or clear one unit, whose lock the caller holds."""
    try:
        end_orphans(workspace.homes(unit))
        if not workspace.journal(unit).exists():
            workspace.clear(unit)
            return []
        return _finish(workspace, locks, unit)
    except OSError as error:
        message = f"what an interrupted run left cannot be finished: {error_text(error)}."
        hint = "Correct this and run again: what was read is kept until then."
        return [SessionReport(unit, None, None, (Problem(Code.CANNOT_WRITE, unit, message, hint),))]


def _finish(workspace: Workspace, locks: Locks, unit: str) -> list[SessionReport]:
    path = workspace.journal(unit)
    try:
        journal = read_journal(path, workspace.sessionsfolder)
    except (ValueError, KeyError, TypeError) as error:
        message = f"the journal of an interrupted run cannot be read ({error}); nothing was touched."
        hint = f"Look into {workspace.unit(unit)}, then remove the journal and run again."
        return [SessionReport(unit, None, None, (Problem(Code.RECOVERED, str(path), message, hint),))]
    ending = finish(journal, workspace, locks, verify=True)
    names = journal.names or unit
    left = path.exists()
    done = "an interrupted run had read it; " + ("something is still left." if left else "what was left was done now.")
    note = Problem(Code.RECOVERED, names, done, severity=Severity.WARNING)
    archived = ending.archived[0] if ending.archived else None
    return [
        SessionReport(
            names,
            SessionId(session),
            _there(workspace.sessionsfolder / session),
            (note, *ending.problems) if k == 0 else (note,),
            archived=archived,
        )
        for k, session in enumerate(journal.sessions)
    ]


def _there(session: Path) -> Path | None:
    """A session that somebody took away meanwhile is not told as complete."""
    return session if SessionPaths(session).ledger.exists() else None
