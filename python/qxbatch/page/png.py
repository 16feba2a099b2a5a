"""Writes a PNG image (ISO/IEC 15948): 8 bits, one IDAT chunk."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOUR, _PALETTE = 0, 2, 3
_LEVEL = 2
"""Level 6 takes four times as long, for files that are 6 % smaller."""


def encode_png(
    lines: bytes | bytearray, width: int, height: int, *, colour: bool = False, palette: bytes = b""
) -> bytes:
    """Return scan lines as a PNG file; each begins with a zero, its filter.

    A pixel is a byte of grey; with `colour` three bytes, red, green and blue; with a palette its index there.
    """
    kind = _COLOUR if colour else _PALETTE if palette else _GREY
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    colours = _chunk(b"PLTE", palette) if palette else b""
    data = zlib.compress(lines, _LEVEL)
    return SIGNATURE + _chunk(b"IHDR", header) + colours + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
