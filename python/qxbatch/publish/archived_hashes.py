"""Hashes of the members of archived packets: files of a replaced session with these bytes need not be kept."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qxbatch.core import CancelledError, Monitor, Row, ingest
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.publish.below import temporary_folder_below
from qxbatch.publish.open_folders import OpenFolder
from qxbatch.session.folder import SessionFolder
from qxbatch.session.ledger import Fate


def archived_hashes(old: OpenFolder, archive: Path, top: Path, monitor: Monitor | None) -> set[str]:
    """Return the hashes of all readable members of the archived packets from which a replaced session was imported.

    Reads the packets again, so that only readable bytes count. Passwords are not used, since they may be lost later; so encrypted
    members do not count. `old` is the folder with the files of the replaced session, below `top`, the sessions folder. The scratch
    folder is beside `old`, and is removed at the end. Once `monitor` is cancelled, no packet is read. Raises OSError.
    """
    digests: set[str] = set()
    scratch = old.path.with_name(f"{old.path.name}.check")
    for packet in _archived_packets(old.descriptor_path, archive):
        with temporary_folder_below(scratch, top) as folder:
            rows = _rows(packet, folder, monitor)
        digests.update(
            digest for row in rows if row.fate != Fate.REFUSED for digest in (row.sha256, row.content_sha256)
        )
    return digests - {""}


def _rows(packet: Path, scratch: Path, monitor: Monitor | None) -> list[Row]:
    """Return the members of a packet; none if it cannot be read, or the monitor is cancelled."""
    try:
        reading = ingest([(str(packet), "")], str(scratch), hard_link=True, monitor=monitor)
    except (OSError, CancelledError):
        return []
    return [reading.row(index) for index in range(len(reading))]


def _archived_packets(old: Path, archive: Path) -> Iterator[Path]:
    """Yield the archived packets whose name (with or without a number), number of files and size are those of a packet of `old`."""
    summary = SessionFolder(old).readable_summary
    try:
        paths = sorted(archive.iterdir()) if summary else []
    except OSError:
        return
    measures: dict[str, set[tuple[Any, ...]]] = {}
    for packet in summary.packets if summary else ():
        measures.setdefault(packet.name, set()).add((packet.files, packet.size))
    for path in paths:
        expected = set[tuple[Any, ...]]().union(*(measures.get(name, ()) for name in _possible_names(path.name)))
        if expected and _files_and_size(path) in expected:  # measuring a folder reads all of it
            yield path


def _possible_names(name: str) -> set[str]:
    """Return a name, and the names that it may have had before a number was added."""
    numbers = re.finditer(r"_\d+", name)
    return {name, *(name[: number.start()] + name[number.end() :] for number in numbers)}


def _files_and_size(path: Path) -> tuple[int, ...]:
    """Return the number of files of a packet and its size in bytes; an empty tuple if it cannot be read."""
    try:
        current = fingerprint(path)
    except OSError:
        return ()
    return (current.files, current.size)
