"""Refuses a session whose folder is a packet, or is or contains the master inbox or the archive."""

import contextlib
import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.discover.session_folders import FolderKind, kind_of_folder
from qxbatch.problems import Code
from qxbatch.session.layout import MASTER_INBOX
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings


class OccupiedFolder(NamedTuple):
    """Why a folder cannot become a session."""

    message: str
    hint: str
    command: str


def refuse_packet_places(judged: Sequence[JudgedEntry], settings: Settings) -> list[JudgedEntry]:
    """Refuse ready entries of a session whose folder is a packet, or is or contains the master inbox or the archive.

    Entries of a session are not refused here if one of them has the session id as its file name: the folder may be that entry,
    and must be checked when it is imported (`why_occupied`).
    """
    ids_and_names = {(entry.session.id, entry.path.name) for entry in judged if entry.session is not None}
    folders = PacketFolders(settings.masterinbox)
    return [_judge(entry, ids_and_names, settings, folders) if entry.is_ready else entry for entry in judged]


def _judge(
    entry: JudgedEntry, ids_and_names: Collection[tuple[str, str]], settings: Settings, folders: "PacketFolders"
) -> JudgedEntry:
    if entry.session is None or (entry.session.id, entry.session.id) in ids_and_names:
        return entry
    session = entry.session.id
    occupied = why_occupied(settings, settings.sessionsfolder / session, session, folders)
    return entry if occupied is None else entry.refuse(Code.SESSION_FOLDER, *occupied)


class PacketFolders:
    """The folders in a master inbox, and those that its links lead to. They are listed once, when they are needed."""

    def __init__(self, inbox: Path | None) -> None:
        self.inbox = inbox

    @cached_property
    def _ids(self) -> frozenset[tuple[int, int]]:
        """Device and inode of each folder."""
        ids = set()
        with contextlib.suppress(OSError), os.scandir(self.inbox) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir():
                        status = os.stat(entry.path)  # noqa: PTH116 - thousands of calls
                        ids.add((status.st_dev, status.st_ino))
        return frozenset(ids)

    def __contains__(self, folder: Path) -> bool:
        """Whether a folder is one of these folders; False if it does not exist."""
        try:
            status = folder.stat()
        except OSError:
            return False
        return self.inbox is not None and (status.st_dev, status.st_ino) in self._ids


def why_occupied(
    settings: Settings, folder: Path, unit_name: str, packet_folders: PacketFolders
) -> OccupiedFolder | None:
    """Return why a folder cannot become a session: it is a packet, or it is or contains the master inbox or the archive.

    Return None if it can, if it is a session already, or if it is not an existing folder. `unit_name` is the session id of
    the packet that is imported, and `packet_folders` are the folders in the master inbox.
    """
    if not folder.is_dir() or kind_of_folder(folder) is FolderKind.SESSION:
        return None
    inbox = settings.masterinbox
    for name, path in (("folder of packets", inbox), ("archive", settings.archive_folder)):
        if path is not None and Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            relation = "is" if _is_same(path, folder) else "contains"
            return _occupied_by_packets(
                settings, f"its session folder {folder} {relation} the {name} {path}; nothing was changed.", unit_name
            )
    if inbox is None or folder not in packet_folders:
        return None
    message = f"its session folder {folder} is a packet in {inbox}; nothing was changed."
    return OccupiedFolder(
        message, "Rename that packet, or move it away. Then run again:", command_for(settings, [unit_name])
    )


def _occupied_by_packets(settings: Settings, message: str, unit_name: str) -> OccupiedFolder:
    """Return the reason `message` with advice, for a folder that is or contains the master inbox or the archive."""
    packets = settings.sessionsfolder / MASTER_INBOX
    if settings.masterinbox in (None, packets):
        return OccupiedFolder(message, "Move one of them away. Then run again:", command_for(settings, [unit_name]))
    command = command_for(replace(settings, masterinbox=packets), [unit_name])
    return OccupiedFolder(
        message, f"Move the packets to {packets}, and the session folder away. Then import them from there:", command
    )


def _is_same(path: Path, folder: Path) -> bool:
    try:
        return path.samefile(folder)
    except OSError:
        return False
