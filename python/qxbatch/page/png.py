"""Writes a PNG image (ISO/IEC 15948): 8 bits, grey, one IDAT chunk."""

import struct
import zlib
from collections.abc import Sequence

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY = 0
_NO_FILTER = b"\0"
"""Each line begins with its filter."""


def encode_png(lines: Sequence[bytes]) -> bytes:
    """Return lines of equal length, a byte for each pixel, as a PNG file."""
    header = struct.pack(">IIBBBBB", len(lines[0]), len(lines), 8, _GREY, 0, 0, 0)
    data = zlib.compress(b"".join(_NO_FILTER + line for line in lines), 6)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
