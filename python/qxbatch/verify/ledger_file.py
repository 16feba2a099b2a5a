"""Reads a ledger.tsv back, for the checks that must not trust what is in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from sys import intern

COLUMNS = ("path", "size", "sha256", "content_sha256", "kind", "fate", "at", "series", "reason")


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row of ledger.tsv (docs/ledger.md)."""

    path: str
    size: int
    sha256: str
    content_sha256: str
    kind: str
    fate: str
    at: str
    series: str
    reason: str


def read_ledger(path: Path) -> Iterator[LedgerRow]:
    """Yield the rows of a ledger. Raises ValueError when the file is not one, or was cut."""
    with path.open(encoding="utf-8", newline="\n") as file:
        header = file.readline().rstrip("\n").split("\t")
        if tuple(header) != COLUMNS:
            raise ValueError(f"{path}: its first line does not name the ledger's columns")
        for number, line in enumerate(file, start=2):
            cells = line.rstrip("\n").split("\t")
            if len(cells) != len(COLUMNS) or not line.endswith("\n"):
                raise ValueError(f"{path}: line {number} has {len(cells)} of {len(COLUMNS)} columns")
            yield _row(cells)


def _row(cells: list[str]) -> LedgerRow:
    """Texts that many rows share are kept once: a ledger may have a hundred thousand rows."""
    path, size, sha256, content, kind, fate, at, series, reason = cells
    content = sha256 if content == sha256 else content
    return LedgerRow(
        path, int(size or 0), sha256, content, intern(kind), intern(fate), at, intern(series), intern(reason)
    )
