"""The end of an import: publish, keep replaced files, archive. Every step can be repeated.

The journal, a file in the hidden folder `.qxbatch`, lists what these steps need, so that the next run can do them after a crash.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from qxbatch.archive.session_bytes import SessionBytes
from qxbatch.core import Monitor
from qxbatch.pipeline.archiving import archive_packets
from qxbatch.pipeline.check_published import check_published, has_session_errors
from qxbatch.pipeline.delivery_problems import unremoved_file_problem
from qxbatch.pipeline.publishing import publish_sessions
from qxbatch.pipeline.replaced_files import keep_replaced_files
from qxbatch.problems import Code, Problem, Severity
from qxbatch.publish.inbox_removal import UnremovedFile, remove_listed
from qxbatch.publish.journal import Journal, remove_journal
from qxbatch.publish.locks import Locks
from qxbatch.publish.removal_list import RemovalList
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings


class FinishResult(NamedTuple):
    """Where the packets of a unit (those imported together) are after its last step, and the problems of its steps."""

    paths_after_archiving: Mapping[Path, Path | None]
    """Maps the path of each packet to where it, or its copy, is now; None if it no longer exists.

    Packets that could not or must not be archived are missing.
    """
    problems: tuple[Problem, ...]

    @property
    def first_path_after_archiving(self) -> Path | None:
        """Where the first packet that still exists, or its copy, is now; None if there is none."""
        return next((path for path in self.paths_after_archiving.values() if path is not None), None)

    def problems_of(self, session: str, sessions: Sequence[str]) -> tuple[Problem, ...]:
        """Return the problems of one of the unit's sessions. The first session also has those of the packets."""
        others = {name for name in sessions if name != session}
        return tuple(
            problem
            for problem in self.problems
            if problem.subject == session or (session == sessions[0] and problem.subject not in others)
        )


def finish(
    journal: Journal,
    workspace: Workspace,
    locks: Locks,
    check_lock: Callable[[], None],
    settings: Settings,
    removal_list_content: bytes | None = None,
    *,
    monitor: Monitor,
) -> FinishResult:
    """Do the remaining steps of the journal, then remove it.

    `workspace` is that of the run that wrote the journal. `removal_list_content` is the list of files that leave the inbox in
    folder mode (`--masterinbox=none`), if this run wrote the journal. If it is None, another run made the sessions, and anybody
    could have written the journal and the list. Then the sessions, and what leaves the inbox, are read again first, with the
    limits and passwords of `settings`.

    When `monitor` is cancelled, large files of replaced sessions are kept without a comparison. This raises CancelledError when a
    packet or a large file of an inbox would be read again; if another run made the sessions, also when a session would be.

    `check_lock` is called before each step and raises PacketError if another run took over the unit's lock: that run does the
    remaining steps.

    The journal stays for the next run if replaced files could not be moved or removed, a file could not leave the inbox, or a
    packet could not be archived. It also stays when this raises OSError because the sessions folder cannot be read or written, or
    ValueError for a damaged list or ledger.
    """
    read_by_this_run = removal_list_content is not None
    removal_list = RemovalList(
        workspace.removal_list_path(journal.unit) if removal_list_content is None else removal_list_content
    )
    warnings = publish_sessions(journal, workspace, check_lock)
    check_lock()
    session_problems = check_published(journal, workspace, None if read_by_this_run else monitor)
    problems = [*warnings, *session_problems]
    problems += keep_replaced_files(
        journal, workspace, check_lock, {problem.subject for problem in session_problems}, monitor
    )
    if any(problem.code is Code.CANNOT_WRITE for problem in problems):
        return FinishResult({}, tuple(problems))  # the next run continues here
    check_lock()
    session_bytes = _session_bytes(journal, workspace, settings, removal_list, monitor)
    is_contained = _containment(journal, session_bytes, read_by_this_run=read_by_this_run)
    unremoved_files = (
        [] if session_problems else _remove_listed(journal, workspace, removal_list, is_contained, monitor)
    )
    problems += map(unremoved_file_problem, unremoved_files)
    if not read_by_this_run and not journal.has_errors:
        journal = replace(journal, has_errors=has_session_errors(journal, workspace))
    paths_after_archiving, archive_problems = archive_packets(
        journal,
        workspace,
        locks,
        check_lock,
        session_bytes,
        published=not session_problems,
        read_by_this_run=read_by_this_run,
        settings=settings,
    )
    problems += archive_problems
    if any(file.error for file in unremoved_files):
        return FinishResult(
            paths_after_archiving, tuple(problems)
        )  # the next run tries again, from the journal and its list
    check_lock()
    if not any(problem.code is Code.ARCHIVE and problem.severity is Severity.ERROR for problem in problems):
        remove_journal(journal.unit, workspace)
    workspace.clear(journal.unit)
    return FinishResult(paths_after_archiving, tuple(problems))


def _session_bytes(
    journal: Journal, workspace: Workspace, settings: Settings, removal_list: RemovalList, monitor: Monitor
) -> SessionBytes:
    """Return the bytes of the journal's sessions, with which the packets are compared before they leave the inbox."""
    folders = (workspace.session_paths(session).folder for session in journal.sessions)
    sessions = dict(zip(folders, journal.ledger_hashes, strict=True))

    def leaving_paths() -> Iterator[Path]:
        yield from (entry.packet.path for entry in journal.packets)
        if journal.session_inbox is not None:
            yield from (journal.session_inbox / file.path for file in removal_list.files())

    scratch = workspace.staging(journal.unit) / "again"
    return SessionBytes(sessions, settings, scratch, workspace.sessionsfolder, leaving_paths, monitor)


def _containment(
    journal: Journal, session_bytes: SessionBytes, *, read_by_this_run: bool
) -> Callable[[Path, str], bool] | None:
    """Return a function that takes a loose file (path, SHA-256) and returns whether sessions contain it; None if not needed.

    It is needed before a file leaves the inbox if another run read the packets, or if this run split the session. After a split,
    kept files leave the inbox too. If the inbox of a new session had such a file already, the import wrote no copy of it, and the
    user may have changed that file.
    """
    if read_by_this_run and journal.sessions == (journal.unit,):
        return None

    def is_contained(path: Path, sha256: str) -> bool:
        return (read_by_this_run or session_bytes.has_file(path, sha256)) and session_bytes.inbox_copies.still_have(
            sha256
        )

    return is_contained


def _remove_listed(
    journal: Journal,
    workspace: Workspace,
    removal_list: RemovalList,
    is_contained: Callable[[Path, str], bool] | None,
    monitor: Monitor,
) -> list[UnremovedFile]:
    """Folder mode: remove the listed files from the inbox, if `is_contained` is None or true for them; return what stays."""
    if journal.session_inbox is None:
        return []
    return remove_listed(
        journal.session_inbox,
        removal_list,
        workspace.hidden_name_tag(journal.unit),
        workspace.sessionsfolder,
        is_contained,
        monitor,
    )
