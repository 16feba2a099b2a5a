"""What a killed run left: a unit with a journal is finished, other staging is cleared. What is locked is alive."""

from qxbatch.model import SessionId, SessionReport
from qxbatch.pipeline.finish import finish
from qxbatch.problems import Code, Problem, Severity
from qxbatch.publish.journal import read_journal
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace


def recover(workspace: Workspace, locks: Locks) -> list[SessionReport]:
    """Finish or clear each unit that no live run holds; return what was finished.

    Raises OSError when the sessions folder cannot be written.
    """
    reports = []
    for unit in sorted({*workspace.units(), *workspace.journaled()}):
        lock = locks.take(unit_lock(unit))
        if lock is None:
            continue
        try:
            reports += _recover_unit(workspace, unit)
        finally:
            locks.release(lock)
    return reports


def unit_lock(unit: str) -> str:
    """Return the name of a unit's lock."""
    return f"session {unit}"


def _recover_unit(workspace: Workspace, unit: str) -> list[SessionReport]:
    path = workspace.journal(unit)
    if not path.exists():
        workspace.clear(unit)
        return []
    try:
        journal = read_journal(path)
    except (ValueError, KeyError, TypeError) as error:
        message = f"the journal of an interrupted run cannot be read ({error}); nothing was touched."
        hint = f"Look into {workspace.unit(unit)}, then remove the journal and run again."
        return [SessionReport(unit, None, None, (Problem(Code.RECOVERED, str(path), message, hint),))]
    ending = finish(journal, workspace)
    names = ", ".join(packet.path.name for packet in journal.packets)
    note = Problem(
        Code.RECOVERED,
        names,
        "an interrupted run had read it; what was left was done now.",
        severity=Severity.WARNING,
    )
    archived = ending.archived[0] if ending.archived else None
    return [
        SessionReport(
            names,
            SessionId(session),
            workspace.sessionsfolder / session,
            (note, *ending.problems),
            archived=archived,
        )
        for session in journal.sessions
    ]
