"""The lock of a session while its facts are stored or its page is written; an import of the session takes the same lock."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.pipeline.unit_locks import unit_lock_name
from qxbatch.problems import UsageError
from qxbatch.publish.locks import Lock, Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.visible import shell_word


class Refusal(NamedTuple):
    """Why a session may not be changed."""

    is_held: bool = False
    """Whether another run has the lock of the session."""
    problem: str = ""
    """The reason, if the lock is not held by another run."""


@contextmanager
def session_lock(session: Path) -> Iterator[Refusal | None]:
    """Hold the lock of a session. Yield None if the session may be changed, else why not.

    Raises UsageError (exit status 73) when the sessions folder cannot be written.
    """
    workspace = Workspace(session.parent)
    locks = Locks(workspace.locks_folder)
    try:
        lock = _take(workspace, locks, session)
        if lock is None:
            yield Refusal(is_held=True)
            return
        try:
            is_interrupted = os.path.lexists(workspace.journal_path(session.name))
            command = f"qxbatch {shell_word(str(session.parent))}"
            problem = f"{session}: an import of this session was interrupted; `{command}` finishes the import"
            yield Refusal(problem=problem) if is_interrupted else None
        finally:
            locks.release(lock)
    finally:
        locks.close()
        workspace.tidy()


def _take(workspace: Workspace, locks: Locks, session: Path) -> Lock | None:
    try:
        workspace.refuse_non_folders()
        workspace.tidy()  # removes an empty folder of locks that cannot be entered; `take` creates the folder again
        return locks.take(unit_lock_name(session.name))
    except OSError as error:
        raise cannot_write(error) from None


def cannot_write(error: OSError) -> UsageError:
    """Return the error that ends `inspect --update` or `report` if it cannot write."""
    return UsageError(f"Cannot write {error_text(error)}.", "Make it writable.", ExitStatus.CANNOT_WRITE)
