"""A sparse file of terabytes in an inbox or a session: it is not read if its size shows that it is another file."""

from pathlib import Path

import pytest

from qxbatch.archive.inbox_copies import InboxCopies
from qxbatch.archive.remaining import contain_remaining
from qxbatch.core import CancelledError, Monitor
from qxbatch.discover.own_names import HiddenKind
from qxbatch.pipeline.archiving import archive_packets
from qxbatch.publish.inbox_removal import remove_listed
from qxbatch.publish.removal_list import RemovalList
from qxbatch.publish.transfer import hidden_path
from qxbatch.record.kept_files import move_kept_files
from qxbatch.session.ledger import Fate, Kind, LedgerRow, read_ledger
from tests.build.dicom import MrSeries
from tests.build.packets import Kind as PacketKind
from tests.build.packets import write_packet
from tests.build.sparse import TERABYTES, grow, refuse_to_hash
from tests.build.study import Study, run_main

FILES = {**MrSeries().files(), "notes.txt": b"words"}
FOLDER_MODE = ("--masterinbox=none", "--sessions=S1", "--check=no")
TAG = "0123456789abcdef"


def stopped() -> Monitor:
    monitor = Monitor()
    monitor.cancel()
    return monitor


def test_what_is_left_of_a_packet_is_compared_by_size_first(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = study.put("S1", FILES, PacketKind.FOLDER)
    assert study.main("--archive=leave").status == 0
    gone = hidden_path(packet, HiddenKind.GONE, TAG)
    packet.rename(gone)
    assert contain_remaining([study.session("S1")], gone, Monitor())
    with pytest.raises(CancelledError):
        contain_remaining([study.session("S1")], gone, stopped())
    grow(gone / "big.bin")
    refuse_to_hash(monkeypatch, "qxbatch.archive.remaining")
    run = study.main()
    assert "but not with all files that are left of the packet" in " ".join(run.text.split())


def test_a_kept_file_that_became_sparse_is_not_read_before_its_archive_is_deleted(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = study.session("S1") / "inbox"
    write_packet(FILES, inbox, "scan", PacketKind.ZIP)

    def grow_and_archive(*args: object, **options: object) -> object:
        (copy,) = inbox.rglob("notes.txt")
        grow(copy)
        return archive_packets(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("qxbatch.pipeline.finish.archive_packets", grow_and_archive)
    refuse_to_hash(monkeypatch, "qxbatch.archive.inbox_copies")
    run = study.main(*FOLDER_MODE, "--archive=delete")
    assert run.status == 0, run.text
    assert [path.name for path in study.archive.iterdir()] == ["scan.zip"]


def test_a_kept_file_that_became_sparse_is_not_read_by_the_next_conversion(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.put("S1", FILES)
    assert study.main("--archive=leave").status == 0
    session = study.session("S1")
    (copy,) = (session / "inbox").rglob("notes.txt")
    grow(copy)
    refuse_to_hash(monkeypatch, "qxbatch.record.previous")
    run = run_main("convert", "--overwrite", str(session))
    assert run.status == 0, run.text
    assert "notes.txt" not in {Path(row.at).name for row in read_ledger(session / "qxbatch" / "ledger.tsv")}


def test_a_file_in_the_inbox_is_compared_with_a_kept_file_by_size_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, build, inbox = (tmp_path / name for name in ("root", "build", "own"))
    for folder in (root / "inbox", build / "inbox", inbox):
        folder.mkdir(parents=True)
    (root / "inbox" / "notes.txt").write_bytes(b"words")
    grow(inbox / "notes.txt")
    refuse_to_hash(monkeypatch, "qxbatch.record.kept_files")
    assert move_kept_files(root, build, inbox) == {"inbox/notes.txt": "inbox/notes.txt_files"}


def row(size: int, at: str) -> LedgerRow:
    return LedgerRow("a.zip!x", size, "0" * 64, "0" * 64, Kind.OTHER, Fate.KEPT, at)


def test_a_signal_ends_the_comparison_of_a_large_kept_file(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    grow(tmp_path / "inbox" / "large")
    copies = InboxCopies([(tmp_path, row(TERABYTES, "inbox/large"))], stopped())
    with pytest.raises(CancelledError):
        copies.have_all_of("a.zip")
    (tmp_path / "inbox" / "small").write_bytes(b"words")
    copies = InboxCopies([(tmp_path, row(5, "inbox/small"))], stopped())
    assert not copies.have_all_of("a.zip"), "a small file is compared to its end"


def test_a_signal_ends_the_comparison_of_a_large_file_that_leaves_the_inbox(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    grow(inbox / "large")
    status = (inbox / "large").stat()
    listed = RemovalList(f"{status.st_size}\t{status.st_mtime_ns}\t{'0' * 64}\tlarge\n".encode())
    with pytest.raises(CancelledError):
        remove_listed(inbox, listed, TAG, tmp_path, monitor=stopped())
    assert (inbox / "large").exists()
