"""Folder mode: which files of a session's inbox leave it, and which archives lie in its folders."""

import os
from collections.abc import Iterator, Sequence

from qxbatch.archive.decision import Decision
from qxbatch.cells import member_path
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.model import Packet
from qxbatch.pipeline.produce import Product
from qxbatch.record.job import Job
from qxbatch.session.layout import OUTSIDE


def leaving(job: Job, products: Sequence[Product], decision: Decision) -> list[tuple[str, str]]:
    """Return (ledger path, sha256) of loose files that leave the inbox, second copies of a PAR/REC among them."""
    if not decision.leaving:
        return []
    copies = {job.reading.row(row).path for product in products for row in product.part.copies}
    second = [each for each in _in_inbox(job, ("kept",)) if each[0] in copies]
    return list(dict.fromkeys([*_in_inbox(job, decision.leaving), *second]))


def opened_inside(job: Job) -> list[Packet]:
    """Return archives inside the folders of an inbox: they obey `archive` like those on its top level."""
    found = [job.unit.inbox / member_path(path) for path, _ in _in_inbox(job, ("opened",)) if job.unit.inbox]
    return [Packet(path, path.name, fingerprint(path)) for path in found]


def _in_inbox(job: Job, fates: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield (ledger path, sha256) of the members with these fates that are files of the inbox itself."""
    if job.unit.inbox is None:
        return
    for index in range(len(job.reading)):
        row = job.reading.row(index)
        if row.path.startswith(OUTSIDE):
            continue  # of the session's own dicom
        # not Path.is_file, which raises where a member of an archive makes the path too long
        if row.fate in fates and os.path.isfile(job.unit.inbox / member_path(row.path)):  # noqa: PTH113
            yield row.path, row.sha256
