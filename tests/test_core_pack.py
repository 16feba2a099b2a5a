"""Files are packed and hashed."""

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

import pytest

from qxbatch.core import (
    CancelledError,
    Monitor,
    gzip_file,
    hash_file,
    hash_gzip_content,
    hash_tar_gz_members,
    pack_folder,
)
from tests.build.dicom import MrSeries

FILES = MrSeries(slices=4).files()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "30"
    MrSeries(slices=4).write(path)
    return path


def test_a_packed_folder_is_a_valid_tar_with_fixed_metadata(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "30.tar.gz"
    size = pack_folder(str(folder), str(out), "30")
    assert size == out.stat().st_size
    with tarfile.open(out) as archive:
        members = archive.getmembers()
        contents = {member.name: archive.extractfile(member).read() for member in members}  # type: ignore[union-attr]
    assert contents == {f"30/{name}": data for name, data in FILES.items()}
    assert [member.name for member in members] == sorted(contents)
    assert {(member.mtime, member.uid, member.gid, member.mode, member.uname) for member in members} == {
        (0, 0, 0, 0o644, "")
    }
    assert gzip.decompress(out.read_bytes()).endswith(bytes(1024))


def test_equal_files_give_equal_archives(folder: Path, tmp_path: Path) -> None:
    pack_folder(str(folder), str(tmp_path / "a"), "30")
    os.utime(folder / "IM0001", (1, 1))
    (folder / "IM0002").chmod(0o600)
    pack_folder(str(folder), str(tmp_path / "b"), "30")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes()[4:9] == bytes(5), "no time and no flags in the gzip header"


@pytest.mark.parametrize("length", [90, 97, 98, 150, 200, 252, 255])
def test_long_names_are_packed(length: int, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    name = "n" * (length - 4) + ".dcm"
    (tmp_path / "in" / name).write_bytes(b"x")
    prefix = "1234567890"
    pack_folder(str(tmp_path / "in"), str(tmp_path / "out"), prefix)
    with tarfile.open(tmp_path / "out") as archive:
        assert archive.getnames() == [f"{prefix}/{name}"]
    assert hash_tar_gz_members(str(tmp_path / "out")) == [(f"{prefix}/{name}", 1, digest(b"x"))]


def test_the_hashes_of_an_archive_equal_those_of_its_files(folder: Path, tmp_path: Path) -> None:
    pack_folder(str(folder), str(tmp_path / "out"), "30")
    hashes = hash_tar_gz_members(str(tmp_path / "out"))
    assert hashes == [(f"30/{name}", len(data), digest(data)) for name, data in sorted(FILES.items())]


@pytest.mark.parametrize("level", [0, 1, 6, 9])
@pytest.mark.parametrize("size", [0, 1, 70_000, 45 << 20])
def test_a_gzipped_file_is_unpacked_unchanged(size: int, level: int, tmp_path: Path) -> None:
    data = (b"voxels %d " * 1000)[:8192] * (size // 8192 + 1)
    data = data[:size]
    (tmp_path / "x.nii").write_bytes(data)
    written, sha256 = gzip_file(str(tmp_path / "x.nii"), str(tmp_path / "x.nii.gz"), level=level)
    packed = (tmp_path / "x.nii.gz").read_bytes()
    assert (written, sha256) == (len(packed), digest(packed))
    decompressor = zlib.decompressobj(wbits=31)
    assert decompressor.decompress(packed) == data
    assert (decompressor.eof, decompressor.unused_data) == (True, b""), "the file must be one gzip member"
    assert hash_gzip_content(str(tmp_path / "x.nii.gz")) == (size, digest(data))
    assert hash_file(str(tmp_path / "x.nii.gz")) == (written, digest(packed))


def test_a_large_folder_is_packed_as_a_stream(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    data = bytes(range(256)) * 4096
    for k in range(45):
        (tmp_path / "in" / f"{k:03}").write_bytes(data + bytes([k]))
    pack_folder(str(tmp_path / "in"), str(tmp_path / "out"), "10")
    names = [f"10/{k:03}" for k in range(45)]
    assert [(name, size) for name, size, _ in hash_tar_gz_members(str(tmp_path / "out"))] == [
        (n, len(data) + 1) for n in names
    ]
    with tarfile.open(tmp_path / "out") as archive:
        assert archive.getnames() == names


def test_truncated_and_extended_archives_are_damaged(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pack_folder(str(folder), str(out), "30")
    complete = out.read_bytes()
    for end in range(0, len(complete), 3):
        out.write_bytes(complete[:end])
        with pytest.raises(ValueError, match="out: "):
            hash_tar_gz_members(str(out))
        with pytest.raises(ValueError, match="out: "):
            hash_gzip_content(str(out))
    out.write_bytes(complete + b"more")
    with pytest.raises(ValueError, match="follow its end"):
        hash_tar_gz_members(str(out))


def test_a_tar_without_an_end_mark_is_damaged(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x"))
    (tmp_path / "out").write_bytes(gzip.compress(out.getvalue()[:512]))
    with pytest.raises(ValueError, match="no end mark"):
        hash_tar_gz_members(str(tmp_path / "out"))


@pytest.mark.parametrize("call", [hash_file, hash_gzip_content, hash_tar_gz_members], ids=lambda call: call.__name__)
def test_a_missing_file_raises_an_error_with_its_path(call: object, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        call(str(tmp_path / "missing"))  # type: ignore[operator]
    assert caught.value.filename == str(tmp_path / "missing")


def test_a_subfolder_raises_an_error(folder: Path, tmp_path: Path) -> None:
    (folder / "sub").mkdir()
    with pytest.raises(OSError, match="not a regular file") as caught:
        pack_folder(str(folder), str(tmp_path / "out"), "30")
    assert caught.value.filename == str(folder / "sub")
    assert not (tmp_path / "out").exists()


def test_cancelled_packing_leaves_no_file(folder: Path, tmp_path: Path) -> None:
    monitor = Monitor()
    monitor.cancel()
    with pytest.raises(CancelledError):
        pack_folder(str(folder), str(tmp_path / "out"), "30", monitor=monitor)
    with pytest.raises(CancelledError):
        gzip_file(str(folder / "IM0001"), str(tmp_path / "out"), monitor=monitor)
    assert not (tmp_path / "out").exists()


def test_a_full_disk_raises_an_error_with_the_path(folder: Path, tmp_path: Path) -> None:
    # A limit on file size simulates a full disk; it needs a separate process.
    (folder / "big").write_bytes(os.urandom(1 << 20))
    out = tmp_path / "out"
    code = f"""
import resource, signal
from qxbatch.core import pack_folder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, resource.RLIM_INFINITY))
try:
    pack_folder({str(folder)!r}, {str(out)!r}, "30")
except OSError as error:
    assert error.filename == {str(out)!r} and error.errno, error
    print("named")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("named\n", "")
    assert not out.exists()


def test_gzip_uses_little_memory(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(os.urandom(1 << 20) * 300)
    code = f"""
import resource
from qxbatch.core import gzip_file
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
gzip_file({str(tmp_path / "big")!r}, {str(tmp_path / "out")!r})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 64 << 10, "kilobytes"
