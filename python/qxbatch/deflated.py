"""DICOM objects in the deflated transfer syntax (PS3.5 A.5), which can be much larger than their files."""

import struct
import zlib
from typing import IO

_MAX_META = 4096
"""Bytes that are read to find the end of the file meta information; that of real files has a few hundred bytes."""
_PREFIX, _GROUP_LENGTH = slice(128, 132), struct.Struct("<HH2sHI")
_META_START = 132
_DEFLATED = b"1.2.840.10008.1.2.1.99"


def is_data_set_larger(file: IO[bytes], max_bytes: int) -> bool:
    """Return whether the data set of a DICOM object is deflated and has more than `max_bytes` bytes when inflated.

    The object begins at the position of the file, which stays the same. In a damaged data set, the bytes before the damage count.
    The result is also True if the file meta information does not say where the deflated data set begins. Raises OSError, and other
    errors of reading `file`.
    """
    start = file.tell()
    try:
        meta = file.read(_MAX_META)
        if meta[_PREFIX] != b"DICM" or _DEFLATED not in meta:
            return False
        end = _end_of_meta(meta)
        if end is None:
            return True
        file.seek(start + end)
        return _inflates_beyond(file, max_bytes)
    finally:
        file.seek(start)


def _end_of_meta(meta: bytes) -> int | None:
    """Return the offset of the end of group 0002 by its group length (PS3.10 7.1); None without a valid one."""
    if len(meta) < _META_START + _GROUP_LENGTH.size:
        return None
    group, element, vr, size, length = _GROUP_LENGTH.unpack_from(meta, _META_START)
    if (group, element, vr, size) != (2, 0, b"UL", 4):
        return None
    return int(_META_START + _GROUP_LENGTH.size + length)


def _inflates_beyond(file: IO[bytes], max_bytes: int) -> bool:
    """Return whether the deflate stream at the position of the file has more than `max_bytes` bytes when inflated."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    total, piece = 0, b""
    try:
        while total <= max_bytes and not inflater.eof:
            piece = inflater.unconsumed_tail or file.read(1 << 16)
            if not piece:
                break
            total += len(inflater.decompress(piece, 1 << 20))
    except zlib.error:
        return total > max_bytes
    return total > max_bytes
