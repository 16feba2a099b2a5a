"""Dates shifted by a number of days for each subject; a table outside of the data set has the numbers."""

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from qxbatch.bids.tables.table_text import Table, read_table
from qxbatch.exits import ExitStatus
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.publish.durable import replace_text
from qxbatch.publish.folder_lock import FolderLock, locked_folder
from qxbatch.textfile import read_text

SHIFT_TABLE_NAME = "bids-date-shifts.tsv"
"""Name of the table in the sessions folder; --shift-table names another file."""
_LATEST = date(1914, 12, 31)
"""When the shift of a subject is chosen, the subject's latest session is shifted to a day before this one.

BIDS recommends the year 1925 or earlier for shifted dates. The ten years in between are for sessions that are acquired later.
"""
_SPREAD = 3650
"""Number of days from which the random part of a shift is chosen: 0 to 3649 days."""
_MAX_DAYS = 500_000
"""About 1,370 years, so that shifted dates of today are after the year 1."""
COLUMNS = ("participant_id", "days")


class DateShifts:
    """The table of date shifts: the days by which the dates of each subject are shifted back.

    `read` has to be called before the shifts are used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._target = Path(os.path.realpath(path))
        """The file that is written. If `path` is a symbolic link to a safer place, the link is kept."""
        self.days: dict[str, int] = {}
        """By label of the subject."""
        self._text: str | None = None
        """The text of the table that was read; None if there was no table."""

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the folder of the table, so that no export overwrites rows that another one adds. Raises UsageError, OSError."""
        with locked_folder(self._target.parent) as lock:
            if lock is FolderLock.HELD_BY_ANOTHER_PROCESS:
                message = (
                    f"Another program holds the lock on {self._target.parent}, the folder of the table of date shifts."
                )
                raise UsageError(message, "Run again when it has ended.", ExitStatus.HELD)
            yield

    def read(self) -> "DateShifts":
        """Read the table if it exists, and return this object. Raises UsageError."""
        try:
            self._text = read_text(self._target, "strict")
        except FileNotFoundError:
            return self
        except OSError as error:
            raise self._read_error(reason_text(error, self._target)) from None
        except UnicodeDecodeError:
            raise self._read_error("it is not UTF-8") from None
        table = read_table(self._text)
        if table is None or table.columns != COLUMNS:
            raise self._read_error(f"its first line is not {' and '.join(COLUMNS)}, separated by a tab")
        try:
            self.days = {row[COLUMNS[0]]: int(row[COLUMNS[1]]) for row in table.rows}
        except (KeyError, ValueError):
            raise self._read_error("a row has no number of days") from None
        if len(self.days) < len(table.rows):
            raise self._read_error("a subject has two rows")
        if not all(0 < days <= _MAX_DAYS for days in self.days.values()):
            raise self._read_error(f"a number of days is not from 1 to {_MAX_DAYS}")
        return self

    def _read_error(self, reason: str) -> UsageError:
        hint = "Restore it: with new shifts the dates would not agree with earlier exports."
        return UsageError(f"The table of date shifts {self.path} cannot be read: {reason}.", hint)

    def choose_missing(self, latest: Iterable[tuple[str, date]]) -> bool:
        """Choose shifts for subjects without one; return whether there are new ones.

        `latest` has the label and the latest day of acquisition of each subject.
        """
        new = {subject: day for subject, day in latest if subject not in self.days}
        for subject, day in new.items():
            self.days[subject] = max(0, (day - _LATEST).days) + 1 + secrets.randbelow(_SPREAD)
        return bool(new)

    def write(self) -> None:
        """Write the table so that only its owner can read it.

        Raises OSError, and UsageError if another program, such as an editor, changed the table since it was read.
        """
        rows = tuple({COLUMNS[0]: name, COLUMNS[1]: str(days)} for name, days in sorted(self.days.items()))
        text, tag = Table(COLUMNS, rows).text(), os.urandom(8).hex()
        try:
            if self._text is None:
                replace_text(self._target, text, tag, 0o600, is_new=True)
            else:
                replace_text(self._target, text, tag, 0o600, before_rename=self._refuse_changed_table)
        except FileExistsError:
            raise self._changed_error() from None

    def _refuse_changed_table(self) -> None:
        """Raise UsageError if the table no longer has the text that was read."""
        try:
            is_changed = read_text(self._target, "strict") != self._text
        except (OSError, UnicodeDecodeError):
            is_changed = True
        if is_changed:
            raise self._changed_error()

    def _changed_error(self) -> UsageError:
        message = f"Another program changed the table of date shifts {self.path} while the export chose new shifts."
        return UsageError(message, "The table was not written. Run again.", ExitStatus.HELD)

    def shift(self, subject: str, moment: datetime) -> datetime | None:
        """Return a moment moved back by the days of a subject, at the same time of day; None if that is before the year 1.

        Without a shift of the subject, the moment is returned unchanged.
        """
        try:
            return moment - timedelta(days=self.days.get(subject, 0))
        except OverflowError:
            return None
