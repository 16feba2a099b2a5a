"""Checks that the sessions in the sessions folder are those of a journal."""

from pathlib import Path

from qxbatch.core import Monitor, hash_file
from qxbatch.problems import Code, Problem
from qxbatch.publish.journal import Journal
from qxbatch.publish.workspace import Workspace
from qxbatch.session.paths import SessionPaths
from qxbatch.verification.session import session_checks


def check_published(journal: Journal, workspace: Workspace, *, verify: bool) -> list[Problem]:
    """Return why the packets must stay in the inbox: a session is missing, or is not the session of the journal.

    With `verify`, also if the files of a session differ from its ledger.
    """
    problems = []
    for session, digest in zip(journal.sessions, journal.ledgers, strict=True):
        folder = workspace.sessionsfolder / session
        try:
            is_same = ledger_sha256(folder) == digest
            faults = _faults(folder) if is_same and verify else []
        except OSError:
            if SessionPaths(folder).ledger.is_file():
                raise
            is_same, faults = False, []
        if not is_same:
            message = "is no longer the session that was made from its packets; they stay in the inbox."
            problems.append(Problem(Code.RECOVERED, session, message, "Import them again, or archive them manually."))
        elif faults:
            message = (
                f"the files on disk differ from the packets: {'; '.join(faults[:5])}. Its packets stay in the inbox."
            )
            problems.append(Problem(Code.VERIFY, session, message, "Check the disk, then use --overwrite=yes."))
    return problems


def ledger_sha256(session: Path) -> str:
    """Return the SHA-256 of a session's ledger. Raises OSError."""
    return hash_file(str(SessionPaths(session).ledger))[1]


def _faults(session: Path) -> list[str]:
    try:
        return [text for check in session_checks(session, Monitor()) for text in check()]
    except ValueError as error:
        return [str(error)]
