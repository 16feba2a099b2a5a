"""Verifies what was made of a unit, writes the journal, and publishes and archives by it."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from qxbatch.archive.decision import Decision, Facts, Reason, decide
from qxbatch.cells import member_path
from qxbatch.conceal import nothing_to_hide
from qxbatch.core import Reading, hash_file
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.ingest.sources import Source
from qxbatch.model import Packet, SessionReport
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.finish import LEDGER, finish
from qxbatch.pipeline.mismatch import mismatch
from qxbatch.pipeline.produce import Product
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.publish.durable import sync_tree, sync_up
from qxbatch.publish.journal import Journal, JournaledPacket, write_journal
from qxbatch.publish.taken import note
from qxbatch.settings.model import Archive
from qxbatch.verify.session import Check, session_checks


@dataclass(frozen=True)
class Delivery:
    """A unit whose sessions are made."""

    unit: str
    names: str
    packets: tuple[Packet, ...]
    """What obeys `archive`."""
    inbox: Path | None
    sources: tuple[Source, ...]
    reading: Reading
    products: tuple[Product, ...]
    stays: bool = False
    """Folder mode: the session had results before, and keeps them where it is parted into others."""


def deliver(context: Context, delivery: Delivery) -> list[SessionReport]:
    """Publish a unit; return a report for each of its sessions.

    Raises PacketError when what is on disk is not what was read, OSError when it cannot be published.
    """
    context.progress.stage(delivery.unit, "verifying")
    for product in delivery.products:
        own = context.workspace.sessionsfolder / product.part.session.id / "inbox"
        with ThreadPoolExecutor(1) as beside:  # what waits for the disk goes on beside what needs a CPU
            synced = beside.submit(_sync, product)
            _verify(context, product, delivery, None if delivery.inbox is None else own)
        synced.result()
        sync_up(product.build.parent, context.workspace.sessionsfolder)
    facts = _facts(context.settings.archive, delivery)
    journal = _journal(context, delivery, facts)
    context.progress.stage(delivery.unit, "publishing")
    problems = _not_deleted(facts, delivery.names)
    write_journal(context.workspace.journal(delivery.unit), journal, context.workspace.sessionsfolder)
    ending = finish(journal, context.workspace, context.locks)
    archived = ending.archived[0] if ending.archived else None
    return [
        SessionReport(
            delivery.names,
            product.part.session,
            context.workspace.sessionsfolder / product.part.session.id,
            (*product.problems, *((*problems, *ending.problems) if k == 0 else ())),
            len(product.part.series),
            product.images,
            archived=archived,
        )
        for k, product in enumerate(delivery.products)
    ]


def _sync(product: Product) -> None:
    """Wait for what is on its way to disk, as an error is told only once, and bring the rest there."""
    for future in product.syncing:
        future.result()
    sync_tree(product.build)


def _verify(context: Context, product: Product, delivery: Delivery, inbox: Path | None) -> None:
    def check(one: Check) -> list[str]:
        with context.slots.one():
            return one()

    checks = session_checks(product.build, context.monitor, inbox=inbox)
    wrong = [text.removeprefix(f"{product.build}/") for found in context.working.map(check, checks) for text in found]
    if wrong:
        scratch = context.workspace.scratch(delivery.unit) / "again"
        raise PacketError(
            mismatch(
                context, product.part.session.id, wrong, delivery.packets, delivery.sources, delivery.reading, scratch
            )
        )


def _journal(context: Context, delivery: Delivery, facts: Facts) -> Journal:
    packets = (*delivery.packets, *_opened(delivery))
    if delivery.inbox is not None:
        note(delivery.inbox, _leaving(delivery, decide(facts)), context.workspace.taken(delivery.unit))
    return Journal(
        unit=delivery.unit,
        packets=tuple(JournaledPacket(packet, context.numbers.get(packet.path)) for packet in packets),
        sessions=tuple(product.part.session.id for product in delivery.products),
        archive=facts.archive,
        series_failed=facts.series_failed,
        damaged=facts.damaged,
        archive_folder=context.settings.archive_folder,
        with_inbox=delivery.inbox is None,
        inbox=delivery.inbox,
        names=context.hidden.get(delivery.unit, nothing_to_hide)(delivery.names),
        ledgers=tuple(hash_file(str(product.build / LEDGER))[1] for product in delivery.products),
    )


def _facts(archive: Archive, delivery: Delivery) -> Facts:
    problems = [problem for product in delivery.products for problem in product.problems]
    return Facts(
        archive,
        series_failed=any(problem.severity is Severity.ERROR for problem in problems),
        damaged=any(problem.code is Code.DAMAGED_KEPT for problem in problems),
        split=len(delivery.products) > 1,
        folder_mode=delivery.inbox is not None,
        remade=delivery.stays,
    )


def _not_deleted(facts: Facts, names: str) -> list[Problem]:
    if decide(facts).reason is not Reason.SERIES_FAILED:
        return []
    message = "was moved to the archive and not deleted, since not all of it was converted."
    return [Problem(Code.DELETE_MOVED, names, message, severity=Severity.WARNING)]


def _in_inbox(delivery: Delivery, fates: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield (ledger path, sha256) of the members with these fates that are files of the inbox itself."""
    if delivery.inbox is None:
        return
    for index in range(len(delivery.reading)):
        row = delivery.reading.row(index)
        if row.path.startswith("../"):
            continue  # of the session's own dicom
        # not Path.is_file, which raises where a member of an archive makes the path too long
        if row.fate in fates and os.path.isfile(delivery.inbox / member_path(row.path)):  # noqa: PTH113
            yield row.path, row.sha256


def _leaving(delivery: Delivery, decision: Decision) -> list[tuple[str, str]]:
    """Loose files that leave the inbox, and second copies of PAR/REC, which are kept once."""
    if not decision.leaving:
        return []
    copies = {delivery.reading.row(row).path for product in delivery.products for row in product.part.copies}
    second = [each for each in _in_inbox(delivery, ("kept",)) if each[0] in copies]
    return list(dict.fromkeys([*_in_inbox(delivery, decision.leaving), *second]))


def _opened(delivery: Delivery) -> list[Packet]:
    """Archives inside the folders of an inbox: they obey `archive` like those on its top level."""
    found = [delivery.inbox / member_path(path) for path, _ in _in_inbox(delivery, ("opened",)) if delivery.inbox]
    return [Packet(path, path.name, fingerprint(path)) for path in found]
