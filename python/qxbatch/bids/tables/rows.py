"""scans.tsv, sessions.tsv and participants.tsv, from values."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from qxbatch.bids.images.acquisition_time import acquisition_interval
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.schema.image_path import session_prefix
from qxbatch.bids.tables.shifts import DateShifts
from qxbatch.bids.tables.table_text import ABSENT, PARTICIPANT_ID, Table
from qxbatch.session.layout import IMAGE_SUFFIX

PARTICIPANTS_TSV = "participants.tsv"
PARTICIPANTS_JSON = "participants.json"
SESSIONS_SUFFIX = "_sessions.tsv"
"""How the path of the table of a subject's sessions ends."""
_DESCRIPTIONS: Mapping[str, Mapping[str, Any]] = {
    "age": {
        "LongName": "Age",
        "Description": "Age at the first session; 89 stands for 89 and more",
        "Units": "year",
    },
    "sex": {
        "LongName": "Sex",
        "Description": "Sex by the headers, or by the study's logfile",
        "Levels": {"F": "female", "M": "male", "O": "other"},
    },
}


def scans_table(plan: ExportPlan, shifts: DateShifts | None) -> Table:
    """Return the table of a session's images with their times, in order of time; images without a time are last."""
    folder, _ = session_prefix(plan.subject_label, plan.session_label)
    rows = []
    for placed in plan.placed_images:
        time = acquisition_interval(placed.image)
        text = moment_text(plan.subject_label, time.begin, shifts) if time else ABSENT
        rows.append({"filename": f"{placed.path.removeprefix(f'{folder}/')}{IMAGE_SUFFIX}", "acq_time": text})
    return Table(("filename", "acq_time"), tuple(sorted(rows, key=lambda row: (row["acq_time"], row["filename"]))))


def sessions_table(plans: Iterable[ExportPlan], shifts: DateShifts | None) -> Table:
    """Return the table of a subject's sessions, in order of time; sessions without a time are last."""
    rows = []
    for plan in plans:
        begin = begin_of(plan)
        text = moment_text(plan.subject_label, begin, shifts) if begin else ABSENT
        rows.append({"session_id": f"ses-{plan.session_label}", "acq_time": text})
    return Table(("session_id", "acq_time"), tuple(sorted(rows, key=lambda row: (row["acq_time"], row["session_id"]))))


def begin_of(plan: ExportPlan) -> datetime | None:
    """Return when the first acquisition of a session began; None if no time is known."""
    return min(
        (time.begin for placed in plan.placed_images if (time := acquisition_interval(placed.image))), default=None
    )


def end_of(plan: ExportPlan) -> datetime | None:
    """Return when the last acquisition of a session ended; None if no time is known."""
    return max(
        (time.end for placed in plan.placed_images if (time := acquisition_interval(placed.image))), default=None
    )


def moment_text(subject: str, moment: datetime, shifts: DateShifts | None) -> str:
    """Return a time as BIDS writes it, on the shifted day if dates are shifted; `n/a` if that day is out of range."""
    shifted = shifts.shift(subject, moment) if shifts else moment
    return shifted.isoformat() if shifted else ABSENT


def participants_table(people: Mapping[str, Mapping[str, str]], columns: Sequence[str]) -> Table:
    """Return the table of subjects; `people` has the values of each subject, by label and then by column.

    `columns` are those of the logfile table. `age` and `sex` are omitted if no subject has a value and they are not in `columns`.
    """
    possible_columns = dict.fromkeys(("age", "sex", *columns))
    used_columns = [
        name for name in possible_columns if name in columns or any(values.get(name) for values in people.values())
    ]
    rows = ({PARTICIPANT_ID: f"sub-{subject}", **values} for subject, values in sorted(people.items()))
    return Table((PARTICIPANT_ID, *used_columns), tuple(rows))


def participants_json(columns: Iterable[str]) -> bytes:
    """Return the bytes of participants.json, which describes the column of the subjects, and these columns."""
    described = {PARTICIPANT_ID: {"Description": "Label of the subject"}}
    for column in columns:
        described[column] = dict(_DESCRIPTIONS.get(column, {"Description": f"{column}, from the study's logfile"}))
    return (json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
