"""LZ4 frames of blocks that are not compressed: no such compressor is in the standard library."""

_START = bytes.fromhex("04224d18 6040 82")
"""Blocks of up to 64 KiB on their own, no length, no checksum; the last byte is the header's own."""
_BLOCK = 64 << 10


def compress(data: bytes) -> bytes:
    """Return one frame."""
    parts = (data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK))
    return _START + b"".join((len(part) | 1 << 31).to_bytes(4, "little") + part for part in parts) + bytes(4)
