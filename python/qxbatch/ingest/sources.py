"""The sources that are read for a session, and the prefixes of their ledger paths."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.core import Reading, is_archive
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.listing import names_in
from qxbatch.ledger_cells import escape
from qxbatch.model import Packet
from qxbatch.session.layout import FROM_DICOM_PREFIX

_SORTED = re.compile(r"\d+(\.tar\.gz)?|log")
"""Entries of `dicom` with original bytes: series, and the scanner's logs. Imports write the other entries."""


class Source(NamedTuple):
    """A packet, or a folder of loose files, for the core."""

    path: Path
    prefix: str
    """Prefix of the ledger paths of its members."""
    skipped_names: tuple[str, ...] = ()
    """Names on its top level that the core skips, because they are separate sources."""


class UnitSources(NamedTuple):
    """The sources that are read for a unit, and what is archived afterwards."""

    sources: tuple[Source, ...]
    archivable_packets: tuple[Packet, ...]
    """The packets to which the option `archive` applies; in folder mode (`--masterinbox=none`), the archives in the inbox."""


def packet_sources(packets: Sequence[Packet]) -> tuple[Source, ...]:
    """Return the sources of inbox mode; ledger paths start with the packet's name only if there are several."""
    if len(packets) == 1:
        return (Source(packets[0].path, ""),)
    return tuple(Source(packet.path, _prefix(packet.path)) for packet in packets)


def _prefix(path: Path) -> str:
    """Return the prefix of the ledger paths of a packet; empty for a file that is not an archive: its path is its name."""
    if path.is_dir():
        return f"{path.name}/"
    return f"{path.name}!" if is_archive(os.fspath(path)) else ""


def inbox_sources(inbox: Path, dicom: Path | None) -> UnitSources:
    """Return the sources of folder mode: loose files, archives and, if `dicom` is given (with --overwrite), the sorted files in it.

    Raises UsageError when a folder cannot be listed, OSError when an archive cannot be read.
    """
    paths = [inbox / name for name in names_in(inbox)]
    archives = [path for path in paths if path.is_file() and is_archive(os.fspath(path))]
    sources = [Source(inbox, "", tuple(path.name for path in archives))] if len(archives) < len(paths) else []
    sources += [Source(path, f"{path.name}!") for path in archives]
    if dicom is not None:
        sources += sorted_sources(dicom)
    return UnitSources(tuple(sources), tuple(Packet(path, path.name, fingerprint(path)) for path in archives))


def sorted_sources(dicom: Path) -> list[Source]:
    """Return the sorted series of a session, packed or not, and its logs; ledger paths start with `../dicom/`."""
    if not dicom.is_dir():
        return []
    paths = (dicom / name for name in names_in(dicom) if _SORTED.fullmatch(name))
    return [Source(path, f"{FROM_DICOM_PREFIX}{path.name}{'/' if path.is_dir() else '!'}") for path in paths]


def opened_archives(reading: Reading, archives: Sequence[Packet]) -> tuple[Packet, ...]:
    """Return the archives of an inbox, without those that the core keeps as one file.

    An archive without DICOM or PAR/REC is kept as it is: a spreadsheet is a zip, too. It remains in the inbox like other files.
    """
    kept_paths = {row.path for row in map(reading.row, range(len(reading))) if row.fate in ("kept", "nodata")}
    return tuple(packet for packet in archives if escape(packet.path.name) not in kept_paths)
