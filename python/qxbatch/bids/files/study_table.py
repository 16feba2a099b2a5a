"""Columns of the table of a study (--logfile) for participants.tsv."""

from collections.abc import Sequence

from qxbatch.bids.files.shared import StudyTable
from qxbatch.nearest import nearest
from qxbatch.problems import UsageError
from qxbatch.resolve.table import column_of, read_rows
from qxbatch.settings.model import LogfileSpec


def read_study_table(spec: LogfileSpec, names: Sequence[str]) -> tuple[StudyTable, list[str]]:
    """Return the named columns by subject, and warnings about contradictory values. Raises UsageError."""
    rows = read_rows(spec.path)
    if not rows:
        raise UsageError(f"The logfile {spec.path} is empty.", "Name a table with a row for each packet.")
    head = rows[0]
    for name in names:
        if name not in head:
            near = nearest(name, head)
            hint = f"Did you mean {near}?" if near else f"It has {', '.join(head)}."
            raise UsageError(f"The logfile {spec.path} has no column {name}.", hint)
    subject = column_of(rows, spec.subject_id, spec.path)
    values: dict[str, dict[str, str]] = {}
    warnings: list[str] = []
    for row in rows[1:]:
        cells = dict(zip(head, row, strict=False))
        label = row[subject] if subject < len(row) else ""
        if not label:
            continue
        columns = values.setdefault(label, {})
        for name in names:
            value = cells.get(name, "")
            if value and columns.setdefault(_column(name), value) != value:
                warnings.append(
                    f"{spec.path} has several values of {name} for {label}; {columns[_column(name)]} is used."
                )
    return StudyTable(tuple(map(_column, names)), values), list(dict.fromkeys(warnings))


def _column(name: str) -> str:
    """Return the name of a column without spaces."""
    return "_".join(name.split())
