"""The files of a data set that sessions share: its description and its tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.bids.files.age_and_sex import age_and_sex
from qxbatch.bids.files.description import description_files
from qxbatch.bids.files.export_cache import ExportCache
from qxbatch.bids.files.planned_files import ColumnDescriptions, Owner, PlannedFile
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.tables.rows import (
    PARTICIPANTS_JSON,
    PARTICIPANTS_TSV,
    SESSIONS_SUFFIX,
    begin_of,
    end_of,
    participants_table,
    sessions_table,
)
from qxbatch.bids.tables.shifts import DateShifts


class LogfileTable(NamedTuple):
    """Columns of the table of --logfile, for participants.tsv."""

    columns: tuple[str, ...] = ()
    values: Mapping[str, Mapping[str, str]] = {}
    """By the subject as the sessions name it, which is not its BIDS label; then by column."""


class SharedFileOptions(NamedTuple):
    """Options for the files that sessions share."""

    dataset: Path
    sessionsfolder: Path
    description_fields: Mapping[str, Any]
    """Fields of dataset_description.json in the rule file."""
    logfile_table: LogfileTable
    shifts: DateShifts | None
    """None: dates are not shifted."""
    sourcedata: bool
    """Whether the data set also gets the sorted files (DICOM, PAR/REC) of the exported series."""


def shared_files(plans: Iterable[ExportPlan], options: SharedFileOptions, cache: ExportCache) -> list[PlannedFile]:
    """Return the planned files that sessions share. Plans that are not ready, or that place no image, are not used."""
    subjects: dict[str, list[ExportPlan]] = {}
    for plan in plans:
        if plan.is_ready and plan.placed_images:
            subjects.setdefault(plan.subject_label, []).append(plan)
    people = {subject: _person(sessions, options.logfile_table, cache) for subject, sessions in subjects.items()}
    table = participants_table(people, options.logfile_table.columns)
    files = description_files(
        options.dataset, options.sessionsfolder, options.description_fields, sourcedata=options.sourcedata
    )
    for subject, sessions in subjects.items():
        labelled_plans = [plan for plan in sessions if plan.session_label]
        if labelled_plans:
            path = f"sub-{subject}/sub-{subject}{SESSIONS_SUFFIX}"
            files.append(PlannedFile(path, Owner(), sessions_table(labelled_plans, options.shifts)))
    files.append(PlannedFile(PARTICIPANTS_TSV, Owner(), table))
    if people:
        files.append(PlannedFile(PARTICIPANTS_JSON, Owner(), ColumnDescriptions(PARTICIPANTS_TSV), is_editable=True))
    return files


def _person(sessions: Sequence[ExportPlan], table: LogfileTable, cache: ExportCache) -> dict[str, str]:
    """Return the values of a subject by column: age and sex, each of the first session that has it, and the columns of the table.

    A value in the table takes precedence.
    """
    columns: dict[str, str] = {}
    for plan in sorted(sessions, key=lambda plan: (str(begin_of(plan) or "9"), plan.session.id)):  # unknown: last
        columns = {**age_and_sex(plan.session, cache), **columns}
    for plan in sessions:
        from_table = table.values.get(plan.session.subject, {})
        columns |= {column: value for column, value in from_table.items() if value}
    return columns


def choose_missing_shifts(plans: Iterable[ExportPlan], shifts: DateShifts) -> bool:
    """Choose shifts for those subjects of ready sessions that have none, and have a known time; return whether any was chosen."""
    latest: dict[str, date] = {}
    for plan in plans:
        end = end_of(plan) if plan.is_ready else None
        if end is not None:
            latest[plan.subject_label] = max(end.date(), latest.get(plan.subject_label, end.date()))
    return shifts.choose_missing(sorted(latest.items()))
