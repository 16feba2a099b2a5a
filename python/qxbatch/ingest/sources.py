"""What is read for a session, and how its ledger paths begin."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.listing import names_in
from qxbatch.discover.sources import is_archive, session_sources
from qxbatch.model import Packet

_SERIES = re.compile(r"\d+(\.tar\.gz)?")


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


def inbox_sources(inbox: Path, dicom: Path | None) -> SessionInbox:
    """Return the sources of folder mode: loose files, archives, and with `dicom` (overwrite) what was sorted before."""
    found = session_sources(inbox)
    archives = [Packet(path, path.name, fingerprint(path)) for path in found.archives]
    sources = [Source(inbox, "", tuple(path.name for path in found.archives))] if found.loose else []
    sources += [Source(path, f"{path.name}!") for path in found.archives]
    if dicom is not None:
        for name in names_in(dicom) if dicom.is_dir() else ():
            if _SERIES.fullmatch(name):
                path = dicom / name
                sources.append(Source(path, f"../dicom/{name}{'/' if path.is_dir() else '!'}"))
    return SessionInbox(tuple(sources), tuple(archives))
