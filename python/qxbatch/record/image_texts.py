"""Redacts the texts in the header of a NIfTI image, and in the extensions that follow it."""

import struct
from pathlib import Path
from typing import BinaryIO

from qxbatch.convert.nifti import Nifti
from qxbatch.deidentify import Redact, no_redaction
from qxbatch.record.cut_text import without_last_word

_NIFTI1_TEXTS = ((4, 10), (14, 18), (148, 80), (228, 24), (328, 16))
"""Offset and length in bytes of data_type, db_name, descrip, aux_file and intent_name (nifti1.h)."""
_NIFTI2_TEXTS = ((240, 80), (320, 24), (508, 16))
"""The same of descrip, aux_file and intent_name (nifti2.h)."""
_NIFTI1_EXTENDER, _NIFTI2_EXTENDER = 348, 540
"""Offset of four bytes after the header; the first of them is not 0 if extensions follow (nifti1.h, nifti1_extender)."""
_PREFIX = 8
"""Length of the size and the code with which an extension begins; they count in its size."""
_IGNORED, _COMMENT = 0, 6
"""Codes of an extension without meaning, and of one that is a text (nifti1.h, NIFTI_ECODE_...)."""


def redact_image(nifti: Path, header: Nifti, redact: Redact) -> None:
    """Redact the texts in the header and in the extensions of an uncompressed image, in place. Raises OSError.

    Converters write ImageComments and similar text there. The last word of a text that fills its field in the header is removed,
    since it may be cut (`without_last_word`). Extensions that are not text, such as a DICOM header, are emptied.
    """
    if redact is no_redaction:
        return
    with nifti.open("r+b") as file:
        for offset, length in _NIFTI2_TEXTS if header.is_nifti2 else _NIFTI1_TEXTS:
            file.seek(offset)
            old = file.read(length)
            _replace(file, offset, old, _redacted_field(old, redact))
        _redact_extensions(file, header, redact)


def _redact_extensions(file: BinaryIO, header: Nifti, redact: Redact) -> None:
    """Redact the extensions between header and voxels. What follows an extension of an impossible size is emptied."""
    offset = _NIFTI2_EXTENDER if header.is_nifti2 else _NIFTI1_EXTENDER
    file.seek(offset)
    if header.offset < offset + 4 or file.read(4)[:1] in (b"", b"\0"):
        return
    offset += 4
    while offset + _PREFIX <= header.offset:
        file.seek(offset)
        size, code = struct.unpack(f"{header.byte_order}2i", file.read(_PREFIX))
        if not _PREFIX <= size <= header.offset - offset:
            break
        content = file.read(size - _PREFIX)
        if code == _COMMENT:
            _replace(file, offset + _PREFIX, content, _redacted_comment(content, redact))
        elif any(content):
            new_code = struct.pack(f"{header.byte_order}i", _IGNORED)
            _replace(file, offset + 4, b"", new_code + bytes(len(content)))
        offset += size
    file.seek(offset)
    remaining = file.read(max(0, header.offset - offset))
    _replace(file, offset, remaining, bytes(len(remaining)))


def _replace(file: BinaryIO, offset: int, old: bytes, new: bytes) -> None:
    if new != old:
        file.seek(offset)
        file.write(new)


def _redacted_comment(content: bytes, redact: Redact) -> bytes:
    """Return an extension with its texts redacted, of the same length: its end is cut if it gets longer.

    dicm2nii ends each of its lines with a NUL.
    """
    texts = content.rstrip(b"\0").decode("utf-8", "surrogateescape").split("\0")
    redacted = [redact(text) for text in texts]
    if redacted == texts:
        return content
    return "\0".join(redacted).encode("utf-8", "surrogateescape")[: len(content)].ljust(len(content), b"\0")


def _redacted_field(field: bytes, redact: Redact) -> bytes:
    """Return a field with its text redacted, of the same length."""
    content = field.split(b"\0")[0]
    text = content.decode("utf-8", "surrogateescape")
    if len(content) >= len(field) - 1:
        text = without_last_word(text)
    new = redact(text)
    if new == content.decode("utf-8", "surrogateescape"):
        return field
    return new.encode("utf-8", "surrogateescape")[: len(field) - 1].ljust(len(field), b"\0")
