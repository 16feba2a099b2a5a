"""Brings a session's build to disk, and checks that it is what was read."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from qxbatch.pipeline.context import Context
from qxbatch.pipeline.mismatch import mismatch
from qxbatch.pipeline.produce import Product
from qxbatch.problems import PacketError
from qxbatch.publish.durable import sync_tree, sync_up
from qxbatch.record.job import Job
from qxbatch.session.paths import SessionPaths
from qxbatch.verification.session import Check, session_checks


def check_build(context: Context, job: Job, product: Product) -> None:
    """Return when the build is on disk and agrees with its ledger. Raises PacketError when it does not, OSError."""
    own = SessionPaths(context.workspace.sessionsfolder / product.part.session.id).inbox
    with ThreadPoolExecutor(1) as beside:  # waiting for the disk overlaps with work on the CPU
        synced = beside.submit(_sync, product)
        _verify(context, job, product, None if job.unit.inbox is None else own)
    synced.result()
    sync_up(product.build.parent, context.workspace.sessionsfolder)


def _sync(product: Product) -> None:
    """Wait for what is on its way to disk, as an error is reported only once, and sync the remaining files."""
    for future in product.syncing:
        future.result()
    sync_tree(product.build)


def _verify(context: Context, job: Job, product: Product, inbox: Path | None) -> None:
    def check(one: Check) -> list[str]:
        with context.slots.acquire():
            return one()

    checks = session_checks(product.build, context.monitor, inbox=inbox)
    wrong = [text.removeprefix(f"{product.build}/") for found in context.working.map(check, checks) for text in found]
    if wrong:
        scratch = context.workspace.scratch(job.unit.name) / "again"
        raise PacketError(mismatch(context, job, product.part.session.id, wrong, scratch))
