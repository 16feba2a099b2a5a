"""Archives in packets."""

import gzip
import io
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from qxbatch.core import ingest
from tests.build.broken import bomb, wrong_crc
from tests.build.dicom import MrSeries
from tests.build.encrypted import encrypted
from tests.build.ingested import digest, ingested
from tests.build.packets import Kind, packed, tarred, under, write_packet, zipped
from tests.build.sevenz import sevenz
from tests.build.sevenz_samples import SEVENZ_SAMPLES

FILES = MrSeries(slices=2).files()
TREE = {**under("in", FILES), "in/notes.txt": b"words"}
OUTER = [Kind.FOLDER, Kind.ZIP, Kind.TAR_GZ]


@pytest.mark.parametrize("outer", OUTER, ids=lambda kind: kind.name)
@pytest.mark.parametrize("inner", [kind for kind in Kind if kind is not Kind.FOLDER], ids=lambda kind: kind.name)
def test_an_archive_in_a_packet_is_opened(inner: Kind, outer: Kind, tmp_path: Path) -> None:
    data = packed(TREE, inner)
    name = f"a/x{inner.value}"
    result = ingested(write_packet({name: data, "a/0": b"first"}, tmp_path, "p", outer), tmp_path)
    row = result.row(name)
    assert (row.kind, row.fate, row.at, row.sha256) == ("archive", "opened", "", digest(data))
    assert [group.files for group in result.reading.groups()] == [2]
    assert result.row(f"{name}!in/IM0001").fate == "sorted"
    assert result.kept() == {"a/0": b"first", f"{name}/in/notes.txt": b"words"}


def test_archives_five_deep_are_opened_and_six_are_not(tmp_path: Path) -> None:
    data = zipped(FILES)
    for k in range(5):
        data = zipped({f"{k}.zip": data})
    packet = tmp_path / "p.zip"
    packet.write_bytes(data)
    result = ingested(packet, tmp_path)
    assert result.fates()["4.zip!3.zip!2.zip!1.zip!0.zip!IM0001"] == "sorted"
    packet.write_bytes(zipped({"5.zip": data}))
    (tmp_path / "deeper").mkdir()
    result = ingested(packet, tmp_path / "deeper")
    assert result.fates() == {"5.zip": "kept"}
    assert result.reading.damage() == []


def test_an_archive_without_images_is_kept_as_a_file(tmp_path: Path) -> None:
    sheet = zipped({"xl/workbook.xml": b"<x/>"})
    log = gzip.compress(tarred({"a.log": b"x"}))
    result = ingested(write_packet({"list.xlsx": sheet, "log.tgz": log}, tmp_path, "p", Kind.ZIP), tmp_path)
    assert result.fates() == {"list.xlsx": "kept", "log.tgz": "kept"}
    assert result.kept() == {"list.xlsx": sheet, "log.tgz": log}
    assert result.row("list.xlsx").reason == "an archive without DICOM or PAR"
    assert result.row("log.tgz").content_sha256 == digest(log)


def damaged_archives() -> dict[str, bytes]:
    return {
        "cut.zip": zipped(TREE)[:-30],
        "crc.zip": wrong_crc(TREE, "in/IM0002"),
        "encrypted.zip": encrypted(TREE),
        "cut.tar": tarred(TREE)[:3000],
        "cut.tar.gz": gzip.compress(tarred(TREE))[:-4],
        "half.tar.gz": gzip.compress(tarred(TREE))[:600],
        "bomb.zip": bomb("zeros", 100 << 20),
        "gz.gz": gzip.compress(gzip.compress(tarred(TREE)))[:-3],
        "cut.7z": sevenz(TREE)[:-30],
        "crc.7z": sevenz(TREE, wrong_crc="in/IM0002"),
        "encrypted.7z": SEVENZ_SAMPLES["encrypted list"],
        "bomb.7z": sevenz({"zeros": bytes(100 << 20)}),
        "huge.7z": sevenz(TREE, coder=b"\x21\x21\x01\x20", claimed=256 << 20),
        "x.rar": b"Rar!\x1a\x07\x00" + bytes(50),
        "outer.zip": zipped({"x.rar": b"Rar!\x1a\x07\x00"}),
    }


REASONS = {
    "cut.zip": ("cut short", "damaged-archive"),
    "crc.zip": ("damaged", "damaged-archive"),
    "encrypted.zip": ("encrypted", "encrypted-archive"),
    "cut.tar": ("cut short", "damaged-archive"),
    "cut.tar.gz": ("cut short", "damaged-archive"),
    "half.tar.gz": ("cut short", "damaged-archive"),
    "bomb.zip": ("over a limit", "limited-archive"),
    "gz.gz": ("cut short", "damaged-archive"),
    "cut.7z": ("cut short", "damaged-archive"),
    "crc.7z": ("damaged", "damaged-archive"),
    "encrypted.7z": ("encrypted", "encrypted-archive"),
    "bomb.7z": ("over a limit", "limited-archive"),
    "huge.7z": ("over a limit", "limited-archive"),
    "x.rar": ("not opened", "foreign-archive"),
    "outer.zip": ("not opened", "foreign-archive"),
}


