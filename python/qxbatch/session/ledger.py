"""ledger.tsv: one row for each member of the packets, and where its bytes are (docs/ledger.md)."""

import errno
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from sys import intern
from typing import NamedTuple, TextIO

from qxbatch.ledger_cells import escape, unescape
from qxbatch.textfile import open_text

LONGEST_LINE = 1 << 25
"""A line with this number of characters, or more, is refused: the whole of a damaged ledger may be one line. A valid line can have
several million characters, since archives have long names, which are escaped, and are nested."""
COLUMNS = ("path", "size", "sha256", "content_sha256", "kind", "fate", "at", "series", "reason")


class Kind(StrEnum):
    """The kind of a member."""

    DICOM = "dicom"
    DICOMDIR = "dicomdir"
    PAR = "par"
    REC = "rec"
    ARCHIVE = "archive"
    OTHER = "other"
    DIRECTORY = "directory"
    LINK = "link"
    DEVICE = "device"


class Fate(StrEnum):
    """The result of the import for a member."""

    SORTED = "sorted"
    """It is in the folder or archive of its series."""
    DUPLICATE = "duplicate"
    """Another member of its series has the same bytes."""
    KEPT = "kept"
    """It is in the inbox of the session, or is a log in `dicom/log`."""
    OPENED = "opened"
    """An archive whose members have rows."""
    NODATA = "nodata"
    """A folder, link or device: it has no bytes to keep."""
    REFUSED = "refused"
    """Its bytes cannot be read, or exceed a limit."""


STORED_FATES = (Fate.SORTED, Fate.KEPT)
"""Fates of members that the session itself contains; a duplicate shares the file of an equal member, which is sorted."""
FATES_WITHOUT_LOCATION = (Fate.OPENED, Fate.NODATA, Fate.REFUSED)
"""Fates of members whose bytes have no location in the session."""


class LedgerRow(NamedTuple):
    """One row of the ledger."""

    path: str
    """The member's path in its packet, escaped as the core and the ledger write it (`ledger_cells.member_path`)."""
    size: int
    """Bytes of the member in its packet."""
    sha256: str
    """SHA-256 of the member in its packet; empty if it has no bytes, or if they were not read."""
    content_sha256: str
    """SHA-256 of the bytes at `at`, for a sorted file without gzip; empty as `sha256`, and if the member could not be unpacked."""
    kind: Kind
    fate: Fate
    at: str = ""
    """Where the bytes are, relative to the session folder, not escaped; `dicom/30.tar.gz!30/name` in a packed series."""
    series: int | None = None
    """The n of its series (docs/numbers.md); None if it is in no series."""
    reason: str = ""
    """Why it is not sorted, or what is unusual about it; not escaped."""

    def may_have_size(self, size: int) -> bool:
        """Return whether a file of this size may be the kept member: that of a packed one is not known, if it was unpacked."""
        return size == self.size or self.sha256 != self.content_sha256


class LedgerChangedError(OSError):
    """A ledger is not the one that was compared with its session."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.ESTALE, "was replaced or changed after it was compared with its session", str(path))


def read_ledger(path: Path, sha256: str | None = None) -> Iterator[LedgerRow]:
    """Yield the rows of a ledger, one at a time.

    With `sha256`, raises LedgerChangedError after the last row if the bytes that were read have another hash: a caller that stops
    earlier does not know whether the rows are those of the expected ledger.

    Raises OSError, and ValueError, which names the path, at the first line that is not valid or has no line end.
    """
    if sha256 is None:
        yield from _read(path)
        return
    from hashlib import sha256 as new_digest

    digest = new_digest()
    yield from _read(path, digest.update)
    if digest.hexdigest() != sha256:
        raise LedgerChangedError(path)


def _read(path: Path, on_read: Callable[[memoryview], object] | None = None) -> Iterator[LedgerRow]:
    with open_text(path, "strict", on_read=on_read) as file:
        try:
            yield from _rows(file, path)
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: {error}") from None


def _rows(file: TextIO, path: Path) -> Iterator[LedgerRow]:
    if file.readline(LONGEST_LINE).rstrip("\n") != "\t".join(COLUMNS):
        raise ValueError(f"{path}: its first line does not name the ledger's columns")
    for number, line in enumerate(iter(partial(file.readline, LONGEST_LINE), ""), start=2):
        if len(line) == LONGEST_LINE:
            raise ValueError(f"{path}: line {number} has {LONGEST_LINE} characters or more")
        columns = line.count("\t") + 1
        if columns != len(COLUMNS):
            raise ValueError(f"{path}: line {number} has {columns} of {len(COLUMNS)} columns")
        if not line.endswith("\n"):
            raise ValueError(f"{path}: line {number} is cut: it has no line end")
        try:
            yield _row(line.rstrip("\n").split("\t"))
        except ValueError as error:
            raise ValueError(f"{path}: line {number}: {error}") from None


def _row(cells: list[str]) -> LedgerRow:
    """Return a row. To save memory, rows share equal reasons: a ledger may have a hundred thousand rows."""
    path, size, sha256, content, kind, fate, at, series, reason = cells
    return LedgerRow(
        path,
        int(size or 0),
        sha256,
        sha256 if content == sha256 else content,
        Kind(kind),
        Fate(fate),
        _unescape_if_needed(at),
        int(series) if series else None,
        intern(_unescape_if_needed(reason)),
    )


def _unescape_if_needed(cell: str) -> str:
    return unescape(cell) if "\\" in cell else cell


def write_ledger(file: TextIO, rows: Iterable[LedgerRow]) -> dict[str, int]:
    """Write the ledger row by row to a file opened with newline="\\n"; return the number of rows by fate."""
    counts: dict[str, int] = {}
    file.write("\t".join(COLUMNS) + "\n")
    for row in rows:
        counts[row.fate.value] = counts.get(row.fate.value, 0) + 1
        file.write("\t".join(row_cells(row)) + "\n")
    return dict(sorted(counts.items()))


def row_cells(row: LedgerRow) -> tuple[str, ...]:
    """Return the escaped cells of a row, in the order of COLUMNS."""
    return (
        row.path,
        str(row.size),
        row.sha256,
        row.content_sha256,
        row.kind.value,
        row.fate.value,
        escape(row.at),
        str(row.series) if row.series else "",
        escape(row.reason),
    )
