"""Bytes before, after or beside the content of an archive are skipped, and the summary of the session notes them."""

import gzip
import json
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from qxbatch.cli.main import main
from tests.build import zst
from tests.build.dicom import MrSeries
from tests.build.hidden_bytes import deflated, zip_of
from tests.build.objects import dicomdir
from tests.build.packets import Kind, read_tree, tarred, under, write_folder, zipped
from tests.build.sevenz import sevenz
from tests.build.study import Study

TREE = under("T1", MrSeries(number=3, description="T1w").files())
SKIPPABLE = b"\x50\x2a\x4d\x18\x07\0\0\0my text"
"""A frame of zstd that decoders skip."""
PACKETS = {
    "zip": ("S1.zip", zipped(TREE) + b"tail", "4 bytes follow the archive"),
    "7z": ("S1.7z", sevenz(TREE) + b"tail", "4 bytes follow the archive"),
    "tar": ("S1.tar", tarred(TREE) + b"x" * 700, "700 bytes follow the end mark of the tar"),
    "tar.gz": (
        "S1.tar.gz",
        gzip.compress(tarred(TREE), mtime=0) + b"garbage",
        "7 bytes follow the compressed data",
    ),
    "tar.zst": (
        "S1.tar.zst",
        zst.compress(tarred(TREE)) + SKIPPABLE,
        "7 bytes are in skippable frames of the compressed data",
    ),
}
EACH = pytest.mark.parametrize("kind", PACKETS)


def notes(session: Path) -> list[dict[str, str]]:
    summary = json.loads((session / "qxbatch" / "summary.json").read_text(encoding="utf-8"))
    return [problem for problem in summary["problems"] if problem["code"] == "surrounded"]


@EACH
def test_a_packet_with_trailing_bytes_gets_a_note(study: Study, kind: str) -> None:
    name, data, text = PACKETS[kind]
    study.put_bytes(name, data)
    run = study.run()
    assert run.status == 0, run.text
    [note] = notes(study.session("S1"))
    assert note["severity"] == "info"
    assert text in note["message"]


@EACH
def test_an_archive_with_trailing_bytes_in_the_inbox_of_a_session_gets_a_note(study: Study, kind: str) -> None:
    name, data, text = PACKETS[kind]
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    (inbox / name).write_bytes(data)
    run = study.main("--masterinbox=none", "--sessions=S*")
    assert run.status == 0, run.text
    [note] = notes(study.session("S1"))
    assert note["severity"] == "info"
    assert text in note["message"]


def test_a_packet_without_trailing_bytes_gets_no_note(study: Study) -> None:
    study.put_bytes("S1.zip", zipped(TREE))
    assert study.run().status == 0
    assert notes(study.session("S1")) == []


@EACH
def test_a_packet_with_trailing_bytes_is_not_deleted(study: Study, kind: str) -> None:
    name, data, _ = PACKETS[kind]
    study.put_bytes(name, data)
    assert study.main("--archive=delete").status == 0
    assert (study.archive / name).read_bytes() == data


def test_a_packet_with_a_skippable_frame_in_a_member_is_not_deleted(study: Study) -> None:
    tree = {f"{name}.zst": zst.compress(data) + SKIPPABLE for name, data in TREE.items()}
    packet = study.put("S1", tree)
    data = packet.read_bytes()
    assert study.main("--archive=delete").status == 0
    assert (study.archive / packet.name).read_bytes() == data
    ledger = (study.session("S1") / "qxbatch" / "ledger.tsv").read_text(encoding="utf-8")
    assert ledger.count("7 bytes in or after its zstd data were left out") == len(tree)


def skippable(number: int, content: bytes) -> bytes:
    """Return a frame of zstd that decoders skip."""
    return bytes([0x50 | number]) + b"\x2a\x4d\x18" + struct.pack("<I", len(content)) + content


