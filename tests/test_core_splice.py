"""Deflated members of a zip packet are copied into the tar.gz of their series without recompressing them."""

import gzip
import io
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from qxbatch.core import Reading, hash_tar_gz_members, ingest, pack_folder
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, write_folder

PIXELS = 200 * 200


def noisy(data: bytes, seed: int, pixels: int = PIXELS) -> bytes:
    """Replace the pixels by noise that is as compressible as that of a scanner."""
    values = random.Random(seed).choices(range(300), k=pixels)
    return data[: -2 * pixels] + struct.pack(f"<{pixels}H", *values)


FILES = {
    name: noisy(data, k) for k, (name, data) in enumerate(MrSeries(slices=6, rows=200, columns=200).files().items())
}


def zipped_at(level: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    return stream.getvalue()


def read(data: bytes, folder: Path) -> tuple[Reading, Path]:
    """Ingest a packet; return the reading and the folder of its only series."""
    packet = folder / "S1.zip"
    packet.write_bytes(data)
    reading = ingest([(str(packet), "")], str(folder / "staging"))
    reading.place_series(str(folder / "root"), 30, "S1", [0])
    return reading, folder / "root" / "dicom" / "30"


def pack(reading: Reading, series: Path, *, splice: bool = True, level: int = 0) -> Path:
    """Pack a series, and return the path of its archive."""
    out = series.with_name("30.tar.gz")
    pack_folder(str(series), str(out), "30", streams=reading.deflate_streams([0]) if splice else None, level=level)
    return out


def stored(
    reading: Reading, series: Path, *, splice: bool = True, level: int = 0, files: Mapping[str, bytes] = FILES
) -> bytes:
    """Pack a series, compare the archive with its files, and return its bytes."""
    out = pack(reading, series, splice=splice, level=level)
    data = out.read_bytes()
    hashes = {name: sha for name, _, sha in hash_tar_gz_members(str(out), refuse_foreign_bytes=True)}
    assert hashes == {
        f"30/{Path(row.at).name}": row.content_sha256
        for row in map(reading.row, range(len(reading)))
        if row.fate == "sorted"
    }
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        contents = [archive.extractfile(member).read() for member in archive]  # type: ignore[union-attr]
    assert sorted(contents) == sorted(files.values())
    inflate = zlib.decompressobj(31)
    inflate.decompress(data)
    assert inflate.eof, "checksum and length must match"
    assert inflate.unused_data == b"", "the archive must be one gzip member"
    return data


def middles(archive: bytes) -> list[bytes]:
    """Return a part of each deflated member of a zip; recompressing the member gives different bytes."""
    parts = []
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for info in opened.infolist():
            start = info.header_offset + 30 + len(info.filename) + info.compress_size // 4
            parts.append(archive[start : start + 64])
    return parts


def test_deflated_members_are_copied_without_recompressing(tmp_path: Path) -> None:
    archive = zipped_at(6)
    data = stored(*read(archive, tmp_path))
    assert all(part in data for part in middles(archive))
    assert len(data) < len(archive) + 200 * len(FILES) + 200


def test_members_of_a_poorly_compressed_zip_are_recompressed(tmp_path: Path) -> None:
    archive = zipped_at(0)
    data = stored(*read(archive, tmp_path))
    assert not any(part in data for part in middles(archive))
    assert len(data) < len(archive)


def test_small_similar_files_are_compressed_together(tmp_path: Path) -> None:
    alike = {name: noisy(data, 1, 3600) for name, data in MrSeries(slices=6, rows=60, columns=60).files().items()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in alike.items():
            archive.writestr(name, data)
    reading, series = read(stream.getvalue(), tmp_path)
    data = stored(reading, series, files=alike)
    assert len(data) < len(stream.getvalue()) / 3


def test_a_requested_compression_level_is_used(tmp_path: Path) -> None:
    archive = zipped_at(6)
    data = stored(*read(archive, tmp_path), level=9)
    assert not any(part in data for part in middles(archive))


def test_files_without_streams_are_compressed(tmp_path: Path) -> None:
    reading, series = read(zipped_at(6), tmp_path)
    first = stored(reading, series, splice=False)
    (tmp_path / "S1.zip").unlink()
    assert stored(reading, series) == first, "files are compressed if the zip is missing"


def test_a_changed_zip_is_found_by_its_checksum(tmp_path: Path) -> None:
    archive = bytearray(zipped_at(6))
    reading, series = read(bytes(archive), tmp_path)
    offset = archive.index(middles(bytes(archive))[2])
    archive[offset] ^= 4
    (tmp_path / "S1.zip").write_bytes(archive)
    out = pack(reading, series)
    with pytest.raises(ValueError, match="does not have a matching checksum"):
        hash_tar_gz_members(str(out))


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.TAR_GZ, Kind.TAR])
def test_files_of_other_packets_are_compressed(kind: Kind, tmp_path: Path) -> None:
    if kind is Kind.FOLDER:
        packet = write_folder(FILES, tmp_path / "S1")
    else:
        packet = tmp_path / "S1.tar"
        packet.write_bytes(packed(FILES, kind))
    reading = ingest([(str(packet), "")], str(tmp_path / "staging"))
    reading.place_series(str(tmp_path / "root"), 30, "S1", [0])
    stored(reading, tmp_path / "root" / "dicom" / "30")


def test_gzipped_members_are_not_copied_as_their_content(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            archive.writestr(f"{name}.dcm.gz", gzip.compress(data))
    stored(*read(stream.getvalue(), tmp_path))
