"""Checks that the sessions in the sessions folder are those of a journal."""

from pathlib import Path

from qxbatch.core import Monitor, hash_file
from qxbatch.problems import Code, Problem
from qxbatch.publish.journal import Journal
from qxbatch.publish.workspace import Workspace
from qxbatch.session.paths import SessionPaths
from qxbatch.verification.session import session_checks


def check_published(journal: Journal, workspace: Workspace, *, verify: bool) -> list[Problem]:
    """Return why the packets must stay: a session is missing, or is not the session of the journal.

    `verify`: the sessions are read once more.
    """
    problems = []
    for session, digest in zip(journal.sessions, journal.ledgers, strict=True):
        folder = workspace.sessionsfolder / session
        try:
            same = ledger_sha256(folder) == digest
            found = _failed(folder) if same and verify else []
        except FileNotFoundError:
            same, found = False, []
        if not same:
            message = "is not the session any more that was made of its packets; they stay where they are."
            problems.append(Problem(Code.RECOVERED, session, message, "Import them again, or archive them manually."))
        elif found:
            message = (
                f"what lies on disk is not what was read: {'; '.join(found[:5])}. Its packets stay where they are."
            )
            problems.append(Problem(Code.VERIFY, session, message, "Check the disk, then use --overwrite=yes."))
    return problems


def ledger_sha256(session: Path) -> str:
    """Return the SHA-256 of a session's ledger. Raises OSError."""
    return hash_file(str(SessionPaths(session).ledger))[1]


def _failed(session: Path) -> list[str]:
    try:
        return [text for check in session_checks(session, Monitor()) for text in check()]
    except ValueError as error:
        return [str(error)]
