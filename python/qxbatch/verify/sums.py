"""Holds the files of images against the sizes and hashes that summary.json tells of them."""

import json
from pathlib import Path

from qxbatch.core import Monitor, hash_file

Sum = tuple[int, str]
"""Bytes and SHA-256 of a file."""
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading a damaged JSON may raise."""
SHOWN = 12
"""Digits of a hash that a message shows."""


def read_sums(session: Path) -> tuple[dict[str, Sum], list[str]]:
    """Return what the summary tells of each file of an image, by its path below the session, and what it should and does not.

    Nothing of either where the summary was written before it told that of any image, or cannot be read (which is another
    check's to say).
    """
    path = session / "qxbatch" / "summary.json"
    try:
        images = [(list(image["files"]), image.get("sums")) for image in json.loads(path.read_bytes())["images"]]
    except UNREADABLE:
        return {}, []
    sums: dict[str, Sum] = {}
    wrong = []
    for file, told in ((file, told) for files, told in images for file in files):
        one = told.get(file) if isinstance(told, dict) else None
        size, digest = (one.get("size"), one.get("sha256")) if isinstance(one, dict) else (None, None)
        if isinstance(size, int) and isinstance(digest, str):
            sums[str(file)] = size, digest
        else:
            wrong.append(f"{path}: does not tell size and SHA-256 of {file}")
    return (sums, wrong) if any(told is not None for _, told in images) else ({}, [])


def differs(path: Path, told: Sum, monitor: Monitor) -> str:
    """Return in what a file is not the one that was written; empty when it is. Raises OSError."""
    size, digest = hash_file(str(path), monitor=monitor)
    if size != told[0]:
        return f"is not what was written: it has {size} bytes, qxbatch/summary.json tells of {told[0]}"
    if digest != told[1]:
        hashes = f"its SHA-256 is {digest[:SHOWN]}..., in qxbatch/summary.json {told[1][:SHOWN]}..."
        return f"is not what was written: the size is the same, {hashes}"
    return ""
