"""The table that maps packet names to sessions."""

from collections.abc import Mapping
from typing import NamedTuple

from qxbatch.model import SessionId
from qxbatch.problems import UsageError
from qxbatch.resolve.table import column_of, read_rows
from qxbatch.settings.model import LogfileSpec


class LogfileRow(NamedTuple):
    """Subject and session name in a row of the table. An empty cell is an empty text."""

    subject: str
    session: str

    @property
    def session_id(self) -> SessionId | None:
        """Return the session; None if the row names no subject. An empty session cell means that there is no session name."""
        return SessionId(self.subject, self.session or None) if self.subject else None


LogfileRows = Mapping[str, LogfileRow]
"""Rows of the table by packet name."""


def read_logfile(spec: LogfileSpec) -> LogfileRows:
    """Return the rows of the table; those without a packet name are omitted.

    Raises UsageError, also if two rows of a packet differ in subject or session.
    """
    rows = read_rows(spec.path)
    if not rows:
        raise UsageError(f"The logfile {spec.path} is empty.", "Name a table with a row for each packet.")
    packet_column = column_of(rows, spec.packet_name, spec.path)
    subject_column = column_of(rows, spec.subject_id, spec.path)
    session_column = None if spec.session_name is None else column_of(rows, spec.session_name, spec.path)
    has_header = any(isinstance(column, str) for column in (spec.packet_name, spec.subject_id, spec.session_name))
    by_packet: dict[str, LogfileRow] = {}
    first_row_of: dict[str, int] = {}
    for number, row in list(rows.items())[has_header:]:
        name = _cell(row, packet_column)
        entry = LogfileRow(_cell(row, subject_column), "" if session_column is None else _cell(row, session_column))
        first_number = first_row_of.setdefault(name, number)
        if name and by_packet.setdefault(name, entry) != entry:
            # with --logfile the log is de-identified, so the message does not name the packet
            raise UsageError(
                f"The logfile {spec.path} names one packet twice: as {_id_text(by_packet[name])} in row {first_number}, "
                f"and as {_id_text(entry)} in row {number}.",
                "Leave one of the rows out, or make them equal.",
            )
    return by_packet


def _cell(row: list[str], index: int) -> str:
    """Return a cell; Excel omits empty cells at the end of a row."""
    return row[index] if index < len(row) else ""


def _id_text(entry: LogfileRow) -> str:
    return entry.session_id.id if entry.session_id else "no subject"
