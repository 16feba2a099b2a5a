"""`qxbatch inspect`: what was planned and what was scanned, of packets and of sessions. Nothing is imported or converted."""

import os
from collections.abc import Mapping
from pathlib import Path

from qxbatch.exits import ExitStatus
from qxbatch.ingest.sources import sorted_sources
from qxbatch.os_error import error_text
from qxbatch.parts.inspect_headers import read_headers, unopened
from qxbatch.parts.inspect_room import Room, interruptible, room_of, say
from qxbatch.parts.inspect_series import FoundPacket, Inspected, found_packet, inspected
from qxbatch.parts.inspect_session import sorted_series, stored
from qxbatch.parts.inspect_table import as_json, as_table
from qxbatch.parts.places import sessions_in
from qxbatch.problems import UsageError
from qxbatch.session.contents import is_session
from qxbatch.session.folder import SessionFolder
from qxbatch.session.summary import SummaryError
from qxbatch.visible import one_line


def run(options: Mapping[str, object]) -> int:
    """Print facts and verdicts, or store those of sessions. Raises UsageError."""
    room = room_of(options)
    paths = paths_of(options["<path>"])
    if options["--update"]:
        from qxbatch.parts.inspect_update import update_sessions

        return update_sessions(paths, options, room)
    if options["--json"] and options["--wide"]:
        raise UsageError("--json has all facts: --wide is for the table.", "Give one of them.")
    found = interruptible(lambda: [each for path in paths for each in look(path, room)], room.monitor)
    print(as_json(found) if options["--json"] else as_table(found, wide=bool(options["--wide"])), end="")
    say(problem for each in found for problem in each.problems)
    if any(each.problems for each in found):
        return int(ExitStatus.FAILED)
    if not any(each.series for each in found):
        say([f"{one_line(str(path))}: there is no DICOM and no PAR/REC" for path in paths])
        return int(ExitStatus.NOTHING_READY)
    return int(ExitStatus.OK)


def paths_of(given: object) -> list[Path]:
    """Return the absolute paths that were named. Raises UsageError when one does not exist."""
    assert isinstance(given, list)
    paths = [Path(os.path.abspath(str(name))) for name in given]  # noqa: PTH100 - links in a session's path stay
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"{path} does not exist.", "Name folders, archives or sessions.")
    return list(dict.fromkeys(paths))


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
    """Return whether a session has facts or sorted series: a packet may have a folder `dicom`, too."""
    if not (path.is_dir() and is_session(path)):
        return False
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
