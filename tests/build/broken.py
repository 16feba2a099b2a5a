"""Packets that are damaged, hostile or odd, each in one way."""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from tests.build.packets import TIME, Tree, zipped


def cut(data: bytes, end: int) -> bytes:
    """Return data up to `end` (counted from the end when negative)."""
    return data[:end]


def flipped(data: bytes, at: int) -> bytes:
    """Return data with one byte turned over."""
    out = bytearray(data)
    out[at] ^= 0xFF
    return bytes(out)


def wrong_crc(tree: Tree, member: str) -> bytes:
    """Return a zip of stored members of which one has a byte that its CRC-32 does not fit."""
    data = zipped(tree, stored=True)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo(member)
        names = struct.unpack_from("<HH", data, info.header_offset + 26)
    start = info.header_offset + 30 + sum(names)
    return flipped(data, start + info.file_size // 2)


def same_names(members: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a zip whose members may share a name."""
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


def encrypted(tree: Tree, password: bytes = b"secret") -> bytes:
    """Return a zip whose stored members are encrypted in the traditional way (APPNOTE 6.1)."""
    data = bytearray()
    directory = bytearray()
    for name, plain in tree.items():
        crc = zlib.crc32(plain)
        body = _zip_crypto(bytes(11) + bytes([crc >> 24]) + plain, password)
        encoded = name.encode()
        fields = (20, 1, 0, 0x5260, 0x582F, crc, len(body), len(plain), len(encoded), 0)
        directory += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, *fields, 0, 0, 0, 0, len(data))
        directory += encoded
        data += struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", *fields) + encoded + body
    count = len(tree)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(data), 0)
    return bytes(data + directory + end)


def _zip_crypto(plain: bytes, password: bytes) -> bytes:
    keys = [0x12345678, 0x23456789, 0x34567890]

    def turn(byte: int) -> None:
        keys[0] = _crc_step(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = _crc_step(keys[2], keys[1] >> 24)

    for byte in password:
        turn(byte)
    out = bytearray()
    for byte in plain:
        word = (keys[2] | 2) & 0xFFFF
        out.append(byte ^ ((word * (word ^ 1)) >> 8) & 0xFF)
        turn(byte)
    return bytes(out)


def _crc_step(crc: int, byte: int) -> int:
    """Return one step of CRC-32 without its pre- and post-inversion."""
    value = (crc ^ byte) & 0xFF
    for _ in range(8):
        value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
    return value ^ (crc >> 8)


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
    """Write the data under names that are hard to handle, as far as the file system takes them."""
    names = ["a\tb", "a\nb", "a b", "-x", ".hidden", "a[1]*?", 'q"uote', "ä", "back\\slash", "no-\udcff-utf8"]
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in names:
        try:
            (folder / name).write_bytes(data)
        except OSError:  # the file system wants UTF-8
            continue
        paths.append(folder / name)
    return paths
