"""Compares the files of images with the sizes and hashes in the summary."""

from pathlib import Path

from qxbatch.core import Monitor, hash_file
from qxbatch.session.layout import SUMMARY_AT
from qxbatch.session.summary import Summary
from qxbatch.session.summary_parts import SizeAndHash

PRINTED_DIGITS = 12
"""Number of digits of a hash that a message shows."""


def image_checksums(summary: Summary, path: Path) -> tuple[dict[str, SizeAndHash], list[str]]:
    """Return the checksums of the files of images, by path below the session, and a fault for each file without one.

    Both are empty if an older version wrote the summary, without checksums. `path` is that of the summary, for messages.
    """
    if all(image.sums is None for image in summary.images):
        return {}, []
    sums: dict[str, SizeAndHash] = {}
    faults = []
    for image in summary.images:
        image_files = image.sums or {}
        sums |= image_files
        faults += [
            f"{path}: does not contain size and SHA-256 of {file}" for file in image.files if file not in image_files
        ]
    return sums, faults


def difference(path: Path, expected: SizeAndHash, monitor: Monitor) -> str:
    """Return how a file differs from the one that was written; empty if it does not. Raises OSError.

    A file of another size is not read.
    """
    expected_size, expected_digest = expected
    size, digest = path.stat().st_size, ""
    if size == expected_size:
        size, digest = hash_file(str(path), monitor=monitor)
    if size != expected_size:
        return f"differs from what was written: it has {size} bytes, {SUMMARY_AT} has {expected_size}"
    if digest != expected_digest:
        hashes = f"its SHA-256 is {digest[:PRINTED_DIGITS]}..., in {SUMMARY_AT} {expected_digest[:PRINTED_DIGITS]}..."
        return f"differs from what was written: the size is the same, {hashes}"
    return ""
