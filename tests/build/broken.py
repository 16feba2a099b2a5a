"""Packets that are damaged, hostile or odd, each in one way."""

import io
import struct
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.build.packets import TIME, Tree, zipped


def cut(data: bytes, end: int) -> bytes:
    """Return data up to `end` (counted from the end when negative)."""
    return data[:end]


def flipped(data: bytes, at: int) -> bytes:
    """Return data with one inverted byte."""
    out = bytearray(data)
    out[at] ^= 0xFF
    return bytes(out)


def wrong_crc(tree: Tree, member: str) -> bytes:
    """Return a zip of stored members, one of which has a byte that contradicts its CRC-32."""
    data = zipped(tree, stored=True)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo(member)
        lengths = struct.unpack_from("<HH", data, info.header_offset + 26)  # of the name and of the extra field
    start = info.header_offset + 30 + sum(lengths)
    return flipped(data, start + info.file_size // 2)


def same_names(members: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a zip whose members may have the same name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo("x", (2024, 1, 15, 10, 15, 0))
            info.filename = name  # set late: ZipInfo itself cleans names
            info.compress_type = zipfile.ZIP_DEFLATED
            if name in archive.NameToInfo:
                del archive.NameToInfo[name]  # zipfile only warns, and warnings are errors here
            archive.writestr(info, data)
    return out.getvalue()


def bomb(name: str, size: int) -> bytes:
    """Return a small zip with one member of `size` zero bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        info = zipfile.ZipInfo(name, (2024, 1, 15, 10, 15, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w") as member:
            for start in range(0, size, 1 << 20):
                member.write(bytes(min(1 << 20, size - start)))
    return out.getvalue()


def odd_tar(files: Tree, *, links: Tree | None = None, devices: Sequence[str] = ()) -> bytes:
    """Return a tar with files, symbolic links (name -> target) and character devices."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), TIME
            archive.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mtime = tarfile.SYMTYPE, target.decode(), TIME
            archive.addfile(info)
        for name in devices:
            info = tarfile.TarInfo(name)
            info.type, info.devmajor, info.devminor, info.mtime = tarfile.CHRTYPE, 1, 3, TIME
            archive.addfile(info)
    return out.getvalue()


def odd_names(folder: Path, data: bytes) -> list[Path]:
    """Write the data under difficult names, as far as the file system supports them."""
    names = ["a\tb", "a\nb", "a b", "-x", ".hidden", "a[1]*?", 'q"uote', "ä", "back\\slash", "no-\udcff-utf8"]
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in names:
        try:
            (folder / name).write_bytes(data)
        except OSError:  # the file system requires UTF-8
            continue
        paths.append(folder / name)
    return paths


def archives_in_archives(inner: bytes, ending: str, *, levels: int, width: int = 16) -> bytes:
    """Return a small zip of zips: `width` copies of `inner` in each of the lowest, and `width` zips in each of the others."""
    for level in range(levels):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for k in range(width):
                archive.writestr(zipfile.ZipInfo(f"{k:02d}{'.zip' if level else ending}"), inner, zipfile.ZIP_DEFLATED)
        inner = out.getvalue()
    return inner
