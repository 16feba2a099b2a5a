"""What a path is for `qxbatch inspect`: a session, a folder of sessions, or a packet."""

import os
from pathlib import Path

from qxbatch.ingest.sources import sorted_sources
from qxbatch.os_error import error_text
from qxbatch.parts.inspect_headers import read_headers, unopened
from qxbatch.parts.inspect_room import Room
from qxbatch.parts.inspect_series import FoundPacket, Inspected, found_packet, inspected
from qxbatch.parts.inspect_session import sorted_series, stored
from qxbatch.session.contents import is_session, why_closed
from qxbatch.session.folder import SessionFolder
from qxbatch.session.summary import SummaryError
from qxbatch.study.sessions import sessions_in


def look(path: Path, room: Room) -> list[Inspected]:
    """Return what is in a path: a session, the sessions in a folder, or a packet."""
    if _is_session(path):
        return [_session(path, room)]
    if path.is_dir():
        sessions = [each for each in sessions_in(path) if _is_session(each)]
        if sessions:
            return [_session(each, room) for each in sessions]
    return [_packet(path, room)]


def _is_session(path: Path) -> bool:
    """Return whether a session has facts or sorted series: a packet may have a folder `dicom`, too.

    A folder that cannot be entered is one: who reads it says why it cannot be read.
    """
    if not os.path.isdir(path) or not is_session(path):  # noqa: PTH112 - False where it is closed
        return False
    if why_closed(path):
        return True
    folder = SessionFolder(path)
    return folder.paths.summary.is_file() or bool(sorted_sources(folder.paths.dicom))


def _session(path: Path, room: Room) -> Inspected:
    try:
        return stored(SessionFolder(path)) or sorted_series(path, room)
    except (SummaryError, OSError) as error:
        return Inspected(str(path), problems=(error_text(error, path),))


def _packet(path: Path, room: Room) -> Inspected:
    try:
        closed = unopened(path)
        if closed:
            return Inspected(str(path), problems=(closed,))
        with room.temporary() as folder:
            found = _found(path, Path(folder) / "read", room)
            return inspected(str(path), found, room.threads, room.monitor)
    except OSError as error:
        return Inspected(str(path), problems=(error_text(error, path),))


def _found(path: Path, staging: Path, room: Room) -> FoundPacket:
    """Return what is in a packet; the headers are not needed any more."""
    headers = read_headers(path, staging, threads=room.threads, passwords=room.passwords, monitor=room.monitor)
    return found_packet(headers, join=room.join)