def tar_with_frame_lengths(change: int = 0) -> bytes:
    """Return a tar in two zstd frames, with skippable frames that contain their lengths plus `change`.

    Before each frame is its length, as pzstd writes it, and at the end a seek table.
    """
    data = tarred(TREE)
    out = b""
    table = b""
    for part in (data[:512], data[512:]):
        frame = zst.compress(part)
        out += skippable(0, struct.pack("<I", len(frame) + change)) + frame
        table += struct.pack("<II", len(frame) + change, len(part))
    return out + skippable(0x0E, table + struct.pack("<IBI", 2, 0, 0x8F92EAB1))


def test_skippable_frames_with_the_lengths_of_the_frames_get_no_note(study: Study) -> None:
    study.put_bytes("S1.tar.zst", tar_with_frame_lengths())
    assert study.main("--archive=delete").status == 0
    assert notes(study.session("S1")) == []
    assert not (study.archive / "S1.tar.zst").exists()


def test_a_packet_with_wrong_lengths_in_its_skippable_frames_is_not_deleted(study: Study) -> None:
    data = tar_with_frame_lengths(change=1)
    study.put_bytes("S1.tar.zst", data)
    assert study.main("--archive=delete").status == 0
    [note] = notes(study.session("S1"))
    assert "33 bytes are in skippable frames" in note["message"]
    assert (study.archive / "S1.tar.zst").read_bytes() == data


@pytest.mark.parametrize("size", [0, 7, 5000])
def test_a_packet_that_begins_with_a_skippable_frame_is_opened(study: Study, size: int) -> None:
    study.put_bytes("S1.tar.zst", skippable(5, b"x" * size) + zst.compress(tarred(TREE)))
    assert study.main("--archive=delete").status == 0
    assert (study.session("S1") / "nii" / "31.nii.gz").exists()
    assert (study.archive / "S1.tar.zst").exists() == (size > 0)


def with_second_copy() -> dict[str, bytes]:
    """Return files and, of one of them, a gzipped copy with bytes after its data."""
    name, data = sorted(TREE.items())[0]
    return {**TREE, f"copy/{Path(name).name}.gz": gzip.compress(data, mtime=0) + b"my remark"}


@pytest.mark.parametrize("unzip", ["yes", "no"])
def test_a_packet_with_bytes_after_a_second_copy_is_not_deleted(study: Study, unzip: str) -> None:
    study.put("S1", with_second_copy())
    run = study.main("--archive=delete", f"--unzip={unzip}")
    assert run.status == 0, run.text
    assert (study.archive / "S1.zip").exists()
    assert "bytes outside its content" in notes(study.session("S1"))[0]["message"]


@pytest.mark.parametrize("unzip", ["yes", "no"])
def test_a_second_copy_with_bytes_after_its_data_stays_in_the_inbox(study: Study, unzip: str) -> None:
    inbox = study.session("S1") / "inbox"
    files = with_second_copy()
    write_folder(files, inbox)
    run = study.main("--masterinbox=none", "--sessions=S1", f"--unzip={unzip}")
    assert run.status == 0, run.text
    assert list(read_tree(inbox)) == [name for name in files if name.endswith(".gz")]


def test_gzipped_dicom_with_bytes_after_its_data_is_stored_as_it_is(study: Study) -> None:
    files = MrSeries(number=3).files()
    tree = {f"{name}.dcm.gz": gzip.compress(data) + b"tail" for name, data in files.items()}
    study.put("S1", tree, Kind.FOLDER)
    run = study.main("--unzip=no")
    assert run.status == 0, run.text
    stored = [path.read_bytes() for path in (study.session("S1") / "dicom/30").iterdir()]
    assert sorted(stored) == sorted(tree.values())
    assert len(notes(study.session("S1"))) == 1
    assert main(["verify", str(study.session("S1"))]) == 0
    damaged = next((study.session("S1") / "dicom/30").iterdir())
    damaged.write_bytes(damaged.read_bytes() + b"more")
    assert main(["verify", str(study.session("S1"))]) != 0


