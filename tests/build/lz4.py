"""LZ4 frames with uncompressed blocks: the standard library has no LZ4 compressor."""

_START = bytes.fromhex("04224d18 6040 82")
"""Independent blocks of up to 64 KiB, no length, no checksum; the last byte is the header checksum."""
_BLOCK = 64 << 10


def compress(data: bytes) -> bytes:
    """Return one frame."""
    parts = (data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK))
    return _START + b"".join((len(part) | 1 << 31).to_bytes(4, "little") + part for part in parts) + bytes(4)
