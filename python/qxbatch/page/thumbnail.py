"""The thumbnail of a session: the left part of one of its pictures, small enough for a page of a thousand sessions."""

import struct
import zlib

from qxbatch.page.png import GREY, SIGNATURE, encode_png
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary import Summary
from qxbatch.textfile import read_bytes

SIDE = 64
"""Pixels of each side."""
_MAX_PICTURE_BYTES = 1 << 24
"""A larger picture is not read."""
_MAX_PIXELS = 1 << 26
"""A picture with more pixels is not decompressed."""
_NO_FILTER = 0
"""First byte of a scan line without filter."""


def thumbnail(paths: SessionPaths, summary: Summary) -> bytes | None:
    """Return the thumbnail of a session as PNG, from the image with the most voxels per volume that has a grey picture.

    Images of a single slice are tried last. Returns None if no image has a grey picture.
    """
    for image in sorted(summary.images, key=lambda image: (-_voxels(image.shape), image.number)):
        try:
            lines = _grey_lines(read_bytes(paths.picture(image.number), _MAX_PICTURE_BYTES))
        except (OSError, ValueError, zlib.error, struct.error):
            continue
        if lines:
            return encode_png(_square(lines), SIDE, SIDE)
    return None


def _voxels(shape: tuple[int, ...]) -> int:
    """Return the number of voxels of one volume; 0 for an image of one slice."""
    columns, rows, slices = (*shape, 1, 1, 1)[:3]
    return columns * rows * slices if slices > 1 else 0


def _grey_lines(png: bytes) -> list[bytes]:
    """Return the lines of a PNG with 8 bits of grey and without filters, as qxbatch writes it; empty for other data.

    Raises zlib.error and struct.error for damaged data.
    """
    if not png.startswith(SIGNATURE):
        return []
    offset, data, width, height = len(SIGNATURE), [], 0, 0
    while offset + 8 <= len(png):
        length, name = struct.unpack_from(">I4s", png, offset)
        content = png[offset + 8 : offset + 8 + length]
        if name == b"IHDR":
            width, height, bits, colour, *_ = struct.unpack(">IIBBBBB", content)
            if (bits, colour) != (8, GREY):
                return []
        elif name == b"IDAT":
            data.append(content)
        offset += length + 12  # a chunk also has its length, name and checksum, 4 bytes each
    if not 0 < width * height <= _MAX_PIXELS:
        return []
    size = (width + 1) * height
    pixels = zlib.decompressobj().decompress(b"".join(data), size)
    if len(pixels) != size:
        return []
    lines = [pixels[start : start + width + 1] for start in range(0, len(pixels), width + 1)]
    return [line[1:] for line in lines] if all(line[0] == _NO_FILTER for line in lines) else []


def _square(lines: list[bytes]) -> bytes:
    """Return the largest square at the top left of a picture as scan lines with SIDE pixels in each direction."""
    side = min(len(lines), len(lines[0]))
    steps = [k * side // SIDE for k in range(SIDE)]
    return b"".join(bytes([_NO_FILTER, *(lines[row][column] for column in steps)]) for row in steps)
