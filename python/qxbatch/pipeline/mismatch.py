"""Explains why written files differ from the packet: reads the packet again."""

from collections.abc import Sequence
from pathlib import Path

from qxbatch.core import ingest
from qxbatch.os_error import error_text
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.read import refuse_changed
from qxbatch.problems import Code, PacketError, Problem
from qxbatch.publish.durable import remove_tree
from qxbatch.record.job import Job
from qxbatch.settings.passwords import passwords_for_core

MOST_LISTED = 5
"""Maximum number of differing files that a message names."""


def explain_mismatch(context: Context, job: Job, session: str, faults: Sequence[str], scratch: Path) -> Problem:
    """Return the problem of a session that differs from its packet. Raises CancelledError.

    `faults` are the differences between the build and its ledger. The packet is read again into `scratch`.

    When a series is stored, deflated files of a zip packet can be read a second time. So the cause can be a program that still
    writes to the packet, even if its size and time did not change. Otherwise disk or memory returned wrong bytes.
    """
    paths = ", ".join(str(source.path) for source in job.sources)
    try:
        for packet in job.archivable_packets:
            refuse_changed(packet, "while it was imported")
        change = _first_change(context, job, scratch)
    except PacketError as error:
        return error.problem
    except (OSError, ValueError) as error:
        cause = (
            f"Either {paths} changed while it was read, or the disk or the memory is faulty; it could not be read again"
        )
        hint = "Check whether a program still writes to the packet, check disk and memory, then run again."
        return _problem(session, faults, f"{cause} ({error_text(error)}).", hint)
    if change:
        message = f"changed while it was read, though its size and time did not: {change}."
        hint = "No session was written. Find out what writes to it, then run again."
        return Problem(Code.CHANGED, paths, message, hint)
    cause = f"{paths} was read again and did not change, so the disk or the memory is faulty."
    return _problem(session, faults, cause, "The packet stays where it is. Check disk and memory, then run again.")


def _problem(session: str, faults: Sequence[str], cause: str, hint: str) -> Problem:
    message = (
        f"the written files differ from the packet: {'; '.join(faults[:MOST_LISTED])}. {cause} No session was written."
    )
    return Problem(Code.VERIFY, session, message, hint)


def _first_change(context: Context, job: Job, scratch: Path) -> str:
    """Read the sources again; return a text about the first member that changed, is missing or is new; empty if none."""
    reading = job.reading
    old_hashes = {row.path: row.sha256 for row in map(reading.row, range(len(reading)))}
    new_hashes: dict[str, str] = {}
    settings = context.settings
    for source in job.sources:
        try:
            second_reading = ingest(
                [(str(source.path), source.prefix)],
                str(scratch),
                threads=1,
                gunzip=settings.unzip,
                skip=[str(source.path / name) for name in source.skipped_names],
                max_ratio=settings.max_expansion,
                max_bytes=settings.max_total,
                max_members=settings.max_members,
                max_nesting=settings.max_nesting,
                passwords=passwords_for_core(settings.passwords),
                monitor=context.monitor,
            )
            new_hashes |= {row.path: row.sha256 for row in map(second_reading.row, range(len(second_reading)))}
        finally:
            remove_tree(scratch)
    for path, digest in old_hashes.items():
        if path not in new_hashes:
            return f"{path} is gone"
        if new_hashes[path] != digest:
            return f"{path} has other bytes now"
    return next((f"{path} is new" for path in new_hashes if path not in old_hashes), "")
