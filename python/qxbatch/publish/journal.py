"""The journal of a unit: what is to be published and archived once its results are complete, verified and on disk.

It is written before the first visible change and removed after the last one, so a unit without a journal has changed
nothing, and a unit with one is finished by the next run.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qxbatch.model import Fingerprint, Packet
from qxbatch.publish.durable import make_folder, sync_folder, write_json
from qxbatch.settings.model import Archive

VERSION = 3


@dataclass(frozen=True)
class JournaledPacket:
    """A packet that is archived once its sessions are published."""

    packet: Packet
    number: int | None = None
    """Folder mode: the number that was chosen for its name in the archive (qxbatch.archive.numbers), where one was."""


@dataclass(frozen=True)
class Journal:
    """What is left to do for a unit."""

    unit: str
    packets: tuple[JournaledPacket, ...]
    sessions: tuple[str, ...]
    """Session ids whose builds are to be published."""
    archive: Archive
    """As asked; qxbatch.archive.decision says what is done."""
    series_failed: bool
    damaged: bool
    """Some members of the packets cannot be read."""
    archive_folder: Path
    with_inbox: bool
    """The session's `inbox` is exchanged too (inbox mode)."""
    inbox: Path | None = None
    """Folder mode: the inbox whose sorted files leave it; they are listed in `<unit>/taken.tsv`."""
    names: str = ""
    """The packets' names as they are told."""
    ledgers: tuple[str, ...] = ()
    """SHA-256 of each session's ledger: what is archived by this journal lies in that session and no other."""


def write_journal(path: Path, journal: Journal, sessionsfolder: Path) -> None:
    """Write the journal so that it is on disk when the call returns.

    What lies below the sessions folder is written relative to it: a container may see that folder under another path.
    """

    def told(place: Path) -> str:
        return str(place.relative_to(sessionsfolder) if place.is_relative_to(sessionsfolder) else place)

    content = asdict(journal) | {
        "version": VERSION,
        "archive_folder": told(journal.archive_folder),
        "inbox": None if journal.inbox is None else told(journal.inbox),
        "packets": [
            asdict(each.packet) | {"path": told(each.packet.path), "number": each.number} for each in journal.packets
        ],
    }
    make_folder(path.parent)
    write_json(path, content)


def read_journal(path: Path, sessionsfolder: Path) -> Journal:
    """Read a journal. Raises OSError, and ValueError when it is of another version or no journal."""
    content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if content.get("version") != VERSION:
        raise ValueError(f"{path}: a journal of version {content.get('version')}, this program writes {VERSION}")
    return Journal(
        unit=content["unit"],
        packets=tuple(_packet(packet, sessionsfolder) for packet in content["packets"]),
        sessions=tuple(content["sessions"]),
        archive=Archive(content["archive"]),
        series_failed=content["series_failed"],
        damaged=content["damaged"],
        archive_folder=sessionsfolder / content["archive_folder"],
        with_inbox=content["with_inbox"],
        inbox=None if content["inbox"] is None else sessionsfolder / content["inbox"],
        names=content["names"],
        ledgers=tuple(content["ledgers"]),
    )


def _packet(content: Mapping[str, Any], sessionsfolder: Path) -> JournaledPacket:
    fingerprint = Fingerprint(**content["fingerprint"])
    return JournaledPacket(Packet(sessionsfolder / content["path"], content["name"], fingerprint), content["number"])


def remove_journal(path: Path) -> None:
    """Remove the journal: the unit is finished."""
    path.unlink()
    sync_folder(path.parent)
