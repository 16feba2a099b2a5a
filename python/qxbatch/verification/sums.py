"""Compares the files of images with the sizes and hashes in the summary."""

from pathlib import Path

from qxbatch.core import Monitor, hash_file
from qxbatch.session.layout import SUMMARY_AT
from qxbatch.session.summary import Summary
from qxbatch.session.summary_parts import Sum

PRINTED_DIGITS = 12
"""Number of digits of a hash in a message."""


def image_sums(summary: Summary, path: Path) -> tuple[dict[str, Sum], list[str]]:
    """Return the sums of each file of an image, by its path below the session, and their faults.

    Both are empty if the summary has no sums: an older version wrote it. `path` is the summary's own.
    """
    if all(image.sums is None for image in summary.images):
        return {}, []
    sums: dict[str, Sum] = {}
    wrong = []
    for image in summary.images:
        image_files = image.sums or {}
        sums |= image_files
        wrong += [
            f"{path}: does not contain size and SHA-256 of {file}" for file in image.files if file not in image_files
        ]
    return sums, wrong


def differs(path: Path, expected: Sum, monitor: Monitor) -> str:
    """Return how a file differs from the one that was written; empty if it does not. Raises OSError."""
    size, digest = hash_file(str(path), monitor=monitor)
    if size != expected[0]:
        return f"differs from what was written: it has {size} bytes, {SUMMARY_AT} has {expected[0]}"
    if digest != expected[1]:
        hashes = f"its SHA-256 is {digest[:PRINTED_DIGITS]}..., in {SUMMARY_AT} {expected[1][:PRINTED_DIGITS]}..."
        return f"differs from what was written: the size is the same, {hashes}"
    return ""
