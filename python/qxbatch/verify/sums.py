"""Holds the files of images against the sizes and hashes that summary.json tells of them."""

import json
from pathlib import Path

from qxbatch.core import Monitor, hash_file

Sum = tuple[int, str]
"""Bytes and SHA-256 of a file."""
SHOWN = 12
"""Digits of a hash that a message shows."""


def read_sums(session: Path) -> dict[str, Sum]:
    """Return what the summary tells of each file of an image, by its path below the session.

    Empty where the summary was written before it told that, or cannot be read (which is another check's to say).
    """
    try:
        told = json.loads((session / "qxbatch" / "summary.json").read_bytes())
        files = [item for image in told["images"] for item in image.get("sums", {}).items()]
        return {str(file): (int(each["size"]), str(each["sha256"])) for file, each in files}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def differs(path: Path, told: Sum, monitor: Monitor) -> str:
    """Return in what a file is not the one that was written; empty when it is. Raises OSError."""
    size, digest = hash_file(str(path), monitor=monitor)
    if size != told[0]:
        return f"is not what was written: it has {size} bytes, qxbatch/summary.json tells of {told[0]}"
    if digest != told[1]:
        hashes = f"its SHA-256 is {digest[:SHOWN]}..., in qxbatch/summary.json {told[1][:SHOWN]}..."
        return f"is not what was written: the size is the same, {hashes}"
    return ""
