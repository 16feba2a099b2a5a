"""Folder mode (`--masterinbox=none`): files to remove from a session's inbox, and the archives in subfolders of the inbox."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from qxbatch.archive.decision import Decision
from qxbatch.core import Monitor, Reading, hash_file
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.units import Unit
from qxbatch.ledger_cells import member_path
from qxbatch.model import Packet
from qxbatch.pipeline.produce import Product
from qxbatch.problems import Code, PacketError, Problem
from qxbatch.record.job import Job
from qxbatch.session.layout import FROM_SESSION_PREFIX
from qxbatch.session.ledger import Kind


def files_to_remove(job: Job, products: Sequence[Product], decision: Decision) -> list[tuple[str, str]]:
    """Return (ledger path, sha256) of the inbox files to remove, since a session contains their bytes.

    They include second copies of PAR and REC files, whose fate in the reading is `kept`.
    """
    if not decision.fates_to_remove:
        return []
    copies = sorted(row for product in products for row in product.sorted_session.par_rec_copies)
    second_copies = _in_inbox(job, ("kept",), copies)
    return list(dict.fromkeys([*_in_inbox(job, decision.fates_to_remove), *second_copies]))


def archives_in_folders(reading: Reading, unit: Unit, monitor: Monitor) -> tuple[Packet, ...]:
    """Return the archives in the folders of an inbox: --archive also applies to them.

    Their fingerprints are computed after they were read. So the inbox is compared again with its fingerprint at discovery, and
    if inodes or their change times differ, the archives are compared by hash. Raises PacketError if the inbox changed, OSError, and
    CancelledError.
    """
    if unit.session_inbox is None:
        return ()
    hashes = {
        unit.session_inbox / member_path(text): digest
        for text, digest in _members(reading, unit.session_inbox, ("opened",))
    }
    packets = tuple(Packet(path, path.name, fingerprint(path)) for path in hashes)
    if packets:
        fingerprint_before, fingerprint_now = unit.packets[0].fingerprint, fingerprint(unit.session_inbox)
        inodes_unchanged = (fingerprint_now.inodes, fingerprint_now.ctimes) == (
            fingerprint_before.inodes,
            fingerprint_before.ctimes,
        )
        if fingerprint_now != fingerprint_before or not (
            inodes_unchanged
            or all(hash_file(str(path), monitor=monitor)[1] == digest for path, digest in hashes.items())
        ):
            hint = "Run again when its transfer has ended; --settle=SECONDS leaves packets that changed recently for a later run."
            raise PacketError(Problem(Code.CHANGED, str(unit.session_inbox), "changed while it was read.", hint))
    return packets


def _in_inbox(job: Job, fates: tuple[str, ...], rows: Iterable[int] | None = None) -> Iterator[tuple[str, str]]:
    """Return `_members` of the session's inbox; nothing in inbox mode."""
    return iter(()) if job.unit.session_inbox is None else _members(job.reading, job.unit.session_inbox, fates, rows)


def _members(
    reading: Reading, inbox: Path, fates: tuple[str, ...], rows: Iterable[int] | None = None
) -> Iterator[tuple[str, str]]:
    """Yield (ledger path, sha256) of members with these fates that are files in the inbox itself, not in its archives.

    `rows` are the indices of the members that are looked at; all if None. A ledger path is not unique: a file `a!b` has the
    same one as the file `b` in an archive `a`.
    """
    for index in range(len(reading)) if rows is None else rows:
        row = reading.row(index)
        if row.archive_ends or row.path.startswith(FROM_SESSION_PREFIX):
            continue  # a member of an archive, or a file in the session's own dicom folder
        if row.has_extra_bytes and row.kind != Kind.ARCHIVE:
            continue  # a compressed file with bytes that the session may lack
        # not Path.is_file, which raises where a member of an archive makes the path too long
        if row.fate in fates and os.path.isfile(inbox / member_path(row.path)):  # noqa: PTH113
            yield row.path, row.sha256
