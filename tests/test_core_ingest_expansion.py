"""Archives in archives: each stays below the limit on expansion, all together do not."""

import gzip
import re
from pathlib import Path

import pytest

from tests.build.broken import archives_in_archives
from tests.build.dicom import MrSeries
from tests.build.ingested import ingested
from tests.build.packets import Kind, packed, zipped

FILES = MrSeries(slices=1).files()
[IMAGE] = FILES.values()
RATIO = 20
"""With the smallest size that counts, 64 KiB, 1.3 MB are within the limit."""
BEYOND = f"it and the archives inside it expand to more than {RATIO} times its size (limit on expansion)"


def test_the_bytes_of_all_levels_are_compared_with_the_packet(tmp_path: Path) -> None:
    packet = tmp_path / "p.zip"
    packet.write_bytes(archives_in_archives(IMAGE, ".dcm", levels=3))
    result = ingested(packet, tmp_path, max_ratio=RATIO)
    assert result.reading.damage() == [f"p.zip: {BEYOND}"]
    assert len(result.rows) < 2000, "the remaining archives are not opened"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.FOLDER], ids=lambda kind: kind.name)
def test_archives_of_each_kind_count(kind: Kind, tmp_path: Path) -> None:
    inner = packed({**FILES, "zeros.raw": bytes(100_000)}, kind)
    packet = tmp_path / "p.zip"
    packet.write_bytes(archives_in_archives(inner, kind.value, levels=2))
    assert ingested(packet, tmp_path, max_ratio=RATIO).reading.damage() == [f"p.zip: {BEYOND}"]


@pytest.mark.parametrize("name", ["image.dcm.gz", "notes.txt.gz"])
def test_compressed_files_in_archives_count(name: str, tmp_path: Path) -> None:
    content = (IMAGE if "dcm" in name else b"notes") + bytes(100_000)
    inner = zipped({**FILES, name: gzip.compress(content, mtime=0)})
    packet = tmp_path / "p.zip"
    packet.write_bytes(archives_in_archives(inner, ".zip", levels=1, width=40))
    assert f"p.zip: {BEYOND}" in ingested(packet, tmp_path, max_ratio=RATIO).reading.damage()


def test_a_packet_within_the_limit_is_read(tmp_path: Path) -> None:
    packet = tmp_path / "p.zip"
    packet.write_bytes(archives_in_archives(IMAGE, ".dcm", levels=2))
    result = ingested(packet, tmp_path, max_ratio=RATIO)
    assert result.reading.damage() == []
    assert sum(row.fate in ("sorted", "duplicate") for row in result.rows) == 256


def test_beside_loose_files_only_the_archive_above_the_limit_is_kept_whole(tmp_path: Path) -> None:
    """An archive that is also in a sound one is opened there."""
    data = packed({**FILES, "zeros.raw": bytes(100_000)}, Kind.ZIP)
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "IM0001").write_bytes(IMAGE)
    (folder / "large.zip").write_bytes(archives_in_archives(data, ".zip", levels=1, width=40))
    (folder / "small.zip").write_bytes(zipped({"x.zip": data}))
    result = ingested(folder, tmp_path, max_ratio=RATIO)
    fates = result.fates()
    assert result.reading.damage() == []
    assert [fates[name] for name in ("IM0001", "large.zip", "small.zip", "small.zip!x.zip")] == [
        "sorted",
        "kept",
        "opened",
        "opened",
    ]
    assert result.row("large.zip").reason == f"kept whole, over a limit: {BEYOND}"
    assert (result.row("large.zip").index, "limited-archive") in result.reading.left_out()


@pytest.mark.parametrize("name", ["image.dcm.gz", "image.zip.gz"])
def test_a_compressed_file_is_not_unpacked_beyond_the_total_size(name: str, tmp_path: Path) -> None:
    content = IMAGE + bytes(60 << 20)
    data = gzip.compress(zipped({"image.dcm": content}, stored=True) if "zip" in name else content, mtime=0)
    packet = tmp_path / "p"
    packet.mkdir()
    (packet / name).write_bytes(data)
    [*_, reason] = ingested(packet, tmp_path, max_bytes=20 << 20, threads=16).reading.damage()
    assert "limit on total size" in reason
    [size] = re.findall(r"of at least (\d+) bytes", reason)
    assert int(size) < 24 << 20


@pytest.mark.parametrize("name", ["image.dcm.gz", "image.zip.gz"])
def test_a_compressed_file_of_the_total_size_is_read(name: str, tmp_path: Path) -> None:
    content = IMAGE + bytes(20 << 20)
    inner = zipped({"image.dcm": content}, stored=True) if "zip" in name else content
    packet = tmp_path / "p"
    packet.mkdir()
    (packet / name).write_bytes(gzip.compress(inner, mtime=0))
    total = len(inner) + (len(content) if "zip" in name else 0)
    result = ingested(packet, tmp_path, max_bytes=total, threads=16)
    assert result.reading.damage() == []
    assert [group.files for group in result.reading.groups()] == [1]
