"""Keeps the files of the sessions that an import replaced, as far as their bytes exist nowhere else."""

from collections.abc import Callable, Collection, Iterator

from qxbatch.core import Monitor
from qxbatch.pipeline.delivery_problems import replaced_files_problem
from qxbatch.problems import Code, Problem, Severity
from qxbatch.publish.journal import Journal
from qxbatch.publish.replaced import keep_unique_files
from qxbatch.publish.workspace import Workspace
from qxbatch.session.layout import REPLACED_FOLDER


def keep_replaced_files(
    journal: Journal,
    workspace: Workspace,
    check_lock: Callable[[], None],
    invalid_sessions: Collection[str],
    monitor: Monitor | None,
) -> Iterator[Problem]:
    """Keep files of replaced sessions whose bytes exist nowhere else; yield warnings and errors.

    `invalid_sessions` has the ids of new sessions that are missing or not as expected. All files that they replace are kept.

    `check_lock` is called before each session and raises PacketError if another run took over the unit's lock. Raises OSError if a
    folder that this uses is a link, and ValueError if the ledger of a new session is damaged.
    """
    folder = workspace.archive_folder.parent / REPLACED_FOLDER
    for session in journal.sessions:
        check_lock()
        workspace.refuse_linked_paths(journal.unit, session)
        old, target = workspace.replaced_files_folder(journal.unit, session), workspace.session_paths(session).folder
        keep_all = session in invalid_sessions
        try:
            kept_in = keep_unique_files(
                old,
                target,
                folder,
                workspace.archive_folder,
                workspace.hidden_name_tag(journal.unit),
                keep_all=keep_all,
                monitor=monitor,
            )
        except OSError as error:
            yield replaced_files_problem(session, old.parent, error, is_written=not keep_all)
            continue
        if kept_in is not None:
            files = "the files of the replaced session" if keep_all else "files that only the replaced session had"
            message = f"{files} were kept in {kept_in}."
            yield Problem(Code.REPLACED_KEPT, session, message, severity=Severity.WARNING)
