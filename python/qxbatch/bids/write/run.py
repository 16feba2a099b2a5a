"""One export, from the plans to the result, under the lock of the data set."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.bids.files.planned_files import FileOptions
from qxbatch.bids.files.record import Record, read_record, subjects_with_times
from qxbatch.bids.files.shared import SharedFileOptions, StudyTable, choose_shifts, shared_files
from qxbatch.bids.files.stamps import stamps_of
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.sidecars.intended_for import IntendedFor
from qxbatch.bids.tables.shifts import Shifts
from qxbatch.bids.write.dataset import check_dataset, one_export_at_a_time
from qxbatch.bids.write.destination import Destination
from qxbatch.bids.write.export import Exporter
from qxbatch.bids.write.journal import refuse_without_interrupted
from qxbatch.bids.write.placing import LinkMode
from qxbatch.bids.write.result import Export
from qxbatch.problems import UsageError
from qxbatch.visible import shell_word


class Request(NamedTuple):
    """The options of an export."""

    sessionsfolder: Path
    dataset: Path
    description: Mapping[str, Any] = {}
    """Fields of dataset_description.json in the rule file."""
    table: StudyTable = StudyTable()
    """Columns for participants.tsv."""
    link: LinkMode = LinkMode.AUTO
    intended_for: IntendedFor = IntendedFor.URI
    shift_table: Path | None = None
    """None: dates are not shifted."""
    sourcedata: bool = False
    """Whether the sorted files (DICOM, PAR/REC) of the exported series are exported, too."""
    keep_identifying: bool = False
    """Whether sidecars keep fields that identify a person or an examination."""
    all_sessions: bool = True
    """Whether the plans include all sessions of the study."""
    test: bool = False
    """Whether the changes are only computed, and nothing is written."""


def run_export(request: Request, plans: Sequence[ExportPlan]) -> Export:
    """Export sessions. Raises UsageError, LinkRefusedError, and OSError where the data set cannot be written."""
    check_dataset(request.dataset, request.sessionsfolder)
    if request.test:
        return _export(request, plans)
    request.dataset.mkdir(parents=True, exist_ok=True)
    with one_export_at_a_time(request.dataset):
        return _export(request, plans)


def _export(request: Request, plans: Sequence[ExportPlan]) -> Export:
    stamps = stamps_of(request.sessionsfolder, request.dataset)
    record = read_record(request.dataset)
    if not request.all_sessions:
        refuse_without_interrupted(request.dataset, record, [plan.session.id for plan in plans])
    shifts = _shifts(request, plans, record)
    options = FileOptions(request.intended_for, request.keep_identifying, request.sourcedata, shifts)
    destination = Destination(
        request.dataset, request.sessionsfolder, request.link, options, request.all_sessions, request.test
    )
    shared_options = SharedFileOptions(
        request.dataset, request.sessionsfolder, request.description, request.table, shifts, request.sourcedata
    )
    exporter = Exporter(destination, record, stamps)
    export = exporter.export(plans, lambda exported: shared_files(exported, shared_options, stamps))
    if exporter.tables_have_failed_sessions:
        # the shared files were left out, since their tables have rows of sessions whose files could not be placed: a second export
        # without these sessions writes them
        failed = {session.session for session in export.not_exported}
        exported_plans = [plan for plan in plans if plan.session.id not in failed]
        again = Exporter(destination, read_record(request.dataset), stamps)
        second = again.export(exported_plans, lambda exported: shared_files(exported, shared_options, stamps))
        of_sessions = [change for change in export.changes if change.session]
        export = export._replace(changes=(*of_sessions, *(change for change in second.changes if not change.session)))
    if not request.test:
        stamps.write()
    return export


def _shifts(request: Request, plans: Sequence[ExportPlan], record: Record) -> Shifts | None:
    """Return the shifts of dates; None without --shift-dates. Their table is written before any shifted date.

    Raises UsageError, OSError.
    """
    if request.shift_table is None:
        if record.has_shifted_dates:
            hint = "Add --shift-dates, or export to a new folder."
            raise UsageError(f"The dates in {request.dataset} are shifted.", hint)
        return None
    if (record.files or record.journal_files) and not record.has_shifted_dates:
        hint = "Export to a new folder: tables that were edited would keep the true dates."
        raise UsageError(f"The dates in {request.dataset} are not shifted.", hint)
    shifts = Shifts(request.shift_table)
    with contextlib.nullcontext() if request.test else shifts.lock():
        _refuse_other_table(shifts.read(), request, record)
        if choose_shifts(plans, shifts) and not request.test:
            shifts.write()
    return shifts


def _refuse_other_table(shifts: Shifts, request: Request, record: Record) -> None:
    """Raise UsageError if the dates in the data set were shifted by another table, or by a later state of this one.

    Another table can have other days for the subjects of this one. A table that no longer exists was moved.
    """
    recorded = Path(os.path.normpath(request.dataset / record.shift_table)) if record.shift_table else shifts.path
    if recorded.exists() and not (shifts.path.exists() and recorded.samefile(shifts.path)):
        hint = f"Add --shift-table={shell_word(str(recorded))}, or export to a new folder."
        raise UsageError(f"The dates in {request.dataset} are shifted by the table {recorded}.", hint)
    known = {subject.removeprefix("sub-") for subject in shifts.days}
    missing = sorted(subjects_with_times(request.dataset, record) - known)
    if missing:
        message = (
            f"The dates in {request.dataset} are shifted, and the table {shifts.path} lacks its subject {missing[0]}."
        )
        hint = "Restore that table, or export to a new folder: with new shifts the dates of a subject would not agree."
        raise UsageError(message, hint)
