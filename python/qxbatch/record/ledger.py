"""ledger.tsv: one row for each member of the packets, and where its bytes lie now (docs/ledger.md)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TextIO

from qxbatch.cells import escaped
from qxbatch.model import Series

COLUMNS = ("path", "size", "sha256", "content_sha256", "kind", "fate", "at", "series", "reason")
_JOINED = "joined with series"
_NOTE = re.compile(rf"(^|; ){_JOINED} \d+: .*", re.DOTALL)


class RowLike(Protocol):
    """A row of the core (qxbatch._core.Row)."""

    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def content_sha256(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def fate(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def series(self) -> int: ...
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True)
class Told:
    """A row that is not as the core has it: of an earlier ledger, or a second copy."""

    path: str
    size: int
    sha256: str
    content_sha256: str
    kind: str
    fate: str
    at: str
    series: int
    reason: str


def second_copy(row: RowLike, first: RowLike) -> Told:
    """Return the row of a member whose very bytes were stored for another one."""
    return Told(row.path, row.size, row.sha256, row.content_sha256, row.kind, "duplicate", first.at, first.series, "")


@dataclass(frozen=True)
class LedgerLine:
    """A row, and where its bytes lie in the finished session."""

    row: RowLike
    at: str
    reason: str | None = None
    """In place of the row's own."""
    note: str = ""
    """Added to the reason."""


def joined_notes(series: Iterable[Series]) -> dict[int, str]:
    """Return a note for each of the core's groups whose UIDs or number are not those of the series it was joined with."""
    notes = {}
    for first, part in ((each.parts[0], part) for each in series for part in each.parts):
        differing = (
            ("StudyInstanceUID", part.study_uid, first.study_uid),
            ("SeriesInstanceUID", part.series_uid, first.series_uid),
            ("SeriesNumber", part.number, first.number),
        )
        values = ", ".join(f"its {name} is {own}" for name, own, others in differing if own != others)
        if values:
            notes.update(dict.fromkeys(part.groups, f"{_JOINED} {first.number}: {values}"))
    return notes


def without_note(reason: str) -> str:
    """Return the reason of a row without the note that its file was joined with a series."""
    return _NOTE.sub("", reason)


def write_ledger(file: TextIO, lines: Iterable[LedgerLine]) -> dict[str, int]:
    """Write the ledger row by row to a file opened with newline="\\n", and return the number of rows by fate."""
    counts: dict[str, int] = {}
    file.write("\t".join(COLUMNS) + "\n")
    for line in lines:
        row = line.row
        counts[row.fate] = counts.get(row.fate, 0) + 1
        cells = (
            row.path,  # the core has escaped it
            str(row.size),
            row.sha256,
            row.content_sha256,
            row.kind,
            row.fate,
            escaped(line.at),
            str(row.series) if row.series else "",
            escaped("; ".join(filter(None, (row.reason if line.reason is None else line.reason, line.note)))),
        )
        file.write("\t".join(cells) + "\n")
    return dict(sorted(counts.items()))
