"""Writes a PNG image (ISO/IEC 15948): 8 bits, grey or RGB, one IDAT chunk."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR = 0, 2


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return pixels of shape (rows, columns) or (rows, columns, 3) as a PNG file."""
    rows, columns = pixels.shape[:2]
    kind = COLOUR if pixels.ndim == 3 else GREY  # noqa: PLR2004 - the third axis is the colour
    header = struct.pack(">IIBBBBB", columns, rows, 8, kind, 0, 0, 0)
    lines = pixels.reshape(rows, -1)
    raw = np.zeros((rows, lines.shape[1] + 1), np.uint8)  # each line begins with its filter, 0: none
    raw[:, 1:] = lines
    data = zlib.compress(raw.tobytes(), 6)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
