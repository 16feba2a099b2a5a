"""The columns that participants.tsv gets from the table of --logfile."""

from collections.abc import Sequence

from qxbatch.bids.files.shared import LogfileTable
from qxbatch.bids.tables.table_text import PARTICIPANT_ID
from qxbatch.nearest import nearest_name
from qxbatch.problems import UsageError
from qxbatch.resolve.table import column_of, read_rows
from qxbatch.settings.model import LogfileSpec


def read_logfile_table(spec: LogfileSpec | None, names: Sequence[str]) -> tuple[LogfileTable, list[str]]:
    """Return the columns that `names` lists, by subject, and warnings about contradictory values; both empty without a logfile.

    Raises UsageError.
    """
    if spec is None:
        return LogfileTable(), []
    rows = read_rows(spec.path)
    if not rows:
        raise UsageError(f"The logfile {spec.path} is empty.", "Name a table with a row for each packet.")
    head, *remaining_rows = rows.values()
    for name in names:
        if name not in head:
            near = nearest_name(name, head)
            hint = f"Did you mean {near}?" if near else f"It has {', '.join(head)}."
            raise UsageError(f"The logfile {spec.path} has no column {name}.", hint)
        if _column(name) == PARTICIPANT_ID:
            message = f"The column {name} of the logfile cannot be copied: participants.tsv has a column {PARTICIPANT_ID} already."
            raise UsageError(message, "Leave it out of --participant-columns.")
    subject_column = column_of(rows, spec.subject_id, spec.path)
    values: dict[str, dict[str, str]] = {}
    warnings: list[str] = []
    for row in remaining_rows:
        cells = dict(zip(head, row, strict=False))
        subject_id = row[subject_column] if subject_column < len(row) else ""
        if not subject_id:
            continue
        columns = values.setdefault(subject_id, {})
        for name in names:
            value = cells.get(name, "")
            if value and columns.setdefault(_column(name), value) != value:
                warnings.append(
                    f"{spec.path} has several values of {name} for {subject_id}; {columns[_column(name)]} is used."
                )
    return LogfileTable(tuple(map(_column, names)), values), list(dict.fromkeys(warnings))


def _column(name: str) -> str:
    """Return the name of a column with `_` in place of spaces."""
    return "_".join(name.split())
