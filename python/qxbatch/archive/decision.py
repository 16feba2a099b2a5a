"""Decides what to do with a packet, and with the loose files of a session's inbox, which are in no archive."""

from enum import StrEnum
from typing import NamedTuple

from qxbatch.settings.model import Archive

KEEPING = (Archive.LEAVE, Archive.COPY)
"""Modes of `--archive` in which a packet stays in the inbox."""
_FROM_KEEPING_TO_DELETING = (*KEEPING, Archive.MOVE, Archive.DELETE)
"""All modes in order: the packet stays, stays and is copied, is moved, is deleted."""


class Reason(StrEnum):
    """Why a packet is not archived as requested; AS_REQUESTED if it is."""

    AS_REQUESTED = ""
    NOT_PUBLISHED = "its session is not published"
    DAMAGED = "some of its members cannot be read"
    CHANGED = "it changed while it was imported"
    SERIES_FAILED = "the conversion of a series failed"
    EXTRA_BYTES = "it has bytes that are not part of any member"
    EXTERNAL_LINKS = "it contains links, which no session contains"
    KEPT_FILES_CHANGED = "the inbox no longer has a file that was kept from it"
    IN_ARCHIVE = "it is in the archive already"
    BEHIND_LINK = "its folder is reached through a link, and qxbatch does not change the target of a link"
    MOUNTED = "it is a mount point, or contains one"


class ArchivingFacts(NamedTuple):
    """The facts about an imported packet, or about all packets of one session together."""

    requested_mode: Archive
    """The mode of `--archive`; for a packet of an interrupted run, that of `safer_mode`."""
    has_errors: bool = False
    """Whether one of its sessions has an error. Unless the packet is damaged, the conversion of a series failed."""
    is_damaged: bool = False
    """Whether some members cannot be read, and the others were imported (`--on-damaged=keep`)."""
    is_published: bool = True
    """Whether its sessions exist and were created from it."""
    has_changed: bool = False
    """Whether it changed or vanished after it was read, or is no longer readable."""
    is_behind_link: bool = False
    """Whether its folder is reached through a link below the sessions folder."""
    is_mounted: bool = False
    """Whether a mount point is at its path, in it or, in folder mode, between it and its inbox."""
    has_extra_bytes: bool = False
    """Whether it has bytes outside of its members or of their content: its sessions may lack these bytes."""
    has_external_links: bool = False
    """Whether it contains links to something outside of it, or to nothing; in folder mode, only links in archives count."""
    is_in_archive: bool = False
    """Whether the packet is below the folder of archived packets or of replaced files."""
    was_split: bool = False
    """Whether the packet became several sessions (`--on-mixed=split`)."""
    folder_mode: bool = False
    """Whether the packet is in the inbox of its session (`--masterinbox=none`)."""
    kept_files_changed: bool = False
    """Folder mode: whether a file that was kept from it is missing in the inbox, or has other bytes now."""
    was_imported_before: bool = False
    """Folder mode: whether the session was imported before this import: its ledger had rows then."""


class Decision(NamedTuple):
    """What to do with a packet and, in folder mode, with the loose files beside it."""

    mode: Archive | None
    """How to archive the packet; None if it is not archived: its session is not published, or it is damaged or changed."""
    reason: Reason = Reason.AS_REQUESTED
    fates_to_remove: tuple[str, ...] = ()
    """Folder mode: loose files are removed from the inbox if the ledger has one of these values as their `fate`.

    The fate is what the import did with a file. A session contains the bytes of these files.
    """


def decide_archiving(facts: ArchivingFacts) -> Decision:
    """Return what to do with a packet, and with the loose files beside it.

    >>> decide_archiving(ArchivingFacts(Archive.DELETE, has_errors=True)).mode
    <Archive.MOVE: 'move'>
    """
    if not facts.is_published:
        return Decision(None, Reason.NOT_PUBLISHED)
    if facts.is_damaged:
        return Decision(None, Reason.DAMAGED)
    fates_to_remove = _fates_to_remove(facts)
    if facts.has_changed:
        return Decision(None, Reason.CHANGED, fates_to_remove)
    mode, reason = _mode(facts)
    return Decision(mode, reason, fates_to_remove)


def safer_mode(before: Archive, now: Archive, *, is_given: bool) -> Archive:
    """Return how to archive a packet that an interrupted run read with the mode `before`; this run has the mode `now`.

    The result is the mode that keeps more of the packet. A default mode of this run (not `is_given`) counts only if it leaves the
    packet in the inbox.

    >>> safer_mode(Archive.DELETE, Archive.LEAVE, is_given=True)
    <Archive.LEAVE: 'leave'>
    """
    return min(before, now, key=_FROM_KEEPING_TO_DELETING.index) if is_given or now in KEEPING else before


def _mode(facts: ArchivingFacts) -> tuple[Archive, Reason]:
    """Return how to archive a packet whose session is published, and why this differs from the request."""
    if facts.is_behind_link and facts.requested_mode in (Archive.MOVE, Archive.DELETE):
        return Archive.LEAVE, Reason.BEHIND_LINK
    if facts.is_mounted and facts.requested_mode in (Archive.MOVE, Archive.DELETE):
        return Archive.LEAVE, Reason.MOUNTED
    if facts.is_in_archive and facts.requested_mode is not Archive.LEAVE:
        return Archive.LEAVE, Reason.IN_ARCHIVE
    reason = _why_not_deleted(facts)
    if facts.requested_mode is Archive.DELETE and reason is not Reason.AS_REQUESTED:
        return Archive.MOVE, reason
    return facts.requested_mode, Reason.AS_REQUESTED


def _why_not_deleted(facts: ArchivingFacts) -> Reason:
    """Return why the packet may not be deleted; AS_REQUESTED if it may."""
    reasons = (
        (facts.has_errors, Reason.SERIES_FAILED),
        (facts.has_extra_bytes, Reason.EXTRA_BYTES),
        (facts.has_external_links, Reason.EXTERNAL_LINKS),
        (facts.kept_files_changed, Reason.KEPT_FILES_CHANGED),
    )
    return next((reason for is_true, reason in reasons if is_true), Reason.AS_REQUESTED)


def _fates_to_remove(facts: ArchivingFacts) -> tuple[str, ...]:
    """Return the fates of the loose files to remove, even if the packet changed: each file is compared before it is removed.

    Files with the fate `kept` normally stay. They are removed if the packet is split and its session was not imported before:
    the new sessions contain them.
    """
    if not facts.folder_mode or facts.is_behind_link:
        return ()
    return (
        ("sorted", "duplicate", "kept")
        if facts.was_split and not facts.was_imported_before
        else ("sorted", "duplicate")
    )
