"""The end of a unit, from its journal: publish, keep what was replaced, archive. Every step can be repeated."""

from dataclasses import dataclass
from pathlib import Path

from qxbatch.archive.packet import settle_packet
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.model import Packet
from qxbatch.problems import Code, Problem, Severity
from qxbatch.publish.exchange import publish
from qxbatch.publish.journal import Journal, remove_journal
from qxbatch.publish.replaced import keep_replaced
from qxbatch.publish.taken import Stayed, take
from qxbatch.publish.workspace import Workspace


@dataclass(frozen=True)
class Ending:
    """How a unit ended."""

    archived: tuple[Path, ...]
    """Where its packets lie now."""
    problems: tuple[Problem, ...]


def finish(journal: Journal, workspace: Workspace) -> Ending:
    """Do what the journal says is left, then remove it.

    Raises OSError when the sessions folder cannot be written; the journal then stays for the next run.
    """
    problems: list[Problem] = []
    for session in journal.sessions:
        target = workspace.sessionsfolder / session
        old = workspace.old(journal.unit, session)
        publish(workspace.build(journal.unit, session), target, old, with_inbox=journal.with_inbox)
        kept = keep_replaced(old, target, journal.archive_folder.parent / "replaced")
        if kept is not None:
            message = f"files of the replaced session that no other place holds were kept in {kept}."
            problems.append(Problem(Code.REPLACED_KEPT, session, message, severity=Severity.WARNING))
    if journal.inbox is not None and workspace.taken(journal.unit).exists():
        problems += map(_stayed, take(journal.inbox, workspace.taken(journal.unit)))
    archived, unsettled = _archive(journal)
    problems += unsettled
    if not any(p.code is Code.ARCHIVE for p in unsettled):
        remove_journal(workspace.journal(journal.unit))
    workspace.clear(journal.unit)
    return Ending(tuple(archived), tuple(problems))


def _stayed(stayed: Stayed) -> Problem:
    if stayed.error:
        message = f"is sorted, and could not leave the inbox: {stayed.error}."
        return Problem(Code.CANNOT_WRITE, str(stayed.path), message, "Remove it; the session holds its bytes.")
    message = "changed while it was imported, and stays; the session holds what was read."
    return Problem(Code.CHANGED, str(stayed.path), message, "Compare the two.")


def _archive(journal: Journal) -> tuple[list[Path], list[Problem]]:
    archived: list[Path] = []
    problems: list[Problem] = []
    for packet in journal.packets:
        if packet.name in journal.stay or str(packet.path) in journal.stay:
            continue
        changed = _changed(packet)
        if changed is not None:
            problems.append(changed)
            continue
        try:
            place = settle_packet(packet.path, journal.archive_folder, journal.archive)
        except OSError as error:
            message = f"its session is complete; the packet could not be archived ({journal.archive}): {error}."
            hint = "Mend the cause and run again: only the archiving is left."
            problems.append(Problem(Code.ARCHIVE, str(packet.path), message, hint))
            continue
        if place is not None:
            archived.append(place)
    return archived, problems


def _changed(packet: Packet) -> Problem | None:
    try:
        now = fingerprint(packet.path)
    except FileNotFoundError:
        return None  # moved by the run that was killed
    if now == packet.fingerprint:
        return None
    message = "changed while it was imported, and stays where it is; the session holds what was read."
    return Problem(Code.CHANGED, str(packet.path), message, "Compare the two, then import again with --overwrite=yes.")
