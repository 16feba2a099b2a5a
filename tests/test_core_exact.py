"""Archives that contain anything that packing does not write are recognised."""

import gzip
import io
import tarfile
import zlib
from pathlib import Path

import pytest

from qxbatch.core import CancelledError, Monitor, gzip_file, hash_gzip_content, hash_tar_gz_members, pack_folder

NAMES = ("a", "b" * 99, "c" * 150, "d" * 252)


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    folder = tmp_path / "30"
    folder.mkdir()
    for name, size in zip(NAMES, (0, 1, 512, 700), strict=True):
        (folder / name).write_bytes(b"x" * size)
    pack_folder(str(folder), str(tmp_path / "30.tar.gz"), "30")
    return tmp_path / "30.tar.gz"


def is_exact(path: Path) -> bool:
    """Return whether the archive contains what packing writes."""
    try:
        return hash_tar_gz_members(str(path), refuse_foreign_bytes=True) == hash_tar_gz_members(str(path))
    except ValueError:
        return False


def recompressed(path: Path, content: bytes) -> Path:
    """Write the content with a header as packing writes it."""
    deflate = zlib.compressobj(1, wbits=31)
    data = bytearray(deflate.compress(content) + deflate.flush())
    data[8:10] = b"\0\xff"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("level", [0, 1, 7, 9])
@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 40 << 20])
def test_what_was_packed_is_exact(tmp_path: Path, size: int, level: int) -> None:
    (tmp_path / "in").mkdir()
    for name in ("x", "y" * 150, "z" * 252):
        (tmp_path / "in" / name).write_bytes(bytes(size))
    pack_folder(str(tmp_path / "in"), str(tmp_path / "out.tar.gz"), "30", level=level)
    assert is_exact(tmp_path / "out.tar.gz")
    gzip_file(str(tmp_path / "in" / "x"), str(tmp_path / "x.gz"), level=level)
    assert hash_gzip_content(str(tmp_path / "x.gz"), refuse_foreign_bytes=True) == hash_gzip_content(
        str(tmp_path / "x.gz")
    )


def test_no_byte_around_the_contents_can_change(packed: Path) -> None:
    tar = gzip.decompress(packed.read_bytes())
    assert is_exact(recompressed(packed, tar))
    names = [name for name, _, _ in hash_tar_gz_members(str(packed))]
    content = set[int]()
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        for member in archive:
            content |= {*range(member.offset_data, member.offset_data + member.size)}
    for at in range(len(tar)):
        edited = bytearray(tar)
        edited[at] ^= 1
        recompressed(packed, bytes(edited))
        is_same = is_exact(packed) and [name for name, _, _ in hash_tar_gz_members(str(packed))] == names
        assert is_same == (at in content), at


def test_no_byte_of_the_gzip_header_can_change(packed: Path) -> None:
    data = packed.read_bytes()
    for at in range(10):
        edited = bytearray(data)
        edited[at] ^= 1
        packed.write_bytes(edited)
        assert not is_exact(packed)
        with pytest.raises(ValueError, match=r"30\.tar\.gz"):
            hash_gzip_content(str(packed), refuse_foreign_bytes=True)


@pytest.mark.parametrize("more", [gzip.compress(b"", mtime=0), gzip.compress(bytes(512), mtime=0), bytes(512), b"x"])
def test_nothing_follows_the_gzip_member(packed: Path, more: bytes) -> None:
    packed.write_bytes(packed.read_bytes() + more)
    assert not is_exact(packed)
    with pytest.raises(ValueError, match=r"30\.tar\.gz"):
        hash_gzip_content(str(packed), refuse_foreign_bytes=True)


@pytest.mark.parametrize("names", [["30/a", "30/a"], ["30/b", "30/a"]], ids=["twice", "other order"])
def test_names_are_unique_and_sorted(packed: Path, names: list[str]) -> None:
    tar = gzip.decompress(packed.read_bytes())
    first = tar[:512]  # an empty file
    out = bytearray()
    for name in names:
        header = bytearray(first)
        header[: len(name)] = name.encode()
        header[148:156] = b" " * 8
        header[148:156] = f"{sum(header):06o}\0 ".encode()
        out += header
    recompressed(packed, bytes(out) + bytes(1024))
    assert [name for name, _, _ in hash_tar_gz_members(str(packed))] == names
    assert not is_exact(packed)


def test_more_zeros_at_the_end_are_not_exact(packed: Path) -> None:
    recompressed(packed, gzip.decompress(packed.read_bytes()) + bytes(512))
    assert len(hash_tar_gz_members(str(packed))) == len(NAMES)
    assert not is_exact(packed)


def test_a_comparison_can_be_cancelled(packed: Path) -> None:
    monitor = Monitor()
    monitor.cancel()
    with pytest.raises(CancelledError):
        hash_gzip_content(str(packed), refuse_foreign_bytes=True, monitor=monitor)
