"""A Zstandard frame (RFC 8878) without a compressor: raw blocks, and RLE blocks for runs of one byte."""

MAGIC = (0xFD2FB528).to_bytes(4, "little")
BLOCK = 128 * 1024
RAW, RUN = 0, 1


def compress(data: bytes) -> bytes:
    """Return one frame with the data."""
    # Frame header descriptor (3.1.1.1.1): 8-byte content size, single segment, no checksum, no dictionary.
    out = bytearray(MAGIC + bytes([0b1110_0000]) + len(data).to_bytes(8, "little"))
    starts = range(0, len(data), BLOCK) if data else range(1)
    for start in starts:
        block = data[start : start + BLOCK]
        last = start + BLOCK >= len(data)
        run = len(block) > 1 and block.count(block[0]) == len(block)
        kind = RUN if run else RAW
        out += (len(block) << 3 | kind << 1 | last).to_bytes(3, "little")
        out += block[:1] if run else block
    return bytes(out)
