"""The end of a unit, from its journal: publish, keep what was replaced, archive. Every step can be repeated."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from qxbatch.pipeline.check_published import check_published
from qxbatch.pipeline.settle import settle_packets
from qxbatch.pipeline.unfinished import left_in_inbox
from qxbatch.problems import Code, Problem, Severity
from qxbatch.publish.exchange import publish
from qxbatch.publish.journal import Journal, remove_journal
from qxbatch.publish.locks import Locks
from qxbatch.publish.replaced import keep_replaced
from qxbatch.publish.taken import Stayed, take
from qxbatch.publish.workspace import Workspace
from qxbatch.session.layout import REPLACED


class Ending(NamedTuple):
    """How a unit ended."""

    places: Mapping[Path, Path | None]
    """Where each packet is now; None for a deleted one. What could not be archived is not among them."""
    problems: tuple[Problem, ...]

    @property
    def archived(self) -> Path | None:
        """Return where the first packet is now."""
        return next((place for place in self.places.values() if place is not None), None)


def finish(
    journal: Journal, workspace: Workspace, locks: Locks, need_lock: Callable[[], None], *, verify: bool = False
) -> Ending:
    """Do what the journal says is left, then remove it. `workspace` is that of the run that wrote the journal.

    `verify`: the sessions are read once more before anything leaves the inbox, since another run made them. `need_lock`
    raises PacketError when another run took the unit's lock over, and is called before each step: that run does the rest.

    Raises OSError when the sessions folder cannot be written; the journal then stays for the next run.
    """
    problems: list[Problem] = []
    for session in journal.sessions:
        need_lock()
        problems += _published(journal, workspace, session)
    need_lock()
    wrong = check_published(journal, workspace, verify=verify)
    problems += wrong
    need_lock()
    stayed = [] if wrong else _take(journal, workspace)
    problems += map(left_in_inbox, stayed)
    places, unsettled = settle_packets(journal, workspace, locks, need_lock, published=not wrong, own=not verify)
    problems += unsettled
    if any(each.error for each in stayed):
        return Ending(places, tuple(problems))  # the next run tries again by the journal and its list
    need_lock()
    if not any(p.code is Code.ARCHIVE for p in problems):
        remove_journal(workspace.journal(journal.unit))
    workspace.clear(journal.unit)
    return Ending(places, tuple(problems))


def _published(journal: Journal, workspace: Workspace, session: str) -> list[Problem]:
    workspace.refuse_led_out(journal.unit, session)
    target = workspace.session(session).folder
    old = workspace.old(journal.unit, session)
    publish(workspace.build(journal.unit, session), target, old, with_inbox=journal.with_inbox)
    replaced = workspace.archive.parent / REPLACED
    kept = keep_replaced(old, target, replaced, workspace.archive, workspace.tag(journal.unit))
    if kept is None:
        return []
    message = f"files of the replaced session that no other place holds were kept in {kept}."
    return [Problem(Code.REPLACED_KEPT, session, message, severity=Severity.WARNING)]


def _take(journal: Journal, workspace: Workspace) -> list[Stayed]:
    """Folder mode: sorted files leave the inbox."""
    if journal.inbox is None:
        return []
    listed = workspace.taken(journal.unit)
    return take(journal.inbox, listed, workspace.tag(journal.unit), workspace.sessionsfolder)
