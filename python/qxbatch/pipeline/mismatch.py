"""What was written is not what was read: the packet is read again, to say what came between."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from qxbatch.core import Reading, ingest
from qxbatch.ingest.sources import Source
from qxbatch.pipeline.context import Context
from qxbatch.problems import Code, Problem
from qxbatch.settings.passwords import words_of

SHOWN = 5


def mismatch(
    context: Context, session: str, wrong: Sequence[str], sources: Sequence[Source], reading: Reading, scratch: Path
) -> Problem:
    """Return the problem of a session that is not what was read. Raises CancelledError.

    Files of a zip are read a second time when they are stored, so a packet that is still written to can be the reason,
    though its size and time are what they were. Otherwise the disk or the memory gave back other bytes than it was given.
    """
    paths = ", ".join(str(source.path) for source in sources)
    try:
        changed = _changed(context, sources, reading, scratch)
    except (OSError, ValueError) as error:
        cause = f"Either {paths} changed while it was read, or the disk or the memory is faulty: {error}."
        hint = "Look whether something still writes to the packet, check disk and memory, then run again."
    else:
        if changed is not None:
            path, member = changed
            message = f"changed while it was read, though its size and time did not: {member} has other bytes now."
            hint = "Nothing was published. Find out what writes to it, then run again."
            return Problem(Code.CHANGED, str(path), message, hint)
        cause = f"{paths} was read again and has the bytes that it had, so the disk or the memory is faulty."
        hint = "The packet stays where it is. Check disk and memory, then run again."
    shown = "; ".join(wrong[:SHOWN])
    message = f"what was written is not what was read: {shown}. {cause} Nothing was published."
    return Problem(Code.VERIFY, session, message, hint)


def _changed(context: Context, sources: Sequence[Source], reading: Reading, scratch: Path) -> tuple[Path, str] | None:
    """Read the sources again; return the first whose members have other bytes, and that member."""
    before = {(row.path, row.sha256) for row in map(reading.row, range(len(reading)))}
    settings = context.settings
    for source in sources:
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
            for row in map(again.row, range(len(again))):
                if (row.path, row.sha256) not in before:
                    return source.path, row.path
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return None
