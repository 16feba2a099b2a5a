"""Refuses a session whose folder is a packet, or contains the folder of packets or the archive."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.discover.session_folders import SESSION, kind_of_folder
from qxbatch.problems import Code
from qxbatch.session.layout import MASTER_INBOX
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings


class Occupied(NamedTuple):
    """Why a folder cannot become a session."""

    message: str
    hint: str
    command: str


def refuse_packet_places(judged: Sequence[JudgedEntry], settings: Settings) -> list[JudgedEntry]:
    """Refuse ready entries of a session whose folder is a packet, or contains the folder of packets or the archive.

    Packets of that session itself are compared when it is imported.
    """
    by_session = {(entry.session.id, entry.path.name) for entry in judged if entry.session is not None}
    return [_judged(entry, by_session, settings) if entry.ready else entry for entry in judged]


def _judged(entry: JudgedEntry, by_session: Collection[tuple[str, str]], settings: Settings) -> JudgedEntry:
    if entry.session is None or (entry.session.id, entry.session.id) in by_session:
        return entry
    session = entry.session.id
    occupied = why_occupied(settings, settings.sessionsfolder / session, session)
    return entry if occupied is None else entry.refused(Code.SESSION_FOLDER, *occupied)


def why_occupied(settings: Settings, folder: Path, unit: str) -> Occupied | None:
    """Return why an existing folder cannot become a session: others may move it away as a packet, or have packets in it.

    Return None for a session, and for a folder that is neither a packet, nor is or contains the master inbox or the archive.
    `unit` is the session id of the packet.
    """
    if not folder.is_dir() or kind_of_folder(folder) == SESSION:
        return None
    inbox = settings.masterinbox
    for name, path in (("folder of packets", inbox), ("archive", settings.archive_folder)):
        if path is not None and Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            relation = "is" if _is_same(path, folder) else "contains"
            return _contains(
                settings, f"its session folder {folder} {relation} the {name} {path}; nothing was changed.", unit
            )
    if inbox is None or not any(_is_same(path, folder) for path in _folders_in(inbox)):
        return None
    message = f"its session folder {folder} is a packet in {inbox}; nothing was changed."
    return Occupied(message, "Rename that packet, or move it away. Then run again:", command_for(settings, [unit]))


def _contains(settings: Settings, message: str, unit: str) -> Occupied:
    packets = settings.sessionsfolder / MASTER_INBOX
    if settings.masterinbox in (None, packets):
        return Occupied(message, "Move one of them away. Then run again:", command_for(settings, [unit]))
    command = command_for(replace(settings, masterinbox=packets), [unit])
    return Occupied(
        message, f"Move the packets to {packets}, and that folder away. Then import them from there:", command
    )


def _folders_in(inbox: Path) -> Iterator[Path]:
    """Yield the folders in a master inbox, and its links to folders."""
    try:
        with os.scandir(inbox) as entries:
            yield from (Path(entry.path) for entry in entries if entry.is_dir())
    except OSError:
        return


def _is_same(path: Path, folder: Path) -> bool:
    try:
        return path.samefile(folder)
    except OSError:
        return False
