"""The shifts of dates for an export. All studies of a data set shift dates by one table."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from qxbatch.bids.files.record import Record, subjects_with_times
from qxbatch.bids.files.shared import choose_missing_shifts
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.schema.image_path import SCANS_SUFFIX, session_prefix
from qxbatch.bids.tables.rows import scans_table
from qxbatch.bids.tables.shifts import DateShifts
from qxbatch.bids.tables.table_text import ABSENT
from qxbatch.bids.write.request import ExportRequest
from qxbatch.problems import UsageError
from qxbatch.session.layout import IMAGE_SUFFIX, image_file
from qxbatch.visible import shell_word


def prepare_date_shifts(request: ExportRequest, plans: Sequence[ExportPlan], record: Record) -> DateShifts | None:
    """Return the date shifts: read the table, choose missing shifts and write them. Return None without --shift-dates.

    The table is written before any shifted date; with `test` it is not written.

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
        _refuse_other_days(shifts, plans, request.dataset, record)
        if choose_missing_shifts(plans, shifts) and not request.test:
            shifts.write()
    return shifts


def _refuse_other_table(shifts: DateShifts, request: ExportRequest, record: Record) -> None:
    """Raise UsageError if the dates in the data set were shifted by another table, or if this one lacks a subject of the data set.

    Another table can have other numbers of days for the same subjects.
    """
    recorded = _recorded_table(request.dataset, record) or shifts.path
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


def _recorded_table(dataset: Path, record: Record) -> Path | None:
    """Return the table by which the dates in the data set were shifted; None if it is not recorded. It may not exist."""
    return Path(os.path.normpath(dataset / record.shift_table)) if record.shift_table else None


def _refuse_other_days(shifts: DateShifts, plans: Sequence[ExportPlan], dataset: Path, record: Record) -> None:
    """Raise UsageError if this table gives a session other dates than those in the record.

    If the recorded table does not exist, the table or the data set was moved: then the recorded dates of at least one session must
    be those by this table.
    """
    is_equal_by_session = dict(_compared_sessions(shifts, plans, dataset, record))
    for session, is_equal in is_equal_by_session.items():
        if not is_equal:
            hint = f"Restore that table. If the dates of {session} itself changed, delete its files from the data set."
            raise UsageError(
                f"The dates of session {session} in {dataset} were shifted by another table than {shifts.path}.", hint
            )
    recorded = _recorded_table(dataset, record)
    if recorded and not recorded.exists() and not is_equal_by_session and subjects_with_times(dataset, record):
        hint = "First export a session that the data set has, or move the table back."
        raise UsageError(
            f"The dates in {dataset} are shifted by the table {recorded}, which does not exist now. No session of this "
            f"export shows that {shifts.path} is that table.",
            hint,
        )


def _compared_sessions(
    shifts: DateShifts, plans: Sequence[ExportPlan], dataset: Path, record: Record
) -> Iterator[tuple[str, bool]]:
    """Yield each session with images that can be compared, and whether this table gives one of them the day in the record."""
    for plan in plans:
        folder, start = session_prefix(plan.subject_label, plan.session_label)
        path = f"{folder}/{start}{SCANS_SUFFIX}"
        if not plan.is_ready or not os.path.lexists(dataset / path):
            continue
        times = {row["filename"]: row["acq_time"] for row in scans_table(plan, shifts).rows}
        unchanged = set(_unchanged_images(plan, folder, record))
        results = [
            is_equal
            for entry in record.possible_entries(path)
            if entry.session == plan.session.id
            for name, time in times.items()
            for recorded in [entry.rows.get(name, {}).get("acq_time", ABSENT)]
            if (is_equal := _has_equal_day(recorded, time, is_unchanged=name in unchanged)) is not None
        ]
        if results:
            yield plan.session.id, any(results)


def _unchanged_images(plan: ExportPlan, folder: str, record: Record) -> Iterator[str]:
    """Yield the names in scans.tsv of the images that have the bytes of the record, by the summary of the session."""
    for placed in plan.placed_images:
        path = f"{placed.path}{IMAGE_SUFFIX}"
        _size, digest = (placed.image.summary.sums or {}).get(image_file(placed.image.number), (0, ""))
        if digest in {entry.sha256 for entry in record.possible_entries(path)}:
            yield path.removeprefix(f"{folder}/")


def _has_equal_day(recorded: str, time: str, *, is_unchanged: bool) -> bool | None:
    """Return whether two times of an image are on one day; None if they do not show whether the shifts are equal.

    They show it if the time of day is equal. 00:00:00 often stands for a time that was removed: then another day can be the one of
    another import, unless the image is unchanged (`is_unchanged`). An image moves by one day if earlier series show that it was
    acquired after midnight (qxbatch.bids.images.midnight).
    """
    (recorded_day, _, recorded_clock), (day, _, clock) = recorded.partition("T"), time.partition("T")
    if not clock or clock != recorded_clock:
        return None
    if day == recorded_day:
        return True
    is_removed_time = clock == "00:00:00" and not is_unchanged
    is_next_day = abs(date.fromisoformat(day) - date.fromisoformat(recorded_day)) == timedelta(days=1)
    return None if is_removed_time or is_next_day else False
