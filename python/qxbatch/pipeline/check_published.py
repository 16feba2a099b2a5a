"""Checks that the sessions in the sessions folder are those of a journal, by the hashes of their ledgers.

The ledger of a session lists all members of its packets.
"""

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from qxbatch.core import Monitor, hash_file
from qxbatch.problems import Code, Problem, Severity
from qxbatch.publish.journal import Journal
from qxbatch.publish.workspace import Workspace
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import RESULT_FOLDERS, SESSION_FOLDERS
from qxbatch.session.ledger import LedgerChangedError
from qxbatch.session.paths import SessionPaths
from qxbatch.textfile import MOST_BYTES
from qxbatch.verification.session import session_checks
from qxbatch.walk import walk

_MOST_LISTED = 5
"""Maximum number of differing files that a message names."""


def check_published(journal: Journal, workspace: Workspace, monitor: Monitor | None) -> list[Problem]:
    """Return the problems that keep the packets in the inbox; empty if there is none.

    A session has a problem if it is missing, is not the session of the journal, or is a link, or if one of its published folders
    is a link or contains a link to a folder. With a monitor, also if its files differ from its ledger. Raises OSError if an
    existing session cannot be read, and CancelledError when the monitor is cancelled.
    """
    problems = []
    for session, ledger_hash in zip(journal.sessions, journal.ledger_hashes, strict=True):
        folder = workspace.sessionsfolder / session
        link = _link(folder, SESSION_FOLDERS if journal.publishes_inbox else RESULT_FOLDERS)
        if link is not None:
            message = f"{link} is a link, so its files may be those of the packets. The packets stay in the inbox."
            hint = "Replace the link by a folder, or import the packets again."
            problems.append(Problem(Code.RECOVERED, session, message, hint))
            continue
        try:
            is_same = ledger_sha256(folder) == ledger_hash
            faults = _faults(folder, ledger_hash, monitor) if is_same and monitor is not None else []
        except LedgerChangedError:
            is_same, faults = False, []
        except OSError as error:
            paths = SessionPaths(folder)
            if error.errno != errno.EFBIG and paths.ledger.is_file() and paths.session_txt.is_file():
                raise
            is_same, faults = False, []
        if not is_same:
            message = "is no longer the session that was made from its packets; they stay in the inbox."
            problems.append(
                Problem(Code.RECOVERED, session, message, "Import the packets again, or archive them manually.")
            )
        elif faults:
            listed = "; ".join(faults[:_MOST_LISTED])
            message = f"the files on disk differ from the packets: {listed}. Its packets stay in the inbox."
            problems.append(Problem(Code.VERIFY, session, message, "Check the disk, then use --overwrite=yes."))
    return problems


def _link(session: Path, names: Iterable[str]) -> Path | None:
    """Return the first link among the session folder, its folders of these names, and the folders below them; None if none."""
    tops = (session, *(session / name for name in names))
    below = (Path(top, name) for each in tops[1:] for top, folders, _ in walk(each) for name in folders)
    return next((folder for folder in (*tops, *below) if folder.is_symlink()), None)


def has_session_errors(journal: Journal, workspace: Workspace) -> bool:
    """Return whether the summary of a session of the journal has an error, such as a failed series, or cannot be read."""
    summaries = [SessionFolder(workspace.sessionsfolder / session).readable_summary for session in journal.sessions]
    return any(
        summary is None or any(problem.severity is Severity.ERROR for problem in summary.problems)
        for summary in summaries
    )


def ledger_sha256(session: Path) -> str:
    """Return the SHA-256 of a session's ledger. Raises OSError, with EFBIG for one that is too large to be a ledger."""
    path = SessionPaths(session).ledger
    if path.stat().st_size > MOST_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return hash_file(str(path))[1]


def _faults(session: Path, ledger_hash: str, monitor: Monitor) -> list[str]:
    """Return a text for each difference between the files of a session and its ledger. Raises CancelledError."""
    try:
        return [text for check in session_checks(session, monitor, ledger_sha256=ledger_hash) for text in check()]
    except ValueError as error:
        return [str(error)]
