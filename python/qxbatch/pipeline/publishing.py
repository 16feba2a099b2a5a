"""Publishes the sessions that a journal lists, or continues a publication that a killed run started.

A session is built in staging; publishing moves its build to the session folder.
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from qxbatch.pipeline.check_published import ledger_sha256
from qxbatch.pipeline.delivery_problems import renamed_file_warning
from qxbatch.problems import Problem
from qxbatch.publish.exchange import publish
from qxbatch.publish.journal import Journal
from qxbatch.publish.kept_files import RenamedFile
from qxbatch.publish.workspace import Workspace
from qxbatch.session.paths import SessionPaths


def publish_sessions(journal: Journal, workspace: Workspace, check_lock: Callable[[], None]) -> list[Problem]:
    """Publish the sessions; return the warnings about files of the user that were renamed for this.

    `check_lock` is called before each session and raises PacketError if another run took over the unit's lock. Raises OSError.
    """
    renamed_files: list[RenamedFile] = []
    for session, ledger_hash in zip(journal.sessions, journal.ledger_hashes, strict=True):
        check_lock()
        workspace.refuse_linked_paths(journal.unit, session)
        target = workspace.session_paths(session).folder
        build = workspace.build_folder(journal.unit, session)
        old = workspace.replaced_files_folder(journal.unit, session)
        replace = session in journal.replaced_sessions or _has_moved_ledger(build, target, ledger_hash)
        renamed_files += publish(build, target, old, with_inbox=journal.publishes_inbox, replace=replace)
    return [renamed_file_warning(file) for file in renamed_files]


def _has_moved_ledger(build: Path, target: Path, ledger_hash: str) -> bool:
    """Return whether a killed run moved the result folders to the session folder, the one with the ledger last.

    A session.txt that appeared in the session folder since then does not make it another session: it is replaced.
    """
    if os.path.lexists(SessionPaths(build).ledger):
        return False
    with contextlib.suppress(OSError):
        return ledger_sha256(target) == ledger_hash
    return False
