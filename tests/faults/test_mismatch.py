"""If written bytes differ from those that were read, the message distinguishes a changed packet from a faulty disk."""

import contextlib
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.core import DeflateStreams, Monitor, pack_folder
from qxbatch.pack import series as packing
from tests.build.dicom import MrSeries
from tests.build.packets import Kind
from tests.build.study import Study, snapshot
from tests.test_core_splice import noisy

TREE = MrSeries(slices=6, rows=64, columns=64).files()
NOISY = {
    name: noisy(data, k, 200 * 200)
    for k, (name, data) in enumerate(MrSeries(slices=6, rows=200, columns=200).files().items())
}
"""Files that a zip compresses as well as qxbatch does: the streams of this zip are copied when the series is stored."""


def change_bytes(path: Path) -> None:
    """Change bytes of a file, but neither its size nor its time."""
    data = bytearray(path.read_bytes())
    for at in range(300, len(data) - 1000, 512):
        data[at] ^= 0x55
    write_with_same_time(path, bytes(data))


def write_with_same_time(path: Path, data: bytes) -> None:
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def change_voxels(path: Path) -> None:
    """Change a bit in a stream of a zip so that it inflates to other content of the same length."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.infolist()[2]
    names, extra = struct.unpack_from("<2H", data, info.header_offset + 26)  # APPNOTE 4.3.7
    start = info.header_offset + 30 + names + extra
    end = start + info.compress_size
    before = zlib.decompress(data[start:end], wbits=-15)
    for at in range(end - 200, start, -1):
        data[at] ^= 1
        with contextlib.suppress(zlib.error):
            now = zlib.decompress(data[start:end], wbits=-15)
            if len(now) == len(before) and now != before:
                write_with_same_time(path, bytes(data))
                return
        data[at] ^= 1
    raise AssertionError("no bit can be changed")


def packer(change: Callable[[Path], None], path: Path, *, after: bool) -> object:
    """Return a `pack_folder` that changes a file: before it packs, `path`; with `after`, its output."""

    def pack(
        folder: str,
        out: str,
        prefix: str,
        *,
        level: int = 0,
        streams: DeflateStreams | None = None,
        monitor: Monitor | None = None,
    ) -> int:
        if not after:
            change(path)
        size = pack_folder(folder, out, prefix, level=level, streams=streams, monitor=monitor)
        if after:
            change(Path(out))
        return size

    return pack


def test_a_packet_that_changes_between_reading_and_storing_is_named(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet = study.put("S1", NOISY)
    whole = packet.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(packing, "pack_folder", packer(change_voxels, packet, after=False))
        run = study.main()
    assert run.status == 1
    assert f"{packet}: changed while it was read, though its size and time did not" in run.text
    assert "Find out what writes to it, then run again." in run.text
    assert "disk" not in run.text
    assert study.session_names() == []
    assert packet.exists()
    packet.write_bytes(whole)
    assert study.main().status == 0


@pytest.mark.parametrize("kind", [Kind.ZIP, Kind.FOLDER])
def test_a_disk_that_returns_other_bytes_is_reported_as_faulty(
    study: Study, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    packet = study.put("S1", TREE, kind)
    before = snapshot(study.inbox)
    with monkeypatch.context() as patched:
        patched.setattr(packing, "pack_folder", packer(change_bytes, packet, after=True))
        run = study.main()
    assert run.status == 1
    assert "the written files differ from the packet" in run.text
    assert f"{packet} was read again and did not change, so the disk or the memory is faulty" in run.text
    assert "Check disk and memory, then run again." in run.text
    assert snapshot(study.inbox) == before
    assert not (study.sessions / ".qxbatch").exists()
    assert study.main().status == 0


@pytest.mark.parametrize(("kind", "verb"), [(Kind.FOLDER, "changed"), (Kind.ZIP, "vanished")], ids=["member", "packet"])
def test_a_missing_packet_or_member_is_reported_as_missing(
    study: Study, monkeypatch: pytest.MonkeyPatch, kind: Kind, verb: str
) -> None:
    packet = study.put("S1", TREE, kind)

    def change_and_remove(path: Path) -> None:
        change_bytes(path)
        (packet if packet.is_file() else min(path for path in packet.rglob("*") if path.is_file())).unlink()

    with monkeypatch.context() as patched:
        patched.setattr(packing, "pack_folder", packer(change_and_remove, packet, after=True))
        run = study.main()
    assert run.status == 1
    assert f"{packet}: {verb} while it was imported" in run.text
    assert "faulty" not in run.text
    assert study.session_names() == []


def test_both_causes_are_reported_if_the_packet_cannot_be_read_again(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet = study.put("S1", TREE)
    with monkeypatch.context() as patched:
        patched.setattr(packing, "pack_folder", packer(change_bytes, packet, after=True))
        patched.setattr("qxbatch.pipeline.mismatch.ingest", lambda *_, **__: (_ for _ in ()).throw(OSError(5, "gone")))
        run = study.main()
    assert run.status == 1
    assert f"Either {packet} changed while it was read, or the disk or the memory is faulty" in run.text
    assert "Check whether a program still writes to the packet, check disk and memory, then run again." in run.text
    assert study.session_names() == []


def test_in_folder_mode_the_archive_is_named(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = study.session("S1") / "inbox"
    study.put("scan", TREE).rename(inbox.parent.parent / "scan.zip")
    inbox.mkdir(parents=True)
    packet = (study.sessions / "scan.zip").rename(inbox / "scan.zip")
    (inbox / "note").write_text("words")

    def change_both(path: Path) -> None:
        change_bytes(packet)
        change_bytes(path)

    with monkeypatch.context() as patched:
        patched.setattr(packing, "pack_folder", packer(change_both, packet, after=True))
        run = study.main("--masterinbox=none", "--sessions=S*")
    assert run.status == 1
    assert f"{packet}: changed while it was read" in run.text
    assert packet.exists()
