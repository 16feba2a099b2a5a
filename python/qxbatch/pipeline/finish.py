"""The end of a unit, from its journal: publish, keep what was replaced, archive. Every step can be repeated."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from qxbatch.archive.decision import Facts, Reason, decide
from qxbatch.archive.packet import clear_hidden, settle_packet
from qxbatch.pipeline.check_published import check_published
from qxbatch.pipeline.unfinished import changed_packet, left_in_inbox, not_archived
from qxbatch.problems import Code, Problem, Severity
from qxbatch.publish.exchange import publish
from qxbatch.publish.journal import Journal, JournaledPacket, remove_journal
from qxbatch.publish.locks import Locks
from qxbatch.publish.replaced import keep_replaced
from qxbatch.publish.taken import Stayed, take
from qxbatch.publish.workspace import Workspace
from qxbatch.session.layout import REPLACED
from qxbatch.settings.model import Archive


@dataclass(frozen=True)
class Ending:
    """How a unit ended."""

    archived: tuple[Path, ...]
    """Where its packets lie now."""
    problems: tuple[Problem, ...]


def finish(journal: Journal, workspace: Workspace, locks: Locks, *, verify: bool = False) -> Ending:
    """Do what the journal says is left, then remove it.

    `verify`: the sessions are read once more before anything leaves the inbox, since another run made them.

    Raises OSError when the sessions folder cannot be written; the journal then stays for the next run.
    """
    problems: list[Problem] = []
    for session in journal.sessions:
        target = workspace.sessionsfolder / session
        old = workspace.old(journal.unit, session)
        publish(workspace.build(journal.unit, session), target, old, with_inbox=journal.with_inbox)
        kept = keep_replaced(old, target, journal.archive_folder.parent / REPLACED, journal.archive_folder)
        if kept is not None:
            message = f"files of the replaced session that no other place holds were kept in {kept}."
            problems.append(Problem(Code.REPLACED_KEPT, session, message, severity=Severity.WARNING))
    wrong = check_published(journal, workspace, verify=verify)
    problems += wrong
    stayed = [] if wrong else _take(journal, workspace)
    problems += map(left_in_inbox, stayed)
    archived, unsettled = _archive(journal, locks, published=not wrong, own=not verify)
    problems += unsettled
    if any(each.error for each in stayed):
        return Ending(archived, tuple(problems))  # the next run tries again by the journal and its list
    if not any(p.code is Code.ARCHIVE for p in problems):
        remove_journal(workspace.journal(journal.unit))
    workspace.clear(journal.unit)
    return Ending(archived, tuple(problems))


def _take(journal: Journal, workspace: Workspace) -> list[Stayed]:
    """Folder mode: sorted files leave the inbox."""
    if journal.inbox is None or not workspace.taken(journal.unit).exists():
        return []
    return take(journal.inbox, workspace.taken(journal.unit))


def _archive(journal: Journal, locks: Locks, *, published: bool, own: bool) -> tuple[tuple[Path, ...], list[Problem]]:
    archived: list[Path] = []
    problems: list[Problem] = []
    for each in journal.packets:
        changed = changed_packet(each.packet, own=own)
        facts = Facts(
            journal.archive,
            series_failed=journal.series_failed,
            damaged=journal.damaged,
            published=published,
            changed=changed is not None,
        )
        decision = decide(facts)
        if decision.mode is None:
            if decision.reason is Reason.CHANGED and changed is not None:
                if changed.code is Code.CHANGED and journal.archive is not Archive.LEAVE:
                    clear_hidden(each.packet.path, journal.archive_folder, journal.unit)
                problems.append(changed)
            continue
        try:
            place = _settled(each, decision.mode, journal, locks)
        except OSError as error:
            problems.append(not_archived(each.packet, decision.mode, error))
            continue
        if place is not None:
            archived.append(place)
    return tuple(archived), problems


def _settled(each: JournaledPacket, mode: Archive, journal: Journal, locks: Locks) -> Path | None:
    naming = partial(locks.waiting, "archive")
    folder, number = journal.archive_folder, each.number
    return settle_packet(each.packet.path, folder, mode, owner=journal.unit, naming=naming, number=number)
