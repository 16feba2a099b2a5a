"""Refuses an import that would replace packets: they are in the folders of the session, contain the session, or are its folder."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from qxbatch.deidentify import NAME_LEFT_OUT
from qxbatch.discover.packet_places import PacketFolders, why_occupied
from qxbatch.discover.units import Unit
from qxbatch.problems import Code, PacketError, Problem
from qxbatch.session.layout import MASTER_INBOX, RESULT_FOLDERS, SESSION_FOLDERS
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings, Stages

_MAX_LINKS = 40
"""The kernel follows at most this number of links in one path."""


def refuse_replacing_packets(settings: Settings, unit: Unit, session: Path) -> None:
    """Raise PacketError if packets are in the folders of a session that the import of a unit would replace.

    This checks the packets of the unit, those in the master inbox, and those that links in the master inbox lead to: in any
    mode of --archive, a packet must not leave with the replaced session. Also raise PacketError if a packet of the unit contains
    the session, or if the folder of the session is occupied (see `why_occupied`), for example by a packet.
    """
    if settings.stages is Stages.CONVERT or not session.is_dir():
        return
    real_session = Path(os.path.realpath(session))
    replaced_folders = {real_session / name for name in (RESULT_FOLDERS if unit.folder_mode else SESSION_FOLDERS)}
    packets = [] if unit.folder_mode else [packet.path for packet in unit.packets]
    for path in (*_sources(settings, unit), *packets):
        replaced_folder = next((step for step in _steps_of(path) if step in replaced_folders), None)
        if replaced_folder is not None:
            raise PacketError(_problem(settings, unit, path, replaced_folder))
    for path in packets:
        if real_session.is_relative_to(os.path.realpath(path)):
            message = f"{path} contains {session}, which its import would replace; nothing was changed."
            hint = "Name a folder of packets that does not contain the session, then run again."
            raise PacketError(Problem(Code.SESSION_FOLDER, unit.label, message, hint))
    occupied = why_occupied(settings, session, unit.session.id, PacketFolders(settings.masterinbox))
    if occupied is not None:
        raise PacketError(
            Problem(Code.SESSION_FOLDER, unit.label, occupied.message, occupied.hint, command=occupied.command)
        )


def _sources(settings: Settings, unit: Unit) -> Iterator[Path]:
    """Yield the folder of packets, and its entries that can lead into a session although the folder itself does not."""
    if unit.session_inbox is not None:
        yield unit.session_inbox
    elif settings.masterinbox is not None:
        yield settings.masterinbox
        names: list[str] = []
        with contextlib.suppress(OSError), os.scandir(settings.masterinbox) as entries:
            names = sorted(entry.name for entry in entries if entry.is_symlink() or entry.name in SESSION_FOLDERS)
        yield from filter(os.path.exists, (settings.masterinbox / name for name in names))


def _steps_of(path: Path) -> Iterator[Path]:
    """Yield each folder, link and file on the way from the root to a path; only the last name of a yielded path can be a link."""
    current = Path(path.anchor)
    remaining = [*reversed(Path.cwd().joinpath(path).parts[1:])]
    links = 0
    while remaining:
        name = remaining.pop()
        if name == "..":
            current = current.parent
            continue
        current /= name
        yield current
        if current.is_symlink() and (links := links + 1) <= _MAX_LINKS:
            target = current.readlink()
            current = Path(current.anchor) if target.is_absolute() else current.parent
            remaining += reversed(target.parts[1:] if target.is_absolute() else target.parts)


def _problem(settings: Settings, unit: Unit, path: Path, replaced_folder: Path) -> Problem:
    """Return the problem of a folder of packets or a link, `path`, that is in `replaced_folder` or leads to it."""
    is_named = not settings.deidentified or path in (settings.masterinbox, unit.session_inbox)
    name = path if is_named else path.with_name(NAME_LEFT_OUT)
    relation = f"and {name} leads there" if path.is_symlink() else f"and the folder of packets is {name}"
    message = (
        f"its import would replace {replaced_folder}, {relation}: packets would be taken away. Nothing was changed."
    )
    hint = f"Move the packets out of {replaced_folder.parent}, and put them into the inbox in place of the link. Then run again:"
    if path == settings.masterinbox and not path.is_symlink():
        packets = settings.sessionsfolder / MASTER_INBOX
        hint = f"Move the packets to {packets}, and import them from there:"
        settings = replace(settings, masterinbox=packets)
    command = command_for(settings, [unit.session.id])
    return Problem(Code.SESSION_FOLDER, unit.label, message, hint, command=command)
