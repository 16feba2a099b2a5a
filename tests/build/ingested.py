"""A packet read by the core, placed as a session, and checked against its ledger."""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qxbatch.core import Reading, Row, ingest

HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Ingested:
    """One reading and the session folder its files were placed in."""

    reading: Reading
    root: Path

    @property
    def rows(self) -> list[Row]:
        return [self.reading.row(k) for k in range(len(self.reading))]

    def row(self, path: str) -> Row:
        """Return the only row of a path."""
        [row] = [row for row in self.rows if row.path == path]
        return row

    def fates(self) -> dict[str, str]:
        """Return the fates by path, which must be unique."""
        return {row.path: row.fate for row in self.rows}

    def kept(self) -> dict[str, bytes]:
        """Return the files in inbox, by path below it."""
        folder = self.root / "inbox"
        files = (path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    def series(self) -> list[tuple[int | None, int, int, str]]:
        """Return SeriesNumber, number of files, size and SeriesInstanceUID of each group."""
        return [(each.number, each.files, each.size, each.series_uid) for each in self.reading.groups()]

    def sorted_hashes(self) -> list[tuple[str, str]]:
        """Return path and hash of the sorted files, in order."""
        return sorted((row.at, row.content_sha256) for row in self.rows if row.fate == "sorted")


def ingested(packet: Path, work: Path, **options: Any) -> Ingested:
    """Read a packet, place all its files, and compare rows and files."""
    name = "".join(letter if letter.isalnum() else "-" for letter in packet.name)
    staging, root = work / f"{name}.staging", work / f"{name}.session"
    root.mkdir(parents=True)
    reading = ingest([(str(packet), "")], str(staging), **options)
    for k in range(len(reading.groups())):
        reading.place_series(str(root), 10 * (k + 1), "P001", [k])
    rows = [reading.row(k) for k in range(len(reading))]
    kept = [row.index for row in rows if row.fate == "kept" and row.kind not in {"par", "rec"}]
    reading.place_in_inbox(str(root), kept)
    for row in rows:
        if row.kind in {"par", "rec"} and row.fate == "kept":
            reading.place_row(row.index, str(root), f"dicom/9000/{row.index}.{row.kind.upper()}", 9000)
    result = Ingested(reading, root)
    check(result, staging)
    return result


def check(result: Ingested, staging: Path) -> None:
    """Check that staging is empty, each row matches its fate, and each placed file has the bytes of its row."""
    assert [path for path in staging.rglob("*") if path.is_file()] == []
    places = set()
    for index, row in enumerate(result.rows):
        assert row.index == index
        assert row.fate in {"sorted", "duplicate", "kept", "opened", "nodata", "refused"}
        if row.fate in {"refused", "nodata"}:
            assert not row.at
            assert row.reason or row.kind == "directory"
        if row.fate in {"sorted", "kept"}:
            assert row.at not in places, "two members in one place"
            places.add(row.at)
        if row.at:
            data = (result.root / row.at).read_bytes()
            assert row.content_sha256 in {digest(data), digest(unzipped(data))}
        if row.fate in {"kept", "duplicate"}:
            assert row.reason
    on_disk = {path.relative_to(result.root).as_posix() for path in result.root.rglob("*") if path.is_file()}
    assert on_disk == places


def digest(data: bytes) -> str:
    """Return the SHA-256 in the ledger's notation."""
    return hashlib.sha256(data).hexdigest()


def unzipped(data: bytes) -> bytes:
    """Return the content of gzip data, else the data."""
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return data
