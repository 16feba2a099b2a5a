"""What is read for a session, and how its ledger paths begin."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from qxbatch.cells import escaped
from qxbatch.core import Reading
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.listing import names_in
from qxbatch.discover.sources import is_archive, session_sources
from qxbatch.model import Packet
from qxbatch.session.layout import SORTED_PATH

_SORTED = re.compile(r"\d+(\.tar\.gz)?|log")
"""What holds a packet's own bytes in `dicom`: series, and the scanner's logs. The rest are reports."""
IMAGES = ("dicom", "par")
"""Kinds of members for which an archive is a packet."""


@dataclass(frozen=True)
class Source:
    """A packet, or a folder of loose files, as the core reads it."""

    path: Path
    prefix: str
    """Ledger paths of its members begin with this."""
    skip: tuple[str, ...] = ()
    """Names on its top level that are left out: sources of their own."""


@dataclass(frozen=True)
class SessionInbox:
    """Folder mode: what a session's own inbox holds."""

    sources: tuple[Source, ...]
    archives: tuple[Packet, ...]
    """They obey `archive`; the loose files leave the inbox when they are sorted."""


def packet_sources(packets: Sequence[Packet]) -> tuple[Source, ...]:
    """Return the sources of inbox mode; the name of a packet stands in the ledger only where there are several."""
    if len(packets) == 1:
        return (Source(packets[0].path, ""),)
    return tuple(Source(packet.path, _prefix(packet.path)) for packet in packets)


def _prefix(path: Path) -> str:
    """A file that is no archive is a member under its own name."""
    if path.is_dir():
        return f"{path.name}/"
    return f"{path.name}!" if is_archive(path) else ""


def inbox_sources(inbox: Path, dicom: Path | None, whole: Collection[Path] = ()) -> SessionInbox:
    """Return the sources of folder mode: loose files, archives, and with `dicom` (overwrite) what was sorted before.

    Archives in `whole` are loose files: a spreadsheet is a zip, too.
    """
    found = session_sources(inbox)
    archives = [Packet(path, path.name, fingerprint(path)) for path in found.archives if path not in whole]
    skip = tuple(packet.path.name for packet in archives)
    sources = [Source(inbox, "", skip)] if len(found.archives) > len(archives) or found.loose else []
    sources += [Source(packet.path, f"{packet.path.name}!") for packet in archives]
    if dicom is not None:
        sources += sorted_sources(dicom)
    return SessionInbox(tuple(sources), tuple(archives))


def sorted_sources(dicom: Path) -> list[Source]:
    """Return what lies sorted in a session, however it is packed; ledger paths begin with `../dicom/`."""
    if not dicom.is_dir():
        return []
    paths = (dicom / name for name in names_in(dicom) if _SORTED.fullmatch(name))
    return [Source(path, f"{SORTED_PATH}{path.name}{'/' if path.is_dir() else '!'}") for path in paths]


def without_images(reading: Reading, archives: Sequence[Packet]) -> list[Path]:
    """Return the archives of an inbox that held neither DICOM nor PAR/REC: they are files like others, and stay."""
    members = [row.path for row in map(reading.row, range(len(reading))) if row.kind in IMAGES and "!" in row.path]
    return [
        packet.path
        for packet in archives
        if not any(path.startswith(f"{escaped(packet.path.name)}!") for path in members)
    ]
