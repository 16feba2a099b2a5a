"""Dates moved by a number of days for each subject; the numbers are kept outside of the data set."""

import os
import secrets
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

from qxbatch.bids.tables.table_text import Table, read_table
from qxbatch.problems import UsageError
from qxbatch.publish.durable import sync_folder
from qxbatch.publish.plain import read_plain

FILE = "bids-date-shifts.tsv"
"""In the sessions folder."""
_LATEST = date(1914, 12, 31)
"""BIDS recommends years before 1925 for shifted dates; the ten years up to then are for later sessions of a subject."""
_SPREAD = 3650
"""Range of the random number of days, in days."""
COLUMNS = ("participant_id", "days")


class Shifts:
    """The days by which the dates of each subject are moved back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.days: dict[str, int] = {}

    def read(self) -> "Shifts":
        """Read the table if it exists. Raises UsageError, OSError."""
        content = read_plain(self.path)
        if content is None:
            return self
        table = read_table(content.decode("utf-8", "replace"))
        rows = table.rows if table and table.columns == COLUMNS else None
        try:
            self.days = {row[COLUMNS[0]]: int(row[COLUMNS[1]]) for row in rows or ()}
        except (KeyError, ValueError):
            rows = None
        if rows is None:
            hint = "Restore it: with new shifts the dates would not agree with earlier exports."
            raise UsageError(f"The table of date shifts {self.path} cannot be read.", hint)
        return self

    def choose(self, latest: Iterable[tuple[str, date]]) -> bool:
        """Choose shifts for subjects without one; `latest` has the latest day of each. Return whether there are new ones."""
        new = {subject: day for subject, day in latest if subject not in self.days}
        for subject, day in new.items():
            self.days[subject] = max(0, (day - _LATEST).days) + 1 + secrets.randbelow(_SPREAD)
        return bool(new)

    def write(self) -> None:
        """Write the table with read permission only for its owner. Raises OSError."""
        rows = tuple({COLUMNS[0]: name, COLUMNS[1]: str(days)} for name, days in sorted(self.days.items()))
        temporary = self.path.with_name(f".{self.path.name}.new")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(Table(COLUMNS, rows).text())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)
        sync_folder(self.path.parent)

    def moved(self, subject: str, moment: datetime) -> datetime:
        """Return a moment of a subject on its shifted day."""
        return moment - timedelta(days=self.days.get(subject, 0))
