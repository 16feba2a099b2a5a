"""Writes the journal of a unit (packets that are imported together): what to publish, and what to do with the packets then."""

from collections.abc import Callable, Sequence

from qxbatch.archive.decision import ArchivingFacts, decide_archiving
from qxbatch.archive.inside import is_in_archive
from qxbatch.ingest.left_out import Cause
from qxbatch.pipeline.check_published import ledger_sha256
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.inbox_files import files_to_remove
from qxbatch.pipeline.linked_inboxes import is_behind_link
from qxbatch.pipeline.produce import Product
from qxbatch.problems import Code, Severity
from qxbatch.publish.inbox_removal import write_removal_list
from qxbatch.publish.journal import Journal, JournaledPacket, remove_journal, write_journal
from qxbatch.publish.mounts import mount_in
from qxbatch.record.job import Job
from qxbatch.session.contents import is_imported


def write_unit_journal(
    context: Context, job: Job, products: Sequence[Product], facts: ArchivingFacts, check_lock: Callable[[], None]
) -> tuple[Journal, bytes]:
    """Write the journal while the unit's lock is held; return it, and the content of the list of files that leave the inbox.

    The list has files in folder mode only (`--masterinbox=none`). An existing journal was written by a run that lost the lock; it
    is replaced. Raises PacketError (by `check_lock`) if this run lost the lock, OSError.
    """
    check_lock()
    unit = job.unit
    removal_list_content = b""
    if unit.session_inbox is not None:
        removal_list_content = write_removal_list(
            unit.session_inbox,
            files_to_remove(job, products, decide_archiving(facts)),
            context.workspace.removal_list_path(unit.name),
        )
    journal = _journal(context, job, products, facts)
    try:
        write_journal(journal, context.workspace)
    except FileExistsError:
        check_lock()
        remove_journal(journal.unit, context.workspace)
        write_journal(journal, context.workspace)
    return journal, removal_list_content


def archiving_facts(context: Context, job: Job, products: Sequence[Product]) -> ArchivingFacts:
    """Return the facts that decide what is done with the packets, as far as they are known before the packets are checked again."""
    problems = [problem for product in products for problem in product.all_problems.problems]
    return ArchivingFacts(
        context.settings.archive,
        has_errors=any(problem.severity is Severity.ERROR for problem in problems),
        is_damaged=any(problem.code is Code.DAMAGED_KEPT for problem in problems),
        has_extra_bytes=any(problem.code is Code.SURROUNDED for problem in problems),
        has_external_links=_has_external_links(job),
        is_in_archive=any(is_in_archive(packet.path, context.workspace.archive_folder) for packet in job.unit.packets),
        is_behind_link=is_behind_link(job.unit, context.workspace.sessionsfolder),
        # if only some packets are mounted, the others are archived: `archive_packets` checks each of them
        is_mounted=all(mount_in(packet.path) is not None for packet in job.unit.packets),
        was_split=job.is_split,
        folder_mode=job.unit.folder_mode,
        was_imported_before=job.previous.has_ledger_rows,
    )


def _has_external_links(job: Job) -> bool:
    """Return whether the packets contain links to something outside of them, or to nothing.

    In folder mode, only links in archives count: other links stay in the inbox.
    """
    links = [job.reading.row(member.row) for member in job.left_out.members if member.cause is Cause.LINK]
    # the path of a member of an archive has a separator after each archive that contains it
    return any(link.archive_ends for link in links) if job.unit.folder_mode else bool(links)


def _sessions_to_replace(context: Context, sessions: Sequence[str]) -> tuple[str, ...]:
    """Return the sessions that may be replaced: none without --overwrite, even if one appeared a moment ago."""
    if not context.settings.overwrite:
        return ()
    return tuple(session for session in sessions if is_imported(context.workspace.session_paths(session).folder))


def _journal(context: Context, job: Job, products: Sequence[Product], facts: ArchivingFacts) -> Journal:
    unit, workspace = job.unit, context.workspace
    sessions = [product.sorted_session.session.id for product in products]
    return Journal(
        unit=unit.name,
        run=workspace.run,
        packets=tuple(
            JournaledPacket(packet, context.archive_numbers.get(packet.path))
            for packet in (*job.archivable_packets, *job.archives_in_folders)
        ),
        sessions=tuple(sessions),
        replaced_sessions=_sessions_to_replace(context, sessions),
        requested_mode=facts.requested_mode,
        has_errors=facts.has_errors,
        is_damaged=facts.is_damaged,
        has_extra_bytes=facts.has_extra_bytes,
        has_external_links=facts.has_external_links,
        is_behind_link=facts.is_behind_link,
        publishes_inbox=not unit.folder_mode,
        session_inbox=unit.session_inbox,
        label=job.redact(unit.label),
        ledger_hashes=tuple(ledger_sha256(product.build) for product in products),
        folder_identity=workspace.folder_identity,
    )
