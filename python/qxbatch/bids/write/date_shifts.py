"""The shifts of dates for an export. All studies of a data set shift dates by one table."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from qxbatch.bids.files.record import Record, subjects_with_times
from qxbatch.bids.files.shared import choose_missing_shifts
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.tables.shifts import DateShifts
from qxbatch.bids.write.request import ExportRequest
from qxbatch.problems import UsageError
from qxbatch.visible import shell_word


def prepare_date_shifts(request: ExportRequest, plans: Sequence[ExportPlan], record: Record) -> DateShifts | None:
    """Read the table of date shifts, choose missing ones and write them; return None without --shift-dates.

    The table is written before any shifted date.

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
    shifts = DateShifts(request.shift_table)
    with contextlib.nullcontext() if request.test else shifts.lock():
        _refuse_other_table(shifts.read(), request, record)
        if choose_missing_shifts(plans, shifts) and not request.test:
            shifts.write()
    return shifts


def _refuse_other_table(shifts: DateShifts, request: ExportRequest, record: Record) -> None:
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
