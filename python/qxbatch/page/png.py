"""Writes a PNG image (ISO/IEC 15948): 8 bits, one IDAT chunk."""

import struct
import zlib
from collections.abc import Sequence

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOUR, _PALETTE = 0, 2, 3
_NO_FILTER = b"\0"
"""Each line begins with its filter."""
_LEVEL = 2
"""Level 6 takes four times as long, for files that are 6 % smaller."""


def encode_png(lines: Sequence[bytes], *, colour: bool = False, palette: bytes = b"") -> bytes:
    """Return lines of equal length as a PNG file.

    A pixel is a byte of grey; with `colour` three bytes, red, green and blue; with a palette its index there.
    """
    kind = _COLOUR if colour else _PALETTE if palette else _GREY
    width = len(lines[0]) // (3 if colour else 1)
    header = struct.pack(">IIBBBBB", width, len(lines), 8, kind, 0, 0, 0)
    data = zlib.compress(b"".join(_NO_FILTER + line for line in lines), _LEVEL)
    colours = _chunk(b"PLTE", palette) if palette else b""
    return SIGNATURE + _chunk(b"IHDR", header) + colours + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
