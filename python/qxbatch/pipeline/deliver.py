"""Verifies what was made of a unit, writes the journal, and publishes and archives by it."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from qxbatch.cells import member_path
from qxbatch.conceal import nothing_to_hide
from qxbatch.core import Reading, hash_file
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.ingest.sources import Source
from qxbatch.model import Packet, SessionReport
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.finish import finish
from qxbatch.pipeline.mismatch import mismatch
from qxbatch.pipeline.produce import Product
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.publish.durable import sync_tree, sync_up
from qxbatch.publish.journal import Journal, write_journal
from qxbatch.publish.taken import note
from qxbatch.session.layout import OUTSIDE
from qxbatch.session.paths import SessionPaths
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
        own = SessionPaths(context.workspace.sessionsfolder / product.part.session.id).inbox
        with ThreadPoolExecutor(1) as beside:  # what waits for the disk goes on beside what needs a CPU
            synced = beside.submit(_sync, product)
            _verify(context, product, delivery, None if delivery.inbox is None else own)
        synced.result()
        sync_up(product.build.parent, context.workspace.sessionsfolder)
    journal = _journal(context, delivery)
    context.progress.stage(delivery.unit, "publishing")
    problems = _said(context.settings.archive, journal, delivery)
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


def _journal(context: Context, delivery: Delivery) -> Journal:
    damaged = any(p.code is Code.DAMAGED_KEPT for product in delivery.products for p in product.problems)
    packets = (*delivery.packets, *_opened(delivery))
    if delivery.inbox is not None:
        members = [] if damaged else _gone(delivery)
        note(delivery.inbox, members, context.workspace.taken(delivery.unit))
    return Journal(
        unit=delivery.unit,
        packets=packets,
        stay=tuple(str(packet.path) for packet in packets) if damaged else (),
        sessions=tuple(product.part.session.id for product in delivery.products),
        archive=_archive_mode(context.settings.archive, delivery.products),
        archive_folder=context.settings.archive_folder,
        with_inbox=delivery.inbox is None,
        inbox=delivery.inbox,
        names=context.hidden.get(delivery.unit, nothing_to_hide)(delivery.names),
        ledgers=tuple(hash_file(str(SessionPaths(product.build).ledger))[1] for product in delivery.products),
        numbers=() if delivery.inbox is None else tuple(context.numbers.get(p.path) for p in packets),
    )


def _archive_mode(archive: Archive, products: Sequence[Product]) -> Archive:
    """A packet of which a series failed is kept, whatever was asked."""
    failed = any(p.severity is Severity.ERROR for product in products for p in product.problems)
    return Archive.MOVE if archive is Archive.DELETE and failed else archive


def _said(asked: Archive, journal: Journal, delivery: Delivery) -> list[Problem]:
    if asked is journal.archive:
        return []
    message = "was moved to the archive and not deleted, since not all of it was converted."
    return [Problem(Code.DELETE_MOVED, delivery.names, message, severity=Severity.WARNING)]


def _in_inbox(delivery: Delivery, fates: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield (ledger path, sha256) of the members with these fates that are files of the inbox itself."""
    if delivery.inbox is None:
        return
    for index in range(len(delivery.reading)):
        row = delivery.reading.row(index)
        if row.path.startswith(OUTSIDE):
            continue  # of the session's own dicom
        # not Path.is_file, which raises where a member of an archive makes the path too long
        if row.fate in fates and os.path.isfile(delivery.inbox / member_path(row.path)):  # noqa: PTH113
            yield row.path, row.sha256


def _gone(delivery: Delivery) -> list[tuple[str, str]]:
    """Loose files whose bytes lie in a session now; with several sessions, kept ones too.

    Where the parted session itself is there already, its ledger tells of what is kept in its inbox, which stays.
    """
    parted = len(delivery.products) > 1 and not delivery.stays
    fates = ("sorted", "duplicate", "kept") if parted else ("sorted", "duplicate")
    copies = {delivery.reading.row(row).path for product in delivery.products for row in product.part.copies}
    found = [*_in_inbox(delivery, fates), *(each for each in _in_inbox(delivery, ("kept",)) if each[0] in copies)]
    return list(dict.fromkeys(found))


def _opened(delivery: Delivery) -> list[Packet]:
    """Archives inside the folders of an inbox: they obey `archive` like those on its top level."""
    found = [delivery.inbox / member_path(path) for path, _ in _in_inbox(delivery, ("opened",)) if delivery.inbox]
    return [Packet(path, path.name, fingerprint(path)) for path in found]
