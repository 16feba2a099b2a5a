"""Syncs a session's build, and compares it with its ledger.

The build is the complete session in staging; the ledger lists all members of its packets, with their hashes.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from qxbatch.pipeline.context import Context
from qxbatch.pipeline.mismatch import explain_mismatch
from qxbatch.pipeline.produce import Product
from qxbatch.problems import PacketError
from qxbatch.publish.durable import sync_folder_and_parents, sync_tree
from qxbatch.record.job import Job
from qxbatch.session.paths import SessionPaths
from qxbatch.verification.session import IntegrityCheck, session_checks


def sync_and_check_build(context: Context, job: Job, product: Product) -> None:
    """Sync the build, and compare it with its ledger. Raises PacketError if they differ, OSError and CancelledError."""
    session_inbox = SessionPaths(context.workspace.sessionsfolder / product.sorted_session.session.id).inbox
    with ThreadPoolExecutor(1) as pool:  # waiting for the disk overlaps with work on the CPU
        sync = pool.submit(_sync, product)
        _verify(context, job, product, session_inbox if job.unit.folder_mode else None)
    sync.result()
    sync_folder_and_parents(product.build.parent, context.workspace.sessionsfolder)


def _sync(product: Product) -> None:
    """Wait for the running syncs, because the kernel reports an error only once; then sync the whole build."""
    for future in product.syncs:
        future.result()
    sync_tree(product.build)


def _verify(context: Context, job: Job, product: Product, inbox: Path | None) -> None:
    """Raise PacketError if the build differs from its ledger. `inbox` is the session's own inbox in folder mode, else None."""

    def run(check: IntegrityCheck) -> list[str]:
        with context.slots.acquire():
            return check()

    checks = session_checks(product.build, context.monitor, inbox=inbox)
    faults = [text.removeprefix(f"{product.build}/") for texts in context.executor.map(run, checks) for text in texts]
    if faults:
        scratch = context.workspace.scratch(job.unit.name) / "again"
        raise PacketError(explain_mismatch(context, job, product.sorted_session.session.id, faults, scratch))
