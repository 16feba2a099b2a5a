"""The journal of a unit: what is to be published and archived once its results are complete, verified and on disk.

It is written before the first visible change and removed after the last one, so a unit without a journal has changed
nothing, and a unit with one is finished by the next run. It is believed only where all that it names belongs to this
study: whoever may write to the sessions folder could have written it.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.model import Fingerprint, Packet
from qxbatch.publish.durable import make_folder, sync_folder, write_new_json
from qxbatch.publish.plain import is_below, is_plain_name, read_plain
from qxbatch.publish.workspace import Workspace
from qxbatch.resolve.names import fault
from qxbatch.settings.model import Archive

VERSION = 4
HIGHEST_NUMBER = 10**6
"""Of an archive whose name is taken: a higher one was not written by a run."""
RUN = re.compile("[0-9a-f]{16}")


class JournaledPacket(NamedTuple):
    """A packet that is archived once its sessions are published."""

    packet: Packet
    number: int | None = None
    """Folder mode: the number that was chosen for its name in the archive (qxbatch.archive.numbers), where one was."""


@dataclass(frozen=True)
class Journal:
    """What is left to do for a unit."""

    unit: str
    run: str
    """The run that wrote it: its staging and hidden copies have that in their names."""
    packets: tuple[JournaledPacket, ...]
    sessions: tuple[str, ...]
    """Session ids whose builds are to be published."""
    archive: Archive
    """As asked; qxbatch.archive.decision says what is done."""
    series_failed: bool
    damaged: bool
    """Some members of the packets cannot be read."""
    surrounded: bool
    """An archive among the packets has bytes that are not part of any member."""
    linked: bool
    """The packets are reached through a link below the sessions folder, and stay."""
    with_inbox: bool
    """The session's `inbox` is exchanged too (inbox mode)."""
    inbox: Path | None = None
    """Folder mode: the inbox whose sorted files leave it; they are listed in `<unit>/taken.tsv`."""
    names: str = ""
    """The packets' names as they are told."""
    ledgers: tuple[str, ...] = ()
    """SHA-256 of each session's ledger: what is archived by this journal lies in that session and no other."""


def write_journal(journal: Journal, workspace: Workspace) -> None:
    """Write the journal so that it is on disk when the call returns.

    What is below the sessions folder is written relative to it: a container may see that folder under another path.

    Raises FileExistsError where another run wrote one, OSError.
    """
    top = workspace.sessionsfolder

    def told(place: Path) -> str:
        return str(place.relative_to(top) if place.is_relative_to(top) else place)

    content = asdict(journal) | {
        "version": VERSION,
        "inbox": None if journal.inbox is None else told(journal.inbox),
        "packets": [
            asdict(each.packet) | {"path": told(each.packet.path), "number": each.number} for each in journal.packets
        ],
    }
    make_folder(workspace.journals)
    write_new_json(workspace.journal(journal.unit), workspace.new_journal(journal.unit), content)


def journal_run(path: Path) -> str:
    """Return the run that wrote a journal; empty where there is none, or none that this version wrote. Raises OSError."""
    try:
        return str(json.loads(read_plain(path) or b"null")["run"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def read_journal(unit: str, workspace: Workspace) -> Journal:
    """Read a unit's journal.

    Raises OSError, and ValueError when it is of another version, no journal, or names what is not of this study.
    """
    path = workspace.journal(unit)
    text = read_plain(path)
    if text is None:
        raise ValueError(f"{path} is no file")
    try:
        return _journal(unit, json.loads(text), workspace)
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError, UnicodeError) as error:
        raise ValueError(f"{path} is no journal: {type(error).__name__}: {error}") from error


def _journal(unit: str, content: Mapping[str, Any], workspace: Workspace) -> Journal:
    if content.get("version") != VERSION:
        raise ValueError(f"a journal of version {content.get('version')}, this program writes {VERSION}")
    top = workspace.sessionsfolder
    journal = Journal(
        unit=content["unit"],
        run=content["run"],
        packets=tuple(_packet(packet, top) for packet in content["packets"]),
        sessions=tuple(content["sessions"]),
        archive=Archive(content["archive"]),
        series_failed=bool(content["series_failed"]),
        damaged=bool(content["damaged"]),
        surrounded=bool(content["surrounded"]),
        linked=bool(content["linked"]),
        with_inbox=bool(content["with_inbox"]),
        inbox=None if content["inbox"] is None else top / content["inbox"],
        names=str(content["names"]),
        ledgers=tuple(map(str, content["ledgers"])),
    )
    for wrong in _foreign(journal, unit, workspace):
        raise ValueError(wrong)
    return journal


def _packet(content: Mapping[str, Any], top: Path) -> JournaledPacket:
    fingerprint = Fingerprint(**{key: int(value) for key, value in content["fingerprint"].items()})
    number = None if content["number"] is None else int(content["number"])
    if number is not None and not 1 <= number < HIGHEST_NUMBER:
        raise ValueError(f"a packet has the number {content['number']!r:.40}")
    os.fsencode(str(content["path"]))  # a lone surrogate is no name
    if "\0" in str(content["path"]):
        raise ValueError("a packet's path contains a null byte")
    return JournaledPacket(Packet(top / content["path"], str(content["name"]), fingerprint), number)


def _foreign(journal: Journal, unit: str, workspace: Workspace) -> Iterable[str]:
    """Yield what a journal names that is not of its unit, or not of this study."""
    if journal.unit != unit or fault(unit):
        yield f"it is of a unit called {journal.unit!r}"
    if not RUN.fullmatch(journal.run):
        yield f"it is of a run called {journal.run!r}"
    for session in journal.sessions:
        if not is_plain_name(session) or fault(session):
            yield f"no session is called {session!r}"
    if len(journal.ledgers) != len(journal.sessions):
        yield "it has not one ledger for each session"
    if journal.inbox is not None and journal.inbox != workspace.session(unit).inbox:
        yield f"{journal.inbox} is not the inbox of session {unit}"
    for each in journal.packets:
        if not _is_own(each.packet.path, journal, workspace):
            yield (
                f"{each.packet.path} is in no inbox of this run; if it is a packet of yours, run again with "
                f"--masterinbox={each.packet.path.parent}"
            )


def _is_own(path: Path, journal: Journal, workspace: Workspace) -> bool:
    """Whether a packet is in the inbox of its session, or in the master inbox or the archive.

    What leaves a folder must not be reached through a link below the sessions folder.
    """
    top = workspace.sessionsfolder
    stays = journal.linked or journal.archive in (Archive.LEAVE, Archive.COPY)
    if ".." in path.parts:
        return False
    if journal.inbox is not None:
        return path.is_relative_to(journal.inbox) and (stays or is_below(path, top))
    if path.parent == workspace.archive:
        return True
    return path.parent in workspace.inboxes and (stays or not path.is_relative_to(top) or is_below(path, top))


def remove_journal(path: Path) -> None:
    """Remove the journal: the unit is finished."""
    path.unlink()
    sync_folder(path.parent)
