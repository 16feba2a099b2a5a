"""Files of a replaced session are unpacked only if they may be the import's, and a signal ends the unpacking of a large one."""

import gzip
import hashlib
from pathlib import Path

import pytest

from qxbatch import large_files
from qxbatch.core import CancelledError, Monitor, gzip_file, hash_gzip_content
from qxbatch.publish import known_bytes
from qxbatch.publish.known_bytes import KnownBytes
from qxbatch.publish.open_folders import opened_folder
from qxbatch.session.ledger import Fate, Kind, LedgerRow, write_ledger
from tests.build.sparse import grow

NAME = "dicom/31/a.gz"
CONTENT = b"words"


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A session whose ledger lists one gz of a sorted file, and not the other one."""
    path = tmp_path / NAME
    path.parent.mkdir(parents=True)
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    gzip_file(str(source), str(path))
    (path.parent / "mine.gz").write_bytes(gzip.compress(CONTENT, mtime=0))
    digest = hashlib.sha256(CONTENT).hexdigest()
    (tmp_path / "qxbatch").mkdir()
    with (tmp_path / "qxbatch" / "ledger.tsv").open("w", newline="\n") as file:
        write_ledger(file, [LedgerRow("a", len(CONTENT), digest, digest, Kind.DICOM, Fate.SORTED, NAME)])
    return tmp_path


def known_in(session: Path, name: str, monitor: Monitor | None = None) -> bool:
    with opened_folder(session) as folder:
        return KnownBytes(folder, {hashlib.sha256(CONTENT).hexdigest()}).has(Path(name), monitor)


def test_a_gz_that_the_ledger_does_not_list_is_not_unpacked(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = []

    def count(path: str, *, refuse_foreign_bytes: bool, monitor: Monitor | None) -> tuple[int, str]:
        unpacked.append(Path(path).name)
        return hash_gzip_content(path, refuse_foreign_bytes=refuse_foreign_bytes, monitor=monitor)

    monkeypatch.setattr(known_bytes, "hash_gzip_content", count)
    assert known_in(session, NAME)
    assert not known_in(session, "dicom/31/mine.gz")
    assert unpacked == ["a.gz"]


def test_a_signal_ends_the_unpacking_of_a_large_gz_and_the_reading_of_a_large_file(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Monitor()
    stopped.cancel()
    assert known_in(session, NAME, stopped), "a small gz is compared to its end"
    grow(session / "dicom" / "31" / "mine.gz")
    with pytest.raises(CancelledError):
        known_in(session, "dicom/31/mine.gz", stopped)
    monkeypatch.setattr(large_files, "_LARGE_PACKED_BYTES", 5)
    with pytest.raises(CancelledError):
        known_in(session, NAME, stopped)
