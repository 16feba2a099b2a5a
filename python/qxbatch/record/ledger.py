"""ledger.tsv: one row for each member of the packets, and where its bytes lie now (docs/ledger.md)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TextIO

COLUMNS = ("path", "size", "sha256", "content_sha256", "kind", "fate", "at", "series", "reason")


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
class LedgerLine:
    """A row, and where its bytes lie in the finished session."""

    row: RowLike
    at: str


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
            escaped(row.reason),
        )
        file.write("\t".join(cells) + "\n")
    return dict(sorted(counts.items()))


def escaped(value: str) -> str:
    """Return text with tab, newline, carriage return, backslash and bytes that are no UTF-8 as `\\xNN`."""
    if value.isprintable() and "\\" not in value:
        return value
    return "".join(_escape(character) for character in value)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 (Python's place for single bytes that are no UTF-8)
        return f"\\x{code - 0xDC00:02x}"
    if character in "\t\n\r\\":
        return f"\\x{code:02x}"
    return character
