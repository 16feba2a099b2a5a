"""What was written is not what was read: the packet is read again, to say what came between."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from qxbatch.core import ingest
from qxbatch.os_error import error_text
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.read import refuse_changed
from qxbatch.problems import Code, PacketError, Problem
from qxbatch.record.job import Job
from qxbatch.settings.passwords import words_of

SHOWN = 5


def mismatch(context: Context, job: Job, session: str, wrong: Sequence[str], scratch: Path) -> Problem:
    """Return the problem of a session that is not what was read. Raises CancelledError.

    Files of a zip are read a second time when they are stored, so a packet that is still written to can be the reason,
    though its size and time are what they were. Otherwise the disk or the memory gave back other bytes than it was given.
    """
    paths = ", ".join(str(source.path) for source in job.sources)
    try:
        for packet in job.archives:
            refuse_changed(packet, "while it was imported")
        changed = _changed(context, job, scratch)
    except PacketError as error:
        return error.problem
    except (OSError, ValueError) as error:
        cause = (
            f"Either {paths} changed while it was read, or the disk or the memory is faulty; it could not be read again"
        )
        hint = "Look whether something still writes to the packet, check disk and memory, then run again."
        return _problem(session, wrong, f"{cause} ({error_text(error)}).", hint)
    if changed:
        message = f"changed while it was read, though its size and time did not: {changed}."
        hint = "Nothing was published. Find out what writes to it, then run again."
        return Problem(Code.CHANGED, paths, message, hint)
    cause = f"{paths} was read again and has the bytes that it had, so the disk or the memory is faulty."
    return _problem(session, wrong, cause, "The packet stays where it is. Check disk and memory, then run again.")


def _problem(session: str, wrong: Sequence[str], cause: str, hint: str) -> Problem:
    message = f"what was written is not what was read: {'; '.join(wrong[:SHOWN])}. {cause} Nothing was published."
    return Problem(Code.VERIFY, session, message, hint)


def _changed(context: Context, job: Job, scratch: Path) -> str:
    """Read the sources again; return in words the first member that is another one now, empty when none is."""
    reading = job.reading
    before = {row.path: row.sha256 for row in map(reading.row, range(len(reading)))}
    now: dict[str, str] = {}
    settings = context.settings
    for source in job.sources:
        try:
            again = ingest(
                [(str(source.path), source.prefix)],
                str(scratch),
                threads=1,
                gunzip=settings.unzip,
                skip=[str(source.path / name) for name in source.skip],
                max_ratio=settings.max_expansion,
                max_bytes=settings.max_total,
                max_members=settings.max_members,
                max_nesting=settings.max_nesting,
                passwords=words_of(settings.passwords),
                monitor=context.monitor,
            )
            now |= {row.path: row.sha256 for row in map(again.row, range(len(again)))}
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    for path, digest in before.items():
        if path not in now:
            return f"{path} is gone"
        if now[path] != digest:
            return f"{path} has other bytes now"
    return next((f"{path} is new" for path in now if path not in before), "")