@pytest.mark.parametrize("outer", OUTER, ids=lambda kind: kind.name)
def test_a_damaged_archive_is_kept_and_none_of_its_members_is_sorted(outer: Kind, tmp_path: Path) -> None:
    archives = damaged_archives()
    result = ingested(write_packet({**archives, **FILES}, tmp_path, "p", outer), tmp_path)
    assert {path: result.fates()[path] for path in archives} == dict.fromkeys(archives, "kept")
    assert [group.files for group in result.reading.groups()] == [2]
    assert len(result.rows) == len(archives) + 2
    assert result.kept() == archives
    assert result.reading.damage() == []
    for path in archives:
        word, cause = REASONS[path]
        row = result.row(path)
        assert row.reason.startswith(f"kept whole, {word}: "), row
        assert (row.index, cause) in result.reading.left_out(), row
    assert "limit on expansion" in result.row("bomb.zip").reason


def test_a_gzipped_zip_is_opened(tmp_path: Path) -> None:
    result = ingested(write_packet({"x.zip.gz": gzip.compress(zipped(TREE))}, tmp_path, "p", Kind.TAR), tmp_path)
    assert result.fates() == {
        "x.zip.gz": "opened",
        "x.zip.gz!x.zip": "opened",
        "x.zip.gz!x.zip!in/IM0001": "sorted",
        "x.zip.gz!x.zip!in/IM0002": "sorted",
        "x.zip.gz!x.zip!in/notes.txt": "kept",
    }


@pytest.mark.parametrize("name", ["a!b", "a!b/c!d", "!", "outer.zip!x"])
def test_a_gzipped_zip_with_an_exclamation_mark_keeps_its_name(name: str, tmp_path: Path) -> None:
    tree = {f"in/{name}.zip.gz": gzip.compress(zipped(FILES))}
    inner = f"in/{name}.zip.gz!{name.rpartition('/')[2]}.zip"
    by_tar = ingested(write_packet(tree, tmp_path, "p", Kind.TAR), tmp_path).fates()
    assert by_tar[inner] == "opened"
    assert by_tar[f"{inner}!IM0001"] == "sorted"
    packet = {"outer!1.zip": zipped(tree)}
    by_zip = ingested(write_packet(packet, tmp_path, "q", Kind.FOLDER), tmp_path).fates()
    assert by_zip[f"outer!1.zip!{inner}!IM0001"] == "sorted"


def test_a_gzipped_zip_packet_is_opened(tmp_path: Path) -> None:
    packet = tmp_path / "p.zip.gz"
    packet.write_bytes(gzip.compress(zipped(FILES)))
    result = ingested(packet, tmp_path)
    assert result.fates()["p.zip.gz!p.zip!IM0001"] == "sorted"


def test_repeated_compression_is_unpacked_up_to_the_limit(tmp_path: Path) -> None:
    data = b"end"
    for _ in range(20):
        data = gzip.compress(data, mtime=0)
    packet = tmp_path / "p.gz"
    packet.write_bytes(data)
    result = ingested(packet, tmp_path)
    assert result.fates() == {"p.gz": "kept"}


def test_many_copies_of_an_archive_without_images_take_little_time(tmp_path: Path) -> None:
    data = zipped({"zeros": b"0" * 100})
    for _ in range(4):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for k in range(30):
                archive.writestr(f"{k}.zip", data)
        data = out.getvalue()
    packet = tmp_path / "p.zip"
    packet.write_bytes(data)
    reading = ingest([(str(packet), "")], str(tmp_path / "staging"))
    assert len(reading) == 30


def test_the_limit_on_total_size_includes_nested_archives(tmp_path: Path) -> None:
    inner = zipped({f"{k}": zlib.crc32(bytes([k])).to_bytes(4, "big") * 5000 for k in range(9)})
    packet = write_packet({"x.zip": inner, **FILES}, tmp_path, "p", Kind.TAR)
    result = ingested(packet, tmp_path, max_bytes=100_000)
    assert "limit on total size" in result.reading.damage()[-1]


def test_rows_of_nested_tars_follow_the_order_of_the_folder(tmp_path: Path) -> None:
    tree = {f"{k}.tar": tarred({"x": bytes([k]), **FILES}, form=tarfile.GNU_FORMAT) for k in range(3)}
    result = ingested(write_packet(tree, tmp_path, "p", Kind.FOLDER), tmp_path)
    assert [row.path for row in result.rows][:3] == ["0.tar", "0.tar!x", "0.tar!IM0001"]
    assert [row.fate for row in result.rows if row.path.endswith("IM0001")] == ["sorted", "duplicate", "duplicate"]
