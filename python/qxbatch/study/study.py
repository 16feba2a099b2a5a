"""A study: the records of its sessions, their differences, and the items that the last run did not import."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.protocol.difference import Difference
from qxbatch.session.folder import SessionFolder, SessionState
from qxbatch.study.comparison import Comparison, SessionComparison, compare
from qxbatch.study.exports import DataSet, export_cells
from qxbatch.study.record import SessionRecord, SummaryStamp, session_record
from qxbatch.study.sessions import sessions_in


class NotImported(NamedTuple):
    """An item in the inbox that was not imported."""

    item: str
    """File or folder name."""
    reason: str
    command: str = ""
    """The command that fixes it."""
    path: str = ""
    """Where it was found."""


class Study(NamedTuple):
    """What study.json, study.tsv and the page of a study contain."""

    sessions: tuple[SessionRecord, ...]
    comparison: Comparison
    """Of the sessions with their majority, in the order of `sessions`."""
    not_imported: tuple[NotImported, ...] = ()
    export_states: Mapping[str, str] = {}
    """By session id, the state of its BIDS export; empty if the study was not exported."""
    data_sets: tuple[DataSet, ...] = ()
    """The data sets that sessions were exported to."""

    @property
    def rows(self) -> "list[StudyRow]":
        """Return each session with its differences."""
        pairs = zip(self.sessions, self.comparison.sessions, strict=True)
        return [StudyRow(record, comparison, self.export_states.get(record.id)) for record, comparison in pairs]


class StudyRow(NamedTuple):
    """A session of a study with its differences from the majority: a row of study.tsv, and of the table of the page."""

    record: SessionRecord
    comparison: SessionComparison
    export_state: str | None = None
    """The state of its BIDS export (the column `bids`); None if the study was not exported."""

    @property
    def session(self) -> str:
        """Return the session id."""
        return self.record.id

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Return the differences from the majority."""
        return self.comparison.differences

    @property
    def is_compared(self) -> bool:
        """Return whether the session was compared with the majority."""
        return self.comparison.cells is not None

    @property
    def cells(self) -> Mapping[str, object]:
        """Return the row of the table."""
        differences = len(self.differences) if self.is_compared else None
        return {**self.record.cells, "differences": differences, "bids": self.export_state}


def study_of(
    folders: Iterable[SessionFolder],
    previous: Mapping[str, SessionRecord] | None = None,
    not_imported: Sequence[NotImported] = (),
    data_sets: Sequence[DataSet] = (),
) -> Study:
    """Return the study of some sessions.

    A record of `previous`, by session id, is used if the summary has not changed, and session.txt still exists or is still missing.
    """
    records = tuple(_record(folder, (previous or {}).get(folder.id)) for folder in folders)
    comparison = compare(record.series_facts for record in records)
    return Study(records, comparison, tuple(not_imported), export_cells(data_sets, records), tuple(data_sets))


def is_current(study: Study, folder: Path) -> bool:
    """Return whether the sessions in a folder still are those of the study, with the same summaries."""
    stamps = {record.id: record.stamp for record in study.sessions}
    sessions = [SessionFolder(path) for path in sessions_in(folder) if path.parent == folder]
    return stamps == {session.id: _stamp_now(session, stamps.get(session.id)) for session in sessions}


def _stamp_now(session: SessionFolder, recorded: SummaryStamp | None) -> SummaryStamp | None:
    """Return the stamp that a record of the session would have now: none if the summary is still unreadable."""
    return None if recorded is None and session.readable_summary is None else summary_stamp(session)


def _record(folder: SessionFolder, previous: SessionRecord | None) -> SessionRecord:
    stamp = summary_stamp(folder)
    if (
        previous is not None
        and stamp is not None
        and previous.stamp == stamp
        and _session_txt_exists_as_before(folder, previous)
    ):
        return previous
    return session_record(folder, stamp)


_WITHOUT_SESSION_TXT = (SessionState.INCOMPLETE.value, SessionState.SORTED.value)
"""States of a session that has a readable summary but no session.txt."""


def _session_txt_exists_as_before(folder: SessionFolder, previous: SessionRecord) -> bool:
    exists = os.path.isfile(folder.paths.session_txt)  # noqa: PTH113 - one call for each of thousands of sessions
    return exists == (previous.cells["state"] not in _WITHOUT_SESSION_TXT)


def summary_stamp(folder: SessionFolder) -> SummaryStamp | None:
    """Return the size and the time of a session's summary, which change if it is rewritten; None if there is no summary."""
    try:
        status = os.stat(folder.paths.summary)  # noqa: PTH116 - one call for each of thousands of sessions
    except OSError:
        return None
    return SummaryStamp(status.st_size, status.st_mtime_ns)
