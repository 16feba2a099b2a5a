"""Folder mode (`--masterinbox=none`): session folders with data in their own inbox."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.discover.filters import label_reason, matches_glob
from qxbatch.discover.folder_refusals import refuse_folder
from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.discover.listing import names_in
from qxbatch.discover.split_before import was_split
from qxbatch.exits import ExitStatus
from qxbatch.model import Verdict
from qxbatch.resolve.nameformat import session_by_folder
from qxbatch.resolve.names import RESERVED_NAMES
from qxbatch.session.contents import has_file, has_results, why_unreadable
from qxbatch.session.paths import SessionPaths
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings


class ListedFolder(NamedTuple):
    """A session folder, at the time the sessions folder was listed."""

    path: Path
    has_data: bool
    """Whether its inbox contains a file, at any depth, or a folder that cannot be listed."""
    has_results: bool
    """Whether `dicom` or `nii` contains a file, at any depth, or a folder that cannot be listed."""
    unreadable_reason: str = ""
    """Why the folder cannot be opened (then `has_data` and `has_results` are True); empty if it can."""
    is_split: bool = False
    """Whether it has neither data nor results, and its data were split into other sessions."""


def list_folders(
    sessionsfolder: Path, globs: Sequence[str], only_names: Iterable[str] | None = None
) -> list[ListedFolder]:
    """Return the session folders that match the globs, sorted by name, without hidden folders and the study's own ones.

    With `only_names`, only the folders with these names are examined. Otherwise raises UsageError if the sessions folder cannot be
    listed.
    """
    listed = []
    for name in (
        names_in(sessionsfolder, ExitStatus.CANNOT_WRITE) if only_names is None else sorted(only_names, key=os.fsencode)
    ):
        path = sessionsfolder / name
        if (
            name.startswith(".")
            or name.casefold() in RESERVED_NAMES
            or not matches_glob(name, globs)
            or not _may_be_folder(path)
        ):
            continue
        listed.append(listed_folder(path))
    return listed


def _may_be_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a link to a place that cannot be entered: `listed_folder` returns the reason
        return True


def listed_folder(path: Path) -> ListedFolder:
    """Return what a session folder contains now, or why it cannot be opened."""
    unreadable_reason = why_unreadable(path)
    if unreadable_reason:
        return ListedFolder(path, has_data=True, has_results=True, unreadable_reason=unreadable_reason)
    listed = ListedFolder(path, has_file(SessionPaths(path).inbox), has_results(path))
    return listed._replace(is_split=not (listed.has_data or listed.has_results) and was_split(path.parent, path.name))


def inbox_of(folder: JudgedEntry) -> Path:
    """Return the inbox of a session folder, which contains its data."""
    return SessionPaths(folder.path).inbox


def judge_folders(folders: Sequence[ListedFolder], settings: Settings) -> list[JudgedEntry]:
    """Judge each session folder as it was listed."""
    return [_judge(folder, settings) for folder in folders]


def _judge(folder: ListedFolder, settings: Settings) -> JudgedEntry:
    name = folder.path.name
    judged = JudgedEntry(folder.path, Verdict.READY, name)
    session = session_by_folder(name, settings.nameformat)
    if session is None:
        return judged.with_verdict(Verdict.NOT_PARSED, f"--nameformat finds no subject in {name}")
    judged = judged._replace(session=session)
    filtered = label_reason(settings, session)
    if filtered:
        return judged.with_verdict(Verdict.FILTERED, filtered)
    refused = refuse_folder(judged, settings, folder.unreadable_reason, has_data=folder.has_data)
    return refused or _judge_by_results(judged, folder, settings)


def _judge_by_results(judged: JudgedEntry, folder: ListedFolder, settings: Settings) -> JudgedEntry:
    if folder.has_results and not settings.overwrite:
        command = command_for(settings, [folder.path.name], {"overwrite": "yes"})
        return judged.with_verdict(Verdict.ALREADY_THERE, f"it has results; to {settings.stages} it again: {command}")
    if folder.has_results:
        return judged.with_verdict(Verdict.READY, "its results are replaced")
    if folder.is_split:
        return judged.with_verdict(Verdict.ALREADY_THERE, f"it was split into {folder.path.name}-1 and others")
    return judged if folder.has_data else judged.with_verdict(Verdict.STRAY, "its inbox contains no data")
