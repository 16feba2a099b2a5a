"""Refuses packets whose session folder the file system would confuse with that of another session."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.discover.listing import names_in
from qxbatch.discover.packet_refusals import rename_and_import_command
from qxbatch.exits import ExitStatus
from qxbatch.problems import Code
from qxbatch.resolve.rename import FindSession
from qxbatch.session.equal_names import folded_name, ignores_case, other_stored_name
from qxbatch.settings.model import Settings

_HINT = "Rename one of them, or use a sessions folder on a file system that distinguishes upper and lower case."


def refuse_shared_folders(
    judged: list[JudgedEntry], settings: Settings, find_session: FindSession
) -> list[JudgedEntry]:
    """Refuse packets that would be published into the folder of another session, which is of this run or exists already.

    `find_session` returns the session that a packet has by its file name. Raises UsageError if the sessions folder cannot be
    listed.
    """
    sessionsfolder = settings.sessionsfolder
    names = frozenset(names_in(sessionsfolder, ExitStatus.CANNOT_WRITE))
    ids = {entry.session.id for entry in judged if entry.is_ready and entry.session is not None}
    other_stored_names = {name: other_stored_name(sessionsfolder / name, names) for name in ids - names}
    existing = {name: folder for name, folder in other_stored_names.items() if folder}
    has_equal_names = len({folded_name(name) for name in ids}) < len(ids)
    can_collide = has_equal_names and ignores_case(sessionsfolder)
    return [
        _with_command(entry, settings, find_session)
        for entry in refuse_same_folder(judged, existing, ignores_case=can_collide)
    ]


def _with_command(judged: JudgedEntry, settings: Settings, find_session: FindSession) -> JudgedEntry:
    """Add the command that renames the packet to a refusal of this module, which has the hint _HINT."""
    problem = judged.problem
    if problem is None or problem.hint != _HINT:
        return judged
    return judged._replace(problem=replace(problem, command=rename_and_import_command(judged, settings, find_session)))


def refuse_same_folder(
    judged: Sequence[JudgedEntry], existing: Mapping[str, str], *, ignores_case: bool
) -> list[JudgedEntry]:
    """Refuse ready packets of a session whose folder is that of another session.

    `existing` maps session ids to the existing folder that the file system would use for them. With `ignores_case`, two new
    sessions can also have one folder.
    """
    ids: dict[str, set[str]] = {}
    for entry in judged if ignores_case else ():
        if entry.is_ready and entry.session is not None:
            ids.setdefault(folded_name(entry.session.id), set()).add(entry.session.id)
    return [_judge(entry, existing, ids) for entry in judged]


def _judge(judged: JudgedEntry, existing: Mapping[str, str], ids: Mapping[str, set[str]]) -> JudgedEntry:
    """Judge one entry as `refuse_same_folder` does; `ids` has the ids of new sessions by their folded name."""
    if not judged.is_ready or judged.session is None:
        return judged
    session_id = judged.session.id
    others = sorted(
        {existing[session_id]}
        if session_id in existing
        else ids.get(folded_name(session_id), {session_id}) - {session_id}
    )
    if not others:
        return judged
    message = f"its session {session_id} would have the folder of {', '.join(others)}: the file system does not distinguish them."
    return judged.refuse(Code.SAME_SESSION, message, _HINT)
