"""7z archives (7zFormat.txt of the LZMA SDK): one packed block, or one for each member."""

import lzma
import zlib
from collections.abc import Mapping, Sequence
from enum import Enum

_LZMA2 = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 20}]


class Method(Enum):
    """How members are packed: the coder in the header of the archive."""

    COPY = b"\x01\x00"
    LZMA2 = b"\x21\x21\x01\x10"
    """A dictionary of 1 MiB."""


def sevenz(
    tree: Mapping[str, bytes],
    method: Method = Method.LZMA2,
    *,
    solid: bool = True,
    folders: Sequence[str] = (),
    wrong_crc: str = "",
    coder: bytes = b"",
    claimed: int = 0,
    modes: Mapping[str, int] | None = None,
) -> bytes:
    """Pack files under their names, then empty folders. `wrong_crc` names a member with another checksum.

    `modes` gives members a Unix mode. `coder` replaces that of the method, and `claimed` is added to the size of the first member.
    """
    full = {name: data for name, data in tree.items() if data}
    empty = [name for name, data in tree.items() if not data]
    blocks = [list(full)] if solid else [[name] for name in full]
    packed = [_packed(b"".join(full[name] for name in names), method) for names in blocks if names]
    sizes = [[len(full[name]) for name in names] for names in blocks if names]
    if claimed:
        sizes[0][0] += claimed
    crcs = [zlib.crc32(data) ^ (name == wrong_crc) for name, data in full.items()]
    parts = bytearray(b"\x01")
    if packed:
        parts += b"\x04" + _streams(packed, sizes, crcs, coder or method.value) + b"\x00"
    parts += _files([*full, *empty, *folders], len(full), len(empty), modes) + b"\x00"
    data = b"".join(packed)
    start = len(data).to_bytes(8, "little") + len(parts).to_bytes(8, "little") + _crc(bytes(parts))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + _crc(start) + start + data + bytes(parts)


def _packed(data: bytes, method: Method) -> bytes:
    return data if method is Method.COPY else lzma.compress(data, lzma.FORMAT_RAW, filters=_LZMA2)


def _streams(packed: Sequence[bytes], sizes: Sequence[Sequence[int]], crcs: Sequence[int], coder: bytes) -> bytes:
    pack = b"\x06\x00" + _number(len(packed)) + b"\x09" + b"".join(_number(len(each)) for each in packed) + b"\x00"
    coders = b"".join(b"\x01" + coder for _ in packed)
    whole = b"".join(_number(sum(each)) for each in sizes)
    unpack = b"\x07\x0b" + _number(len(packed)) + b"\x00" + coders + b"\x0c" + whole + b"\x00"
    counts = b"\x0d" + b"".join(_number(len(each)) for each in sizes)
    inner = b"\x09" + b"".join(_number(size) for each in sizes for size in each[:-1])
    sums = b"\x0a\x01" + b"".join(crc.to_bytes(4, "little") for crc in crcs)
    return pack + unpack + b"\x08" + counts + inner + sums + b"\x00"


def _files(names: Sequence[str], full: int, empty: int, modes: Mapping[str, int] | None) -> bytes:
    text = b"\x00" + b"".join(name.encode("utf-16-le") + b"\x00\x00" for name in names)
    files = b"\x05" + _number(len(names))
    if len(names) > full:
        files += _property(0x0E, _bits([k >= full for k in range(len(names))]))
        files += _property(0x0F, _bits([k < empty for k in range(len(names) - full)]))
    if modes is not None:
        attributes = (modes.get(name, 0o100644) << 16 | 0x8000 for name in names)
        files += _property(0x15, b"\x01\x00" + b"".join(each.to_bytes(4, "little") for each in attributes))
    return files + _property(0x11, text) + b"\x00"


def _property(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + _number(len(body)) + body


def _bits(flags: Sequence[bool]) -> bytes:
    padded = [*flags, *[False] * (-len(flags) % 8)]
    rows = (padded[k : k + 8] for k in range(0, len(padded), 8))
    return bytes(sum(flag << (7 - bit) for bit, flag in enumerate(row)) for row in rows)


def _number(value: int) -> bytes:
    """One byte below 128, else nine: readers take either form."""
    return bytes([value]) if value < 0x80 else b"\xff" + value.to_bytes(8, "little")


def _crc(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")


def resummed(data: bytes) -> bytes:
    """Return an archive with a changed header and correct checksums."""
    offset, size = (int.from_bytes(data[at : at + 8], "little") for at in (12, 20))
    start = data[12:28] + _crc(data[32 + offset : 32 + offset + size])
    return data[:8] + _crc(start) + start + data[32:]
