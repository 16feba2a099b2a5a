"""Moves images and their sidecars to their places in the session folder, redacts sidecars, and writes the converters' logs."""

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from qxbatch.deidentify import IMAGE_TYPE_CODES, Redact, no_redaction
from qxbatch.model import Conversion
from qxbatch.record.compress import CompressFile, compressed_path
from qxbatch.record.cut_text import without_last_word
from qxbatch.record.images import SessionImages
from qxbatch.session.paths import SessionPaths
from qxbatch.visible import visible_lines

_TEXT = re.compile(r'^([ \t]*"\w*(?<!UID)":[ \t]*)(".*")(,?[ \t]*)$', re.MULTILINE)
"""A line of a sidecar with a text value; not of a key that ends with UID."""
_ITEM = re.compile(r'"(?:[^"\\\n]|\\.)*"')
"""A JSON string, as an item of a list."""
_LIST = re.compile(rf'^([ \t]*(?:"\w*(?<!UID)":[ \t]*(?=\[))?)(\[.*|{_ITEM.pattern}[ \t\],]*)$', re.MULTILINE)
"""A line of a sidecar with a list, unless its key ends with UID. Also a line with only items of a list, whatever its key."""
_FULL_LENGTHS = (63, 64, 65, 254, 255)
"""Lengths of texts that fill a field of a converter: the converter may have cut a text of this length."""


def write_images(session_images: SessionImages, session: Path, compress: CompressFile) -> None:
    """Move each image and its sidecars into `<session>/nii`, and name them after the image's number.

    `compress` is called for each image that is not compressed yet. Raises OSError.
    """
    paths = SessionPaths(session)
    paths.nii.mkdir(parents=True, exist_ok=True)
    for item in session_images.numbered_images:
        number, output = item.image.number, item.output
        if not compressed_path(output.nifti).exists():
            compress(output.nifti, compressed_path(output.nifti))
        _place(compressed_path(output.nifti), paths.image(number))
        for extension, path in sorted(output.sidecars.items()):
            _place(path, paths.image(number, extension))


def redact_sidecars(folder: Path, redact: Redact) -> None:
    """Redact the texts of the sidecars (.json), also in lists, except UIDs; numbers do not change.

    The last word of a text that fills its field is removed, since it may be cut (`without_last_word`).
    """
    if redact is no_redaction:
        return
    for path in sorted(folder.glob("*.json")):
        original = path.read_text(encoding="utf-8", errors="surrogateescape")
        redacted = _TEXT.sub(lambda match: f"{match[1]}{_redacted_json_text(match[2], redact)}{match[3]}", original)
        redacted = _LIST.sub(lambda match: f"{match[1]}{_redacted_items(match[2], redact)}", redacted)
        if redacted != original:
            path.write_text(redacted, encoding="utf-8", errors="surrogateescape", newline="\n")


def _redacted_json_text(value: str, redact: Redact) -> str:
    """Return a JSON string with identities redacted. It is encoded again, since a session id may contain quotes."""
    try:
        content = json.loads(value, strict=False)
    except ValueError:  # a converter that does not escape quotes
        content = value[1:-1]
    redacted = redact(without_last_word(content) if _fills_field(content) else content)
    return value if redacted == content else json.dumps(redacted, ensure_ascii=False)


def _redacted_items(items: str, redact: Redact) -> str:
    """Return the items of a list, as JSON, with identities redacted; DICOM codes, which are not names, do not change."""
    redacted = _ITEM.sub(
        lambda match: match[0] if match[0][1:-1] in IMAGE_TYPE_CODES else _redacted_json_text(match[0], redact), items
    )
    between = _ITEM.sub("", items).strip("[], \t")
    return redact(redacted) if between else redacted  # text between items: a converter that does not escape quotes


def _fills_field(text: str) -> bool:
    return len(text) in _FULL_LENGTHS or len(text.encode("utf-8", "surrogateescape")) in _FULL_LENGTHS


def write_logs(conversions: Iterable[Conversion], session_images: SessionImages, session: Path) -> None:
    """Write `dicom/dcm2niix_<n>.log` for each series.

    Each n' of a series with more than nine images (docs/numbers.md) gets a copy of the log.
    """
    paths = SessionPaths(session)
    paths.dicom.mkdir(parents=True, exist_ok=True)
    logs = {conversion.series.n: conversion.log for conversion in conversions}
    numbers = {**{n: n for n in logs}, **session_images.n_by_extra_n}
    for number, n in sorted(numbers.items()):
        log = "\r".join(map(visible_lines, logs[n].split("\r")))  # texts of headers cannot control the terminal
        paths.converter_log(number).write_text(log, encoding="utf-8", errors="replace", newline="\n")


def _place(source: Path, target: Path) -> None:
    if target.exists():
        raise FileExistsError(f"{target}: a second image has this number")
    shutil.move(source, target)
