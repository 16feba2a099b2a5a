"""The journal of a unit: what to publish and archive once its results are complete, verified and on disk.

A unit is the packets that are imported together; its name is their session id.

The journal is written before the first visible change and removed after the last one. So if a run is killed, a unit without a
journal has changed nothing, and the next run finishes a unit with one. "This run" is the run that reads the journal.

Everybody who may write to the sessions folder can write a journal. So a journal is used only if its sessions are those of its unit,
and its packets are in an inbox of this run or in the archive folder.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.model import Fingerprint, Packet
from qxbatch.publish.below import opened_below, write_below
from qxbatch.publish.durable import sync_folder, write_new_json
from qxbatch.publish.folder_identity import FolderIdentity
from qxbatch.publish.plain_files import is_below_without_links, is_plain_name, read_plain
from qxbatch.publish.workspace import Workspace
from qxbatch.resolve.names import invalid_name_reason
from qxbatch.settings.command import as_regex
from qxbatch.settings.model import Archive
from qxbatch.visible import shell_word

JOURNAL_VERSION = 6
"""The version of the format. A journal of another version is refused."""
NUMBER_LIMIT = 10**6
"""The numbers of names in the archive folder are from 1 to below this limit. A journal with another number is refused; in
`numbers.json` (qxbatch.archive.stored_numbers), another number is ignored."""
RUN_PATTERN = re.compile("[0-9a-f]{16}")
"""Matches the digits of a run (`Workspace.run`)."""
_KEYS = {
    "has_errors": "series_failed",
    "has_extra_bytes": "surrounded",
    "has_external_links": "contains_links",
    "is_behind_link": "behind_link",
    "is_damaged": "damaged",
    "label": "names",
    "ledger_hashes": "ledgers",
    "publishes_inbox": "with_inbox",
    "replaced_sessions": "replaced",
    "requested_mode": "archive",
    "session_inbox": "inbox",
    "folder_identity": "place",
}
"""Maps the fields of `Journal` to their keys in the file, where the two differ."""
IN_NO_INBOX = "in no inbox of this run"
"""A part of the reason why a journal is not used, if a packet is neither in an inbox of this run nor in the archive folder."""
BEHIND_LINK = (
    "reached through a link now, and qxbatch does not move a packet through a link; replace the link by the folder itself, and run "
    "again"
)
"""A part of the reason why a journal is not used, if a folder above a packet that is to be moved is a link now."""
COPIED_STUDY = "this study was copied, or moved from another disk, after that run"
"""A part of messages, if the journal was written in another folder, of which this one is a copy. "That run" wrote the journal."""


class JournaledPacket(NamedTuple):
    """A packet that is archived after its sessions are published."""

    packet: Packet
    number: int | None = None
    """Folder mode (`--masterinbox=none`): the number chosen for its name in the archive (qxbatch.archive.numbers), if any."""


@dataclass(frozen=True)
class Journal:
    """The remaining work for a unit, and the facts that decide what is done with its packets."""

    unit: str
    run: str
    """The run that wrote the journal: 16 hex digits, which are part of the names of that run's staging folders."""
    packets: tuple[JournaledPacket, ...]
    sessions: tuple[str, ...]
    """Session ids of the builds to publish."""
    replaced_sessions: tuple[str, ...]
    """The sessions that existed when the journal was written, and are replaced. One that appears later is not replaced."""
    requested_mode: Archive
    """The value of `--archive`. qxbatch.archive.decision decides what is done."""
    has_errors: bool
    """Whether one of the sessions has an error, for example a series that failed."""
    is_damaged: bool
    """Whether some members of the packets cannot be read."""
    has_extra_bytes: bool
    """Whether the packets have bytes that their sessions may lack: in no member, for example after the end of an archive."""
    has_external_links: bool
    """Whether the packets contain links to something outside of them, or to nothing; in folder mode, only links in archives."""
    is_behind_link: bool
    """Whether a packet is reached through a link below the sessions folder; if so, no packet leaves the inbox."""
    publishes_inbox: bool
    """Whether the `inbox` of the build is published too. In folder mode, the session's `inbox` belongs to the user."""
    session_inbox: Path | None = None
    """Folder mode: the inbox of the session (`Unit.session_inbox`); None in inbox mode. The files that `taken.tsv` in staging lists
    are removed from it, since a session contains them."""
    label: str = ""
    """The name of the unit in messages (`Unit.label`); in a de-identified import, identities are redacted."""
    ledger_hashes: tuple[str, ...] = ()
    """SHA-256 of the ledger of each session. The packets are archived only if the published sessions have these ledgers."""
    folder_identity: FolderIdentity | None = None
    """The identity of the sessions folder when the journal was written; None if a version of qxbatch wrote it that did not record
    the identity."""

    def is_of_copied_study(self, workspace: Workspace) -> bool:
        """Return whether the journal was written in another folder, of which this study is a copy. Raises OSError."""
        is_elsewhere = self.folder_identity is not None and self.folder_identity.is_other_folder(
            workspace.folder_identity
        )
        return is_elsewhere or not workspace.is_of_study(self.run)


