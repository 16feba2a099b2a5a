"""A study: the records of its sessions, what differs among them, and what the last imports did not import."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.protocol.difference import Difference
from qxbatch.session.folder import SessionFolder
from qxbatch.study.comparison import Comparison, SessionComparison, compare
from qxbatch.study.record import SessionRecord, Stamp, session_record
from qxbatch.study.sessions import sessions_in


class NotImported(NamedTuple):
    """A thing in the inbox that is no session."""

    item: str
    """File or folder name."""
    reason: str
    command: str = ""
    """That fixes it."""
    path: str = ""
    """Where it was found."""


class Study(NamedTuple):
    """The study level."""

    sessions: tuple[SessionRecord, ...]
    comparison: Comparison
    """With the majority of the sessions, in the same order."""
    not_imported: tuple[NotImported, ...] = ()

    @property
    def rows(self) -> "list[Row]":
        """Return each session with what differs."""
        return [Row(record, compared) for record, compared in zip(self.sessions, self.comparison.sessions, strict=True)]


class Row(NamedTuple):
    """A session and what differs."""

    record: SessionRecord
    compared: SessionComparison

    @property
    def session(self) -> str:
        """Return the session id."""
        return self.record.id

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Return what differs from the majority."""
        return self.compared.differences

    @property
    def cells(self) -> Mapping[str, object]:
        """Return the row of the table."""
        if self.compared.cells is None:
            return self.record.cells
        return {**self.record.cells, "differences": len(self.differences)}


def study_of(
    folders: Iterable[SessionFolder],
    known: Mapping[str, SessionRecord] | None = None,
    not_imported: Sequence[NotImported] = (),
) -> Study:
    """Return the study of some sessions. Records of `known`, by session id, are taken where the summary is the same."""
    records = tuple(_record(folder, (known or {}).get(folder.id)) for folder in folders)
    return Study(records, compare(record.scanned for record in records), tuple(not_imported))


def is_current(study: Study, folder: Path) -> bool:
    """Return whether the sessions in a folder still are those of the study, with the same summaries."""
    stamps = {record.id: record.stamp for record in study.sessions}
    sessions = [path for path in sessions_in(folder) if path.parent == folder]
    return stamps == {path.name: _stamp(SessionFolder(path)) for path in sessions}


def _record(folder: SessionFolder, known: SessionRecord | None) -> SessionRecord:
    stamp = _stamp(folder)
    if known is not None and stamp is not None and known.stamp == stamp:
        return known
    return session_record(folder, stamp)


def _stamp(folder: SessionFolder) -> Stamp | None:
    try:
        found = os.stat(folder.paths.summary)  # noqa: PTH116 - one call for each of thousands of sessions
    except OSError:
        return None
    return Stamp(found.st_size, found.st_mtime_ns)