OTHER = under("T2", MrSeries(number=4, description="T2w").files())
IMAGE = next(iter(OTHER.values()))
TAR_GZ = gzip.compress(tarred(OTHER), mtime=0)
PADDED_TAR = tarred(TREE) + bytes(10240)


def unlisted(tree: Mapping[str, bytes]) -> bytes:
    """Return the members of a zip without their directory."""
    whole = zip_of(deflated(tree))
    return whole[: whole.index(b"PK\x01\x02")]


JOINED = {
    "gzip + zip": ("S1.tar.gz", gzip.compress(tarred(TREE), mtime=0) + zipped(OTHER)),
    "gzip + tar": ("S1.tar.gz", gzip.compress(tarred(TREE), mtime=0) + tarred(OTHER)),
    "gzip + DICOM": ("S1.tar.gz", gzip.compress(tarred(TREE), mtime=0) + IMAGE),
    "zip + gzip": ("S1.zip", zipped(TREE) + TAR_GZ),
    "zip + tar": ("S1.zip", zipped(TREE) + tarred(OTHER)),
    "zip + DICOM": ("S1.zip", zipped(TREE) + IMAGE),
    "7z + zip": ("S1.7z", sevenz(TREE) + zipped(OTHER)),
    "tar + zip": ("S1.tar", PADDED_TAR + zipped(OTHER)),
    "tar + gzip": ("S1.tar", PADDED_TAR + TAR_GZ),
    "tar + DICOM": ("S1.tar", PADDED_TAR + IMAGE),
    "unlisted member": ("S1.zip", zip_of(deflated(TREE), after_members=unlisted(OTHER))),
}


@pytest.mark.parametrize("kind", JOINED)
@pytest.mark.parametrize("is_nested", [False, True])
def test_images_in_skipped_bytes_are_a_warning(study: Study, kind: str, *, is_nested: bool) -> None:
    name, data = JOINED[kind]
    if is_nested:
        study.put("S1", {name: data})
    else:
        study.put_bytes(name, data)
    run = study.run()
    assert run.status == 0, run.text
    [warning] = notes(study.session("S1"))
    assert warning["severity"] == "warning"
    assert "Some of them begin like another archive or a DICOM file" in warning["message"]


def test_images_behind_an_archive_without_images_are_a_warning(study: Study) -> None:
    study.put("S1", {**TREE, "notes.zip": zipped({"notes.txt": b"words"}) + TAR_GZ})
    run = study.run()
    assert run.status == 0, run.text
    assert [note["severity"] for note in notes(study.session("S1"))] == ["warning"]


KEPT = {"DICOMDIR": dicomdir(MrSeries(number=3)), "notes.txt": b"words\n"}
PACKED = {".gz": lambda data: gzip.compress(data, mtime=0), ".zst": zst.compress}


@pytest.mark.parametrize("after", [zipped(OTHER), IMAGE], ids=["zip", "DICOM"])
@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("name", KEPT)
def test_images_behind_a_compressed_file_that_is_kept_are_a_warning(
    study: Study, name: str, suffix: str, after: bytes
) -> None:
    data = PACKED[suffix](KEPT[name]) + after
    study.put("S1", {**TREE, f"{name}{suffix}": data})
    run = study.run()
    assert run.status == 0, run.text
    assert [note["severity"] for note in notes(study.session("S1"))] == ["warning"]
    assert (study.session("S1") / "inbox" / f"{name}{suffix}").read_bytes() == data


@pytest.mark.parametrize("name", KEPT)
def test_bytes_behind_a_compressed_file_that_is_kept_get_no_note(study: Study, name: str) -> None:
    study.put("S1", {**TREE, f"{name}.gz": gzip.compress(KEPT[name], mtime=0) + b"tail"})
    assert study.run().status == 0
    assert notes(study.session("S1")) == []