def write_journal(journal: Journal, workspace: Workspace) -> None:
    """Write the journal, and sync it.

    Paths below the sessions folder are relative to it, since a container may see that folder under another path.

    Raises FileExistsError when another run wrote a journal, and OSError.
    """
    top = workspace.sessionsfolder

    def relative(path: Path) -> str:
        return str(path.relative_to(top) if path.is_relative_to(top) else path)

    content = {_KEYS.get(name, name): value for name, value in asdict(journal).items()} | {
        "version": JOURNAL_VERSION,
        "inbox": None if journal.session_inbox is None else relative(journal.session_inbox),
        "packets": [
            {
                "path": relative(entry.packet.path),
                "name": entry.packet.packet_name,
                "fingerprint": asdict(entry.packet.fingerprint),
                "number": entry.number,
            }
            for entry in journal.packets
        ],
    }
    path, temporary = workspace.journal_path(journal.unit), workspace.temporary_journal_path(journal.unit)
    write_below(
        path.parent,
        workspace.sessionsfolder,
        lambda folder: write_new_json(folder / path.name, folder / temporary.name, content),
    )


def run_of_journal(path: Path) -> str:
    """Return the run that wrote a journal, of any version; empty if the journal is missing or names no run. Raises OSError."""
    try:
        return str(json.loads(read_plain(path) or b"null")["run"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def read_journal(unit: str, workspace: Workspace) -> Journal:
    """Read a unit's journal.

    Raises OSError, and ValueError when it has another version, is not a journal, or has a value that does not belong to its unit
    or to this study.
    """
    path = workspace.journal_path(unit)
    text = read_plain(path)
    if text is None:
        raise ValueError(f"{path} is not a file")
    try:
        return _journal(unit, json.loads(text), workspace)
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError, UnicodeError) as error:
        raise ValueError(f"{path} is not a journal: {type(error).__name__}: {error}") from error


def _journal(unit: str, content: Mapping[str, Any], workspace: Workspace) -> Journal:
    """Return the journal with this JSON content. Raises ValueError as `read_journal`.

    For content of another form, raises an exception that `read_journal` turns into ValueError, such as KeyError.
    """
    if content.get("version") != JOURNAL_VERSION:
        raise ValueError(f"a journal of version {content.get('version')}, this program writes {JOURNAL_VERSION}")
    top = workspace.sessionsfolder
    journal = Journal(
        unit=content["unit"],
        run=content["run"],
        packets=tuple(_packet(packet, top) for packet in content["packets"]),
        sessions=tuple(content["sessions"]),
        replaced_sessions=tuple(map(str, content["replaced"])),
        requested_mode=Archive(content["archive"]),
        has_errors=bool(content["series_failed"]),
        is_damaged=bool(content["damaged"]),
        has_extra_bytes=bool(content["surrounded"]),
        has_external_links=bool(content["contains_links"]),
        is_behind_link=bool(content["behind_link"]),
        publishes_inbox=bool(content["with_inbox"]),
        session_inbox=None if content["inbox"] is None else top / content["inbox"],
        label=str(content["names"]),
        ledger_hashes=tuple(map(str, content["ledgers"])),
        folder_identity=FolderIdentity.of_record(content.get("place")),
    )
    for reason in _faults(journal, unit, workspace):
        raise ValueError(reason)
    return journal


def _packet(content: Mapping[str, Any], top: Path) -> JournaledPacket:
    fingerprint = Fingerprint(**{key: int(value) for key, value in content["fingerprint"].items()})
    number = None if content["number"] is None else int(content["number"])
    if number is not None and not 1 <= number < NUMBER_LIMIT:
        raise ValueError(f"a packet has the number {content['number']!r:.40}")
    os.fsencode(str(content["path"]))  # a lone surrogate is not a valid name
    if "\0" in str(content["path"]):
        raise ValueError("a packet's path contains a null byte")
    return JournaledPacket(Packet(top / content["path"], str(content["name"]), fingerprint), number)


def _faults(journal: Journal, unit: str, workspace: Workspace) -> Iterable[str]:
    """Yield a reason for each value of a journal that does not belong to its unit or to this study."""
    if journal.unit != unit or invalid_name_reason(unit):
        yield f"its unit is {journal.unit!r}"
    if not RUN_PATTERN.fullmatch(journal.run):
        yield f"its run is {journal.run!r}"
    for session in journal.sessions:
        if not is_session_of(session, unit):
            yield f"no session of {unit} is called {session!r}"
    if journal.packets and not journal.sessions:
        yield "it has no session, so none of its packets is imported"
    if len(journal.ledger_hashes) != len(journal.sessions):
        yield "it does not have one ledger for each session"
    if journal.session_inbox is not None and journal.session_inbox != workspace.session_paths(unit).inbox:
        yield f"{journal.session_inbox} is not the inbox of session {unit}"
    for entry in journal.packets:
        yield from _path_faults(entry.packet.path, journal, workspace)


def _path_faults(path: Path, journal: Journal, workspace: Workspace) -> Iterable[str]:
    """Yield a reason if the path of a packet is not one that this run may use."""
    if not _is_in_inbox_or_archive(path, journal, workspace):
        yield _no_inbox_reason(path, journal, workspace)
    elif _moves_through_link(path, journal, workspace):
        yield f"{path} is {BEHIND_LINK}"


def _no_inbox_reason(path: Path, journal: Journal, workspace: Workspace) -> str:
    """Return the reason about a packet that is neither in an inbox of this run nor in the archive folder."""
    inbox = shell_word(f"--masterinbox={path.parent}")
    if not journal.is_of_copied_study(workspace):
        return f"{path} is {IN_NO_INBOX}; if it is one of your packets, run again with {inbox}"
    session = shell_word(f"--sessions={as_regex(journal.unit)}")
    return (
        f"{path} is {IN_NO_INBOX}; {COPIED_STUDY}. If it is one of your packets, run once with {inbox} {session} "
        "--archive=leave: the packet stays where it is"
    )


def is_session_of(session: object, unit: str) -> bool:
    """Return whether a text is the id of the unit's session, or of one into which its packet was split."""
    if not isinstance(session, str) or not is_plain_name(session) or invalid_name_reason(session):
        return False
    return session == unit or re.fullmatch(rf"{re.escape(unit)}-[1-9][0-9]*", session) is not None


def _is_in_inbox_or_archive(path: Path, journal: Journal, workspace: Workspace) -> bool:
    """Return whether a packet is in an inbox of this run or in the archive folder; in folder mode, in its session's inbox."""
    if ".." in path.parts:
        return False
    if journal.session_inbox is not None:
        return path.is_relative_to(journal.session_inbox)
    return path.parent == workspace.archive_folder or path.parent in workspace.inboxes


def _moves_through_link(path: Path, journal: Journal, workspace: Workspace) -> bool:
    """Return whether a packet in an inbox may have to be moved, and is reached through a link below the sessions folder."""
    if journal.is_behind_link or journal.requested_mode in (Archive.LEAVE, Archive.COPY):
        return False
    if journal.session_inbox is None and path.parent == workspace.archive_folder:
        return False
    top = workspace.sessionsfolder
    return path.is_relative_to(top) and not is_below_without_links(path, top)


def remove_journal(unit: str, workspace: Workspace) -> None:
    """Remove the journal of a unit that is finished, and sync its folder. Raises OSError, LinkError."""
    path = workspace.journal_path(unit)
    with opened_below(path.parent, workspace.sessionsfolder) as folder:
        (folder.descriptor_path / path.name).unlink()
        sync_folder(folder.descriptor_path)
