"""Refuses single packets: unreadable, with an invalid name, or of an unsupported kind."""

import os

from qxbatch.discover.entry import Entry, Shape
from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.discover.session_folders import is_folder_of_study
from qxbatch.discover.unsupported_archives import NAME_IN_USE_HINT, SPLIT_HINT, UNOPENED, unpack_command, unpacked_name
from qxbatch.model import SessionId, Verdict
from qxbatch.problems import Code
from qxbatch.resolve.names import breaks_lines, invalid_name_reason
from qxbatch.resolve.rename import FindSession, rename_command
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings
from qxbatch.settings.paths import outside_path


def refuse_unreadable_or_bad_name(
    entry: Entry, judged: JudgedEntry, settings: Settings, find_session: FindSession
) -> JudgedEntry | None:
    """Return a packet that cannot be read, or whose name breaks lines, as refused; None for any other packet.

    `find_session` returns the session that a packet has by its file name.
    """
    if entry.shape is Shape.UNREADABLE:
        message = f"cannot be read: {entry.error}."
        command = command_for(settings, [_sessions_item(judged, settings, find_session(entry.name))])
        return judged.refuse(Code.UNREADABLE, message, entry.hint, command)
    if breaks_lines(entry.name):
        why = "its name contains a control character or a line end, which is not allowed in the name of a packet."
        return _refuse_invalid_name(judged, why, settings, find_session)
    return None


def _refuse_unopened(
    judged: JudgedEntry, session: SessionId, entry: Entry, settings: Settings, find_session: FindSession
) -> JudgedEntry:
    """Refuse an archive of an unsupported kind: if it were a stray file, users would overlook it."""
    message = f"is {UNOPENED[entry.content].title}, which qxbatch does not open."
    judged = judged._replace(session=session)
    if entry.content == "split":
        return judged.refuse(Code.UNOPENED, message, SPLIT_HINT)
    name = unpacked_name(entry.path)
    if os.path.lexists(entry.path.with_name(name)):  # perhaps another packet
        return judged.refuse(Code.UNOPENED, message, NAME_IN_USE_HINT)
    unpacked = find_session(name) or session
    # in a container, the command is for the host, which has other paths (--path-map)
    path, archive = (outside_path(path, settings.path_map) for path in (entry.path, settings.archive_folder))
    unpack = unpack_command(entry.content, path, name, archive)
    command = f"{unpack} && {command_for(settings, [unpacked.id])}"
    return judged.refuse(Code.UNOPENED, message, "Unpack it into a folder in its place:", command)


def with_session(
    judged: JudgedEntry, session: SessionId, entry: Entry, settings: Settings, find_session: FindSession
) -> JudgedEntry:
    """Return a packet with its session; refused if its kind is unsupported, or if no session may have that id.

    If the master inbox is a sessions folder, the folders of its study are not packets, whatever session their names give, and
    must not be renamed.
    """
    if entry.content in UNOPENED:
        return _refuse_unopened(judged, session, entry, settings, find_session)
    if is_folder_of_study(entry.path, settings):
        return judged.with_verdict(Verdict.STRAY, "it is a folder of the study")
    why = invalid_name_reason(session.id)
    if not why:
        return judged._replace(session=session)
    message = f"its session would be called {session.id!r}, and no session may have that name: {why}."
    if settings.logfile is None:
        return _refuse_invalid_name(judged, message, settings, find_session)
    hint = f"Correct it in {settings.logfile.path}, and import it:"
    return judged.refuse(Code.BAD_NAME, message, hint, command_for(settings, [judged.packet_name]))


def _refuse_invalid_name(
    judged: JudgedEntry, message: str, settings: Settings, find_session: FindSession
) -> JudgedEntry:
    command = rename_and_import_command(judged, settings, find_session)
    hint = "Rename it:" if command else "Rename it, or give another --pattern, --nameformat or --logfile."
    return judged.refuse(Code.BAD_NAME, message, hint, command)


def rename_and_import_command(judged: JudgedEntry, settings: Settings, find_session: FindSession) -> str:
    """Return the command that renames a packet, or a session folder, and imports it alone; empty if there is none."""
    try:
        beside = [path.name for path in judged.path.parent.iterdir()]
    except OSError:
        beside = []
    rename, session = rename_command(
        outside_path(judged.path, settings.path_map), find_session, judged.packet_name, beside
    )
    return f"{rename} && {command_for(settings, [session])}" if rename else ""


def _sessions_item(judged: JudgedEntry, settings: Settings, session: SessionId | None) -> str:
    """Return the name or id by which --sessions selects the packet."""
    return judged.packet_name if session is None or settings.logfile is not None else session.id
