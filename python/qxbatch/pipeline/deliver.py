"""Verifies what was made of a unit, writes the journal, and publishes and archives by it."""

from collections.abc import Sequence

from qxbatch.archive.decision import Facts, Reason, decide
from qxbatch.events import Stage, StageStarted
from qxbatch.model import SessionReport
from qxbatch.pipeline.check_build import check_build
from qxbatch.pipeline.check_published import ledger_sha256
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.finish import finish
from qxbatch.pipeline.loose import leaving, opened_inside
from qxbatch.pipeline.produce import Product
from qxbatch.problems import Code, Problem, Severity
from qxbatch.publish.journal import Journal, JournaledPacket, write_journal
from qxbatch.publish.taken import note
from qxbatch.record.job import Job
from qxbatch.settings.model import Archive


def deliver(context: Context, job: Job, products: Sequence[Product]) -> list[SessionReport]:
    """Publish a unit whose sessions are made; return a report for each of its sessions.

    Raises PacketError when what is on disk is not what was read, OSError when it cannot be published.
    """
    unit, workspace = job.unit, context.workspace
    context.observer.notify(StageStarted(unit.name, Stage.VERIFYING))
    for product in products:
        check_build(context, job, product)
    facts = _facts(context.settings.archive, job, products)
    journal = _journal(context, job, products, facts)
    context.observer.notify(StageStarted(unit.name, Stage.PUBLISHING))
    write_journal(workspace.journal(unit.name), journal, workspace.sessionsfolder)
    ending = finish(journal, workspace, context.locks)
    of_packets = (*_not_deleted(facts, unit.names), *ending.problems)
    archived = ending.archived[0] if ending.archived else None
    return [
        SessionReport(
            unit.names,
            product.part.session,
            workspace.sessionsfolder / product.part.session.id,
            (*product.problems, *(of_packets if k == 0 else ())),
            len(product.part.series),
            product.images,
            archived=archived,
        )
        for k, product in enumerate(products)
    ]


def _journal(context: Context, job: Job, products: Sequence[Product], facts: Facts) -> Journal:
    unit, workspace = job.unit, context.workspace
    if unit.inbox is not None:
        note(unit.inbox, leaving(job, products, decide(facts)), workspace.taken(unit.name))
    packets = (*job.archives, *opened_inside(job))
    return Journal(
        unit=unit.name,
        packets=tuple(JournaledPacket(packet, context.numbers.get(packet.path)) for packet in packets),
        sessions=tuple(product.part.session.id for product in products),
        archive=facts.archive,
        series_failed=facts.series_failed,
        damaged=facts.damaged,
        archive_folder=context.settings.archive_folder,
        with_inbox=unit.inbox is None,
        inbox=unit.inbox,
        names=job.redact(unit.names),
        ledgers=tuple(ledger_sha256(product.build) for product in products),
    )


def _facts(archive: Archive, job: Job, products: Sequence[Product]) -> Facts:
    problems = [problem for product in products for problem in product.problems]
    return Facts(
        archive,
        series_failed=any(problem.severity is Severity.ERROR for problem in problems),
        damaged=any(problem.code is Code.DAMAGED_KEPT for problem in problems),
        split=job.is_split,
        folder_mode=job.unit.inbox is not None,
        remade=bool(job.previous.order),
    )


def _not_deleted(facts: Facts, names: str) -> list[Problem]:
    if decide(facts).reason is not Reason.SERIES_FAILED:
        return []
    message = "was moved to the archive and not deleted, since not all of it was converted."
    return [Problem(Code.DELETE_MOVED, names, message, severity=Severity.WARNING)]
