"""Writes ledger.tsv into the build of a session, its folder before it is published.

The ledger lists each member of the packets, and where the bytes of the member are in the finished session.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from qxbatch.ingest.assemble import SortedSession
from qxbatch.ledger_cells import unescape
from qxbatch.pack.series import StorageForm, stored_at
from qxbatch.record.job import ImportFolders, Job
from qxbatch.record.ledger import duplicate_row, joined_notes, ledger_row
from qxbatch.record.previous import with_previous_rows
from qxbatch.session.layout import KEPT_AT_PREFIX
from qxbatch.session.ledger import LedgerRow, write_ledger
from qxbatch.textfile import create_text


class NewLocations(NamedTuple):
    """Files whose location in the session differs from the one in the core's rows."""

    storage_forms: Mapping[int, StorageForm]
    """How each series is stored, by its n."""
    new_prefixes: Mapping[str, str]
    """Maps prefixes of paths below inbox to their new values."""
    redacted_locations: Mapping[str, str]
    """Maps the location of a kept file whose name contained an identity to its new location."""


def record_ledger(
    job: Job, sorted_session: SortedSession, locations: NewLocations, folders: ImportFolders
) -> dict[str, int]:
    """Write ledger.tsv; return the number of rows by fate. Raises OSError, CancelledError."""
    rows: Iterable[LedgerRow] = _rows(job, sorted_session, locations)
    with create_text(folders.build_paths.ledger) as file:
        if job.unit.folder_mode:
            rows = with_previous_rows(rows, job.previous, folders.final, job.monitor)
        return write_ledger(file, rows)


def _rows(job: Job, sorted_session: SortedSession, locations: NewLocations) -> Iterator[LedgerRow]:
    """Yield the ledger row of each member of a session, with the location of its bytes in the finished session."""
    reading, storage_forms = job.reading, locations.storage_forms
    keep_in_place = job.unit.folder_mode and not job.is_split
    notes = joined_notes(sorted_session.series)
    for index in sorted_session.rows:
        if index in sorted_session.par_rec_copies:
            first_copy = reading.row(sorted_session.par_rec_copies[index])
            at = stored_at(first_copy.at, first_copy.series, storage_forms[first_copy.series])
            yield duplicate_row(reading.row(index), first_copy, at)
            continue
        row = reading.row(index)
        if keep_in_place and row.fate == "kept" and row.at == f"{KEPT_AT_PREFIX}{row.path}":
            # the file stays in place; the core escaped its name for the ledger
            yield ledger_row(row, unescape(row.at), sorted_session.redact(row.reason))
            continue
        at = stored_at(row.at, row.series, storage_forms[row.series]) if row.series in storage_forms else row.at
        note = sorted_session.redact(notes.get(row.group, "")) if row.fate == "sorted" else ""
        yield ledger_row(
            row,
            _with_new_prefix(locations.redacted_locations.get(at, at), locations.new_prefixes),
            sorted_session.redact(row.reason),
            note,
        )


def _with_new_prefix(at: str, new_prefixes: Mapping[str, str]) -> str:
    top = "/".join(at.split("/")[:2])
    return new_prefixes[top] + at.removeprefix(top) if top in new_prefixes else at
