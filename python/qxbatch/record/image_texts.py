"""Redacts the texts in the header of a NIfTI image."""

import struct
from pathlib import Path

from qxbatch.deidentify import Redact, no_redaction
from qxbatch.record.cut_text import without_last_word

_NIFTI1, _NIFTI2 = 348, 540
_TEXTS = {
    _NIFTI1: ((4, 10), (14, 18), (148, 80), (228, 24), (328, 16)),
    _NIFTI2: ((240, 80), (320, 24), (508, 16)),
}
"""Maps the size of a header to the offset and length of its texts in bytes (nifti1.h, nifti2.h).

NIfTI-1: data_type, db_name, descrip, aux_file, intent_name. NIfTI-2: the last three."""


def redact_image(nifti: Path, redact: Redact) -> None:
    """Redact the texts in the header of an uncompressed image, in place. Raises OSError.

    Converters write ImageComments and similar text there. The last word of a text that fills its field is removed, since it may
    be cut (`without_last_word`).
    """
    if redact is no_redaction:
        return
    with nifti.open("r+b") as file:
        head = file.read(_NIFTI2)
        sizes = {struct.unpack_from(f"{order}i", head)[0] for order in "<>"} if len(head) >= _NIFTI1 else set()
        for offset, length in next((texts for size, texts in _TEXTS.items() if size in sizes), ()):
            old = head[offset : offset + length]
            new = _redacted_field(old, redact)
            if new != old:
                file.seek(offset)
                file.write(new)


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
