"""Keeps the replaced files of an interrupted run whose journal was removed, perhaps because it could not be read.

The journal is the list of the steps that remained.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from qxbatch.problems import Code, Problem
from qxbatch.publish.journal import RUN_PATTERN, is_session_of
from qxbatch.publish.plain_files import is_below_without_links
from qxbatch.publish.replaced import KEPT_SUFFIX, keep_unique_files
from qxbatch.publish.workspace import Workspace
from qxbatch.session.layout import REPLACED_FOLDER


def keep_abandoned_files(workspace: Workspace, unit: str) -> list[Problem]:
    """Move files that an interrupted import replaced to `archive/replaced`; return a problem for each session that had some.

    `unit` is the session id of the packets of that import, and must have no journal. Without a journal, it is not known whether
    other files have the bytes of the replaced ones, so all replaced files are moved.
    Raises OSError.
    """
    problems = []
    replaced_folder = workspace.archive_folder.parent / REPLACED_FOLDER
    for run in _names_in(workspace.unit_folder(unit), workspace):
        if not RUN_PATTERN.fullmatch(run):
            continue
        run_workspace = workspace.of_run(run)
        for session in _replaced_sessions(run_workspace, unit):
            kept_in = keep_unique_files(
                run_workspace.replaced_files_folder(unit, session),
                workspace.session_paths(session).folder,
                replaced_folder,
                archive=None,
                tag=run_workspace.hidden_name_tag(unit),
                keep_all=True,
            )
            if kept_in is not None:
                problems.append(_kept_problem(session, kept_in))
    return problems


def has_replaced_files(workspace: Workspace, unit: str) -> bool:
    """Return whether the staging of the workspace's run has files of replaced sessions. Raises OSError."""
    return any(True for _ in _replaced_sessions(workspace, unit))


def _kept_problem(session: str, kept_in: Path) -> Problem:
    message = (
        "an interrupted run had replaced files of this session, and its journal is missing. "
        f"These files were kept in {kept_in}."
    )
    hint = "Look at them before you remove them: they may be the only copies."
    return Problem(Code.RECOVERED, session, message, hint)


def _replaced_sessions(workspace: Workspace, unit: str) -> Iterator[str]:
    """Yield the sessions of a unit whose replaced files wait in the staging of the workspace's run.

    The replaced files are in a folder with the name of the session; after an interrupted `keep_unique_files`, some or all of them
    are in the folder beside it with KEPT_SUFFIX.
    """
    sessions = set()
    for name in _names_in(workspace.replaced_files_folder(unit, unit).parent, workspace):
        for session in (name, name.removesuffix(KEPT_SUFFIX)):
            if is_session_of(session, unit) and not workspace.replaced_files_folder(unit, session).is_symlink():
                sessions.add(session)
    yield from sorted(sessions)


def _names_in(folder: Path, workspace: Workspace) -> list[str]:
    """Return the names in a folder below the sessions folder; none if it is missing, or reached through a link. Raises OSError."""
    if not is_below_without_links(folder / "any", workspace.sessionsfolder):
        return []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
    return []
